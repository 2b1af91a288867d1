# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Train on a condition, ask for what held-out clips are, and compare what comes with what was asked."""

from __future__ import annotations

import json
import shutil
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from monai.bundle import ConfigParser
from torch import Tensor

from bundles.demo import Demo
from bundles.faithfulness.questions import Question, held_out_clips
from bundles.labelled_demo import segment, train_segmenter
from monai_feat.checkpoints import load_weights
from monai_feat.data import load_clip
from monai_feat.transforms.functional import to_uint8, to_unit_range
from monai_feat.visualize import save_contact_sheet

__all__ = ["Budget", "Row", "describe", "run_study"]

Scores = dict[str, float]


@dataclass(frozen=True)
class Budget:
    """How much is done.

    Attributes:
        seconds: training of FEAT, for each seed.
        segmenter_seconds: training of the segmenter.
        num_training_clips: clips that FEAT is trained on.
        num_clips: held-out clips, and sampled ones that are asked to be like them.
        num_sampling_steps: steps of the sampler.
        guidance_scales: scales to sample with.
        seeds: a training and its samples for each.
        batch_size: clips of a training step.
        size: rows and columns of a frame, in pixels.
        num_frames: frames of a clip.
    """

    seconds: float = 600
    segmenter_seconds: float = 60
    num_training_clips: int = 600
    num_clips: int = 48
    num_sampling_steps: int = 50
    guidance_scales: tuple[float, ...] = (1.0, 2.0, 4.0)
    seeds: tuple[int, ...] = (0,)
    batch_size: int = 8
    size: int = 64
    num_frames: int = 16


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        clips: which.
        scores: mean over the seeds, by name.
        spread: standard deviation over the seeds; empty where there is one.
    """

    clips: str
    scores: Scores
    spread: Scores


def run_study(question: Question, out: Path, budget: Budget, from_scratch: bool = False) -> list[Row]:
    """Do everything, and write ``report.json``, ``report.md`` and a contact sheet for each seed.

    Args:
        question: what to ask.
        out: where results go; what an earlier run left there goes, but for the cached latents.
        budget: how much to do.
        from_scratch: whether FEAT starts without the shipped weights.
    """
    started = time.monotonic()
    demo = Demo(question.modality, f"phantom:{question.modality}", out, from_scratch)
    for folder in (*out.glob("seed_*"), out / "prompts"):
        shutil.rmtree(folder, ignore_errors=True)
    items = held_out_clips(question, budget.num_clips, budget.size, budget.num_frames)
    pixels, truth = torch.stack([item["pixels"] for item in items]), question.truth(items)
    segmenter = train_segmenter(question.modality, budget.size, budget.segmenter_seconds)

    def read(images: Tensor) -> Tensor:
        return question.measure(segment(segmenter, to_unit_range(images)), images)

    real = {"real": pixels, "real, through the autoencoder": reconstruct(demo, pixels)}
    found = {clips: [question.compare(truth, read(images))] for clips, images in real.items()}
    prompts = question.prompts(truth, out / "prompts")
    for seed in budget.seeds:
        network = train(demo, question, budget, seed)
        for scale in budget.guidance_scales:
            images = sample(demo, budget, network, prompts, scale, seed)
            measured = read(images)
            rows = {"as asked": question.compare(truth, measured), "by chance": by_chance(question, truth, measured)}
            for name, scores in rows.items():
                found.setdefault(f"guidance {scale:g}, {name}", []).append(scores)
        _draw(question, pixels, truth, images, out / f"seed_{seed}" / "contact_sheet.png")
    table = [Row(clips, *_over_seeds(scores)) for clips, scores in found.items()]
    _write_report(question, table, budget, out, time.monotonic() - started)
    return table


def by_chance(question: Question, asked: Tensor, measured: Tensor) -> Scores:
    """Score answers by what each of the other clips was asked, on average: what a network gets that heeds nothing."""
    shifted = [question.compare(asked.roll(shift, 0), measured) for shift in range(1, len(asked))]
    return _over_seeds(shifted)[0]


def train(demo: Demo, question: Question, budget: Budget, seed: int) -> Path:
    """Train FEAT on the condition, from the shipped weights unless told otherwise; return the path of its weights."""
    folder = demo.output / f"seed_{seed}"
    demo.run(
        "train",
        dataset_dir=demo.source,
        output_dir=str(folder / "train"),
        cache_dir=str(demo.output / "latents"),
        conditions=[question.condition],
        num_clips=budget.num_training_clips,
        frame_size=budget.size,
        num_frames=budget.num_frames,
        batch_size=budget.batch_size,
        max_epochs=1000,
        max_seconds=budget.seconds,
        val_interval=1000,
        seed=seed,
        network_weights=demo.start_weights("feat"),
    )
    return folder / "train" / "feat.safetensors"


def sample(
    demo: Demo, budget: Budget, network: Path, prompts: dict[str, list[float] | list[str]], scale: float, seed: int
) -> Tensor:
    """Sample a clip for each prompt, uint8 ``(N, C, T, H, W)``."""
    folder = network.parents[1] / f"guidance_{scale:g}"
    demo.run(
        "inference",
        dataset_dir=demo.source,
        output_dir=str(folder),
        output_format="nifti",
        num_clips=budget.num_clips,
        batch_size=12,
        frame_size=budget.size,
        num_frames=budget.num_frames,
        num_sampling_steps=budget.num_sampling_steps,
        prompts=prompts,
        guidance_scale=scale,
        seed=seed,
        network_weights=str(network),
    )
    return torch.stack([load_clip(path).as_tensor() for path in sorted(folder.glob("clip_*.nii.gz"))])


@torch.no_grad()
def reconstruct(demo: Demo, pixels: Tensor) -> Tensor:
    """Pass clips, uint8 ``(N, C, T, H, W)``, through the shipped autoencoder: the most that sampled ones can be."""
    config = ConfigParser()
    config.read_config(str(demo.bundle / "configs" / "inference.json"))
    autoencoder = load_weights(config.get_parsed_content("autoencoder_def"), demo.weights("autoencoder")).eval()
    decoded = [autoencoder.decode(autoencoder.encode(to_unit_range(clip)[None]))[0] for clip in pixels]
    return to_uint8(torch.stack(decoded))


def _over_seeds(scores: Sequence[Scores]) -> tuple[Scores, Scores]:
    """Return mean and standard deviation; none of the latter for a single one."""
    values = {name: [each[name] for each in scores] for name in scores[0]}
    means = {name: statistics.fmean(numbers) for name, numbers in values.items()}
    return means, {name: statistics.stdev(numbers) for name, numbers in values.items()} if len(scores) > 1 else {}


def _draw(question: Question, pixels: Tensor, truth: Tensor, images: Tensor, path: Path) -> None:
    """Draw the clips at the ends and the middle of what was asked, under the real ones."""
    order = torch.arange(len(truth)) if question.files else truth.argsort()
    shown = order[torch.linspace(0, len(order) - 1, min(4, len(order))).long()]
    save_contact_sheet({"held out": pixels[shown], "sampled": images[shown]}, path)


def _write_report(question: Question, rows: Sequence[Row], budget: Budget, out: Path, seconds: float) -> None:
    report = {
        "condition": question.condition,
        "modality": question.modality,
        "budget": asdict(budget),
        "seconds": round(seconds),
        "rows": [asdict(row) for row in rows],
    }
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    (out / "report.md").write_text("\n".join(describe(rows)) + "\n", encoding="utf-8")


def describe(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    names = list(rows[0].scores)
    yield f"| clips | {' | '.join(names)} |"
    yield "|---|" + "---|" * len(names)
    for row in rows:
        cells = (
            f"{row.scores[name]:.3f}" + (f" ± {row.spread[name]:.3f}" if name in row.spread else "") for name in names
        )
        yield f"| {row.clips} | {' | '.join(cells)} |"
