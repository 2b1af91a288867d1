# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Sample every combination, and measure how far the clips are from real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from experiments.faithfulness.study import reconstruct
from experiments.few_steps.report import PSNR, SECONDS, StepsRow, write_report
from experiments.few_steps.sampling import Cell, Shape, sample_once
from experiments.sampled import Sampled
from experiments.seed_table import Scores, over_seeds
from monai_feat.apps.recipe import Recipe
from monai_feat.data import PhantomDataset
from monai_feat.metrics import DescriptorVideoDistance, RandomFeatureVideoDistance
from monai_feat.metrics.functional import clip_psnr

__all__ = ["Plan", "run_study"]

HELD_OUT_SEED = 1_000_003  # no training sees these clips
BATCH_SIZE = 16

Features = Mapping[str, Tensor]


@dataclass(frozen=True)
class Plan:
    """What is compared.

    Attributes:
        num_clips: sampled for each combination.
        num_references: real clips that they are compared with.
        samplers: that fit what the network predicts.
        steps: numbers of steps, descending.
        seeds: of the noise; the spread is that over them.
        weights: other ones than the bundle's, such as those of a diffusion, which the other samplers go with.
        size: rows and columns of a frame, in pixels.
        num_frames: frames of a clip.
    """

    num_clips: int = 8
    num_references: int = 96
    samplers: tuple[str, ...] = ("flow_multistep", "rectified_flow")
    steps: tuple[int, ...] = (250, 100, 50, 25, 10, 4)
    seeds: tuple[int, ...] = (0, 1, 2)
    weights: Path | None = None
    size: int = 64
    num_frames: int = 16

    @property
    def shape(self) -> Shape:
        """What is sampled for each combination."""
        return Shape(self.num_clips, self.num_frames, self.size)


class _Distances:
    """The offline distances from one set of real clips."""

    def __init__(self, real: Tensor) -> None:
        self.metrics: dict[str, RandomFeatureVideoDistance | DescriptorVideoDistance] = {
            "random features": RandomFeatureVideoDistance(reset_real_features=False),
            "descriptors": DescriptorVideoDistance(reset_real_features=False),
        }
        for metric in self.metrics.values():
            _update(metric, real, real=True)

    def __call__(self, pixels: Tensor) -> dict[str, float]:
        """Measure clips, uint8 ``(N, C, T, H, W)``."""
        found = {}
        for name, metric in self.metrics.items():
            metric.reset()
            _update(metric, pixels, real=False)
            value = metric.compute()
            found[name] = float(value["descriptors"] if isinstance(value, dict) else value)
        return found


def _update(metric: RandomFeatureVideoDistance | DescriptorVideoDistance, pixels: Tensor, real: bool) -> None:
    for clips in pixels.split(8):
        metric.update(clips, real=real)


def run_study(modality: str, out: Path, plan: Plan) -> list[StepsRow]:
    """Do everything, and write ``report.md``, ``report.json`` and ``curves.png``.

    Args:
        modality: which bundle.
        out: where results go. What an earlier run has sampled there is not sampled again.
        plan: what to compare.
    """
    recipe = Recipe(modality, f"phantom:{modality}", out, from_scratch=False)
    weights = plan.weights or recipe.weights("feat")
    real = _real_clips(modality, plan)
    distances = _Distances(real[: plan.num_references])
    rows = list(_floors(recipe, real[plan.num_references :].split(plan.num_clips), distances))
    cells = [Cell(*each) for each in product(plan.samplers, plan.steps[::-1], plan.seeds)]  # the cheap ones first
    sampled = {}
    for number, cell in enumerate(cells, start=1):
        sampled[cell] = sample_once(recipe, cell, plan.shape, weights, out / "clips")
        print(f"{number} of {len(cells)}: {cell}: {sampled[cell].seconds:.2f} s a clip", flush=True)
    rows += [_row(sampler, steps, plan, sampled, distances) for sampler, steps in product(plan.samplers, plan.steps)]
    write_report(rows, modality, asdict(plan), out)
    return rows


def _real_clips(modality: str, plan: Plan) -> Tensor:
    """Render the references, then as many clips as are sampled with each seed: uint8 ``(N, C, T, H, W)``."""
    number = plan.num_references + plan.num_clips * len(plan.seeds)
    clips = PhantomDataset(modality, number, HELD_OUT_SEED, plan.size, plan.num_frames)
    return torch.stack([clips.clip(index).image for index in range(number)])


def _floors(recipe: Recipe, real: Sequence[Tensor], distances: _Distances) -> Iterator[StepsRow]:
    """Measure real clips like sampled ones: as they are, and as the autoencoder of the bundle gives them back."""
    yield _summary("real", 0, [distances(pixels) for pixels in real])
    yield _summary("real, through the autoencoder", 0, [distances(reconstruct(recipe, pixels)) for pixels in real])


def _row(sampler: str, steps: int, plan: Plan, sampled: Mapping[Cell, Sampled], distances: _Distances) -> StepsRow:
    scores = []
    for seed in plan.seeds:
        clips = sampled[Cell(sampler, steps, seed)]
        scores.append({SECONDS: clips.seconds, **distances(clips.pixels)})
        if sampler != "ddpm" and steps != plan.steps[0]:  # the noise of DDPM is another with other steps
            longest = sampled[Cell(sampler, plan.steps[0], seed)]
            scores[-1][PSNR] = clip_psnr(clips.pixels, longest.pixels).mean().item()
    return _summary(sampler, steps, scores)


def _summary(clips: str, steps: int, scores: Sequence[Scores]) -> StepsRow:
    by_seed = {name: tuple(each[name] for each in scores) for name in scores[0]}
    return StepsRow(clips, *over_seeds(scores), steps, by_seed)
