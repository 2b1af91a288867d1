# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Sample long clips in several ways, measure how they move, and compare with real long clips.

Letters: N clips, C channels, T frames, H rows, W columns.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from torch import Tensor

from experiments.long_clips.memory import step_memory
from experiments.seed_table import Row, Scores, cell, over_seeds
from monai_feat.apps.recipe import Recipe
from monai_feat.data import PhantomDataset, load_clip
from monai_feat.files import write_json, write_text
from monai_feat.inferers import WindowedDenoiser
from monai_feat.metrics.functional import ClipMotion, seam_ratio
from monai_feat.transforms.functional import to_uint8, to_unit_range
from monai_feat.visualize import save_contact_sheet

__all__ = ["Budget", "describe", "drift", "measure", "run_study", "ways"]

HELD_OUT_SEED = 1_000_003
NUM_SHOWN = 2


@dataclass(frozen=True)
class Budget:
    """How much is done.

    Attributes:
        num_frames: frames of a long clip.
        num_clips: clips for each way and seed.
        num_sampling_steps: steps of the sampler.
        seeds: of the samples, and of the real clips.
        memory_frames: lengths at which the memory of a step is measured.
        memory_size: rows and columns of the latents at that.
    """

    num_frames: int = 64
    num_clips: int = 4
    num_sampling_steps: int = 20
    seeds: tuple[int, ...] = (0, 1, 2)
    memory_frames: tuple[int, ...] = (64, 256)
    memory_size: int = 32


def ways(window: int, tokens: int) -> dict[str, dict[str, Any]]:
    """Return ways to sample long clips by name, as overrides of ``inference.json``.

    Args:
        window: frames of a clip in training.
        tokens: tokens of a frame in training.
    """
    own_noise = {"inferer::noise_window": "$None"}
    return {
        "one pass": {},
        "one pass, `reference_tokens`": {"network_def::reference_tokens": [tokens, window]},
        "one pass, shared noise": {"inferer::noise_window": window},
        f"windows end to end (stride {window})": {"window": window, "denoiser::stride": window, **own_noise},
        f"windows, stride {window // 2}": {"window": window, "denoiser::stride": window // 2, **own_noise},
        f"windows, stride {window // 2}, shared noise": {"window": window, "denoiser::stride": window // 2},
        f"windows, stride {window // 4}, shared noise": {"window": window, "denoiser::stride": window // 4},
    }


def run_study(modality: str, out: Path, budget: Budget) -> tuple[list[Row], dict[str, dict[int, float]]]:
    """Do everything, and write ``report.json``, ``report.md`` and a contact sheet for each seed.

    Args:
        modality: of the bundle.
        out: where results go; samples that are there are not made again.
        budget: how much to do.

    Returns:
        The rows of the table, and the MiB that a step takes, by way and number of frames.
    """
    started = time.monotonic()
    recipe = Recipe(modality, f"phantom:{modality}", out, from_scratch=False)
    config = ConfigParser()
    config.read_config(str(recipe.bundle / "configs" / "inference.json"))
    config["bundle_root"] = str(recipe.bundle)
    autoencoder, network = (config.get_parsed_content(name) for name in ("autoencoder", "network"))
    window, size = network.clips.num_frames, network.clips.frame_size
    channels, _, *latents = autoencoder.latent_shape(window, size)
    tokens = math.prod(latents) // network.patch_size**2
    overrides = ways(window, tokens)
    found: dict[str, list[Scores]] = {}
    for seed in budget.seeds:
        clips = sample_all(recipe, budget, overrides, window, seed)
        real = real_clips(modality, budget, size, seed)
        reconstructed = to_uint8(torch.cat([_reconstruct(autoencoder, clip[None]) for clip in real]))
        for name, images in {"real": real, "real, through the autoencoder": reconstructed, **clips}.items():
            stride = overrides.get(name, {}).get("denoiser::stride", window)  # what has no windows: end to end
            borders = WindowedDenoiser(torch.nn.Identity(), window, stride).borders(budget.num_frames)
            found.setdefault(name, []).append(measure(images, borders, window))
        shown = {name: images[:NUM_SHOWN] for name, images in {"real": real, **clips}.items()}
        save_contact_sheet(shown, out / f"contact_sheet_{seed}.png", num_columns=16, tile=64)
    rows = [Row(name, *over_seeds(scores)) for name, scores in found.items()]
    memory = {
        name: {
            frames: step_memory(network, limit, (channels, frames, budget.memory_size, budget.memory_size))
            for frames in budget.memory_frames
        }
        for name, limit in (("one pass", None), (f"windows of {window} frames", window))
    }
    _write_report(modality, rows, memory, budget, out, time.monotonic() - started)
    return rows, memory


def sample_all(
    recipe: Recipe, budget: Budget, overrides: Mapping[str, Mapping[str, Any]], window: int, seed: int
) -> dict[str, Tensor]:
    """Sample clips as long as those of the training, and long ones in each way; uint8 ``(N, C, T, H, W)`` by name."""
    asked: dict[str, Mapping[str, Any]] = {f"{window} frames, as trained": {"num_frames": window}, **overrides}
    clips = {}
    for number, (name, changes) in enumerate(asked.items()):
        folder = recipe.output / f"seed_{seed}" / f"{number}"
        options = {"num_frames": budget.num_frames, **changes}
        recipe.run(
            "inference",
            dataset_dir=recipe.source,
            output_dir=str(folder),
            output_format="nifti",
            num_clips=budget.num_clips,
            num_sampling_steps=budget.num_sampling_steps,
            seed=seed,
            **options,
        )
        clips[name] = torch.stack([load_clip(path).as_tensor() for path in sorted(folder.glob("clip_*.nii.gz"))])
    return clips


def real_clips(modality: str, budget: Budget, size: tuple[int, int], seed: int) -> Tensor:
    """Render long procedural clips that no training saw, uint8 ``(N, C, T, H, W)``."""
    phantoms = PhantomDataset(modality, budget.num_clips, HELD_OUT_SEED + seed, size, budget.num_frames)
    return torch.stack([phantoms.clip(index).image for index in range(budget.num_clips)])


def measure(clips: Tensor, borders: Sequence[int], window: int) -> Scores:
    """Measure how clips move, uint8 ``(N, C, T, H, W)``; NaN for what clips of one window do not have.

    Args:
        clips: of one way.
        borders: where windows start and end.
        window: frames of a window.
    """
    motion, long = ClipMotion(clips), clips.shape[2] > window
    speeds = motion.speed()
    scores = {
        "seam, change": seam_ratio(clips, borders) if long else speeds * torch.nan,
        "seam, flow": seam_ratio(clips, borders, motion=lambda _: speeds) if long else speeds * torch.nan,
        "motion (px/frame)": speeds,
        "acceleration (px/frame²)": motion.acceleration(),
        "drift (levels)": drift(clips, window) if long else speeds * torch.nan,
    }
    return {name: values.mean().item() for name, values in scores.items()}


def drift(clips: Tensor, window: int) -> Tensor:
    """Mean absolute difference between the mean of the first frames of clips and the mean of their last ones.

    A scene that moves but stays has little; one that turns into another has much.

    Args:
        clips: uint8 ``(N, C, T, H, W)``.
        window: number of first, and of last, frames.

    Returns:
        Levels of 255, ``(N,)``.
    """
    first, last = clips[:, :, :window].float().mean(2), clips[:, :, -window:].float().mean(2)
    return (first - last).abs().mean((1, 2, 3))


@torch.no_grad()
def _reconstruct(autoencoder: torch.nn.Module, clip: Tensor) -> Tensor:
    decoded: Tensor = autoencoder.decode(autoencoder.encode(to_unit_range(clip)))  # type: ignore[operator]
    return decoded


def _write_report(
    modality: str,
    rows: Sequence[Row],
    memory: Mapping[str, Mapping[int, float]],
    budget: Budget,
    out: Path,
    seconds: float,
) -> None:
    report = {
        "modality": modality,
        "budget": asdict(budget),
        "seconds": round(seconds),
        "rows": [asdict(row) for row in rows],
        "memory": memory,
    }
    write_json(out / "report.json", report)
    write_text(out / "report.md", "\n".join(describe(rows, memory)) + "\n")


def describe(rows: Sequence[Row], memory: Mapping[str, Mapping[int, float]]) -> Iterator[str]:
    """Yield the lines of two Markdown tables; of the first alone where no memory was measured."""
    names = list(rows[0].scores)
    yield f"| clips | {' | '.join(names)} |"
    yield "|---|" + "---|" * len(names)
    for row in rows:
        yield f"| {row.clips} | {' | '.join(_cell(row, name) for name in names)} |"
    lengths = list(next(iter(memory.values())))
    if not lengths:
        return
    yield ""
    yield f"| MiB of a step | {' | '.join(f'{frames} frames' for frames in lengths)} |"
    yield "|---|" + "---|" * len(lengths)
    for name, found in memory.items():
        yield f"| {name} | {' | '.join(f'{found[frames]:.0f}' for frames in lengths)} |"


def _cell(row: Row, name: str) -> str:
    return "" if math.isnan(row.scores[name]) else cell(row, name, 2)
