# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Train on conditions, ask for what held-out clips are, and compare what comes with what was asked."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from experiments.faithfulness.questions import Question, held_out_clips
from experiments.labelled_demo import segment, train_segmenter
from experiments.seed_table import Row, Scores, cell, over_seeds
from monai_feat.apps.recipe import Recipe, epochs_for
from monai_feat.data import load_clip
from monai_feat.files import file_sha256, write_json, write_text
from monai_feat.networks.nets import FrameAutoencoder
from monai_feat.transforms.functional import to_uint8, to_unit_range
from monai_feat.visualize import save_contact_sheet

__all__ = ["Budget", "describe", "run_study"]

# So that one condition alone is not a rare sight where there are several.
DROPPED_OF_SEVERAL = 0.5


@dataclass(frozen=True)
class Budget:
    """How much is done.

    Attributes:
        training_steps: steps of FEAT's training, for each seed; whole epochs, so at least so many.
        segmenter_steps: steps of the segmenter's training.
        num_training_clips: clips that FEAT is trained on.
        num_clips: held-out clips, and sampled ones that are asked to be like them.
        num_sampling_steps: steps of the sampler.
        guidance_scales: scales to sample with.
        seeds: a training and its samples for each.
        batch_size: clips of a training step.
        size: rows and columns of a frame, in pixels.
        num_frames: frames of a clip.
    """

    training_steps: int = 1250
    segmenter_steps: int = 300
    num_training_clips: int = 1000
    num_clips: int = 48
    num_sampling_steps: int = 10
    guidance_scales: tuple[float, ...] = (1.0, 2.0, 4.0)
    seeds: tuple[int, ...] = (0,)
    batch_size: int = 8
    size: int = 64
    num_frames: int = 16


def run_study(
    questions: Mapping[str, Question],
    out: Path,
    budget: Budget,
    from_scratch: bool = False,
    trained: Path | None = None,
) -> dict[str, list[Row]]:
    """Do everything, and write ``report.json``, ``report.md`` and contact sheets for each seed.

    One network for each seed is trained on all conditions together; each is then asked for alone. Networks and clips
    that are there already, by the same settings, are kept; a training that was stopped starts again.

    Args:
        questions: what to ask, by name; of one modality.
        out: where results go; what was made there by other settings goes, but for the cached latents.
        budget: how much to do.
        from_scratch: whether FEAT starts without the shipped weights.
        trained: weights to ask, instead of training a network for each seed.

    Returns:
        A table for each question.

    Raises:
        ValueError: the questions are of different modalities.
    """
    modalities = sorted({question.modality for question in questions.values()})
    if len(modalities) != 1:
        raise ValueError(f"expected questions of one modality, got {', '.join(questions)}: {' and '.join(modalities)}")
    started = time.monotonic()
    recipe = Recipe(modalities[0], f"phantom:{modalities[0]}", out, from_scratch)
    conditions = [question.condition for question in questions.values()]
    _claim(
        out,
        {"conditions": conditions, "from_scratch": from_scratch, "trained": trained and file_sha256(trained)},
        budget,
    )
    segmenter = train_segmenter(recipe.modality, budget.size, budget.segmenter_steps)
    exams = [Exam.prepare(name, question, recipe, segmenter, budget) for name, question in questions.items()]
    for seed in budget.seeds:
        network = trained or train(recipe, conditions, budget, seed)
        for exam in exams:
            for scale in budget.guidance_scales:
                exam.judge(sample(recipe, budget, network, exam.prompts, scale, seed), scale)
            exam.draw(out / f"seed_{seed}" / f"{exam.name}.png")
    tables = {exam.name: exam.table() for exam in exams}
    _write_report(questions, tables, budget, out, time.monotonic() - started)
    return tables


def _claim(out: Path, training: dict[str, Any], budget: Budget) -> None:
    """Clear what was made by other settings; further seeds and guidance scales are none."""
    kept = {key: value for key, value in asdict(budget).items() if key not in ("seeds", "guidance_scales")}
    settings = json.dumps({**training, **kept}, indent=1) + "\n"
    file = out / "settings.json"
    if file.is_file() and file.read_text(encoding="utf-8") == settings:
        return
    for folder in (*out.glob("seed_*"), out / "prompts"):
        shutil.rmtree(folder, ignore_errors=True)
    out.mkdir(parents=True, exist_ok=True)
    write_text(file, settings)


@dataclass
class Exam:
    """One question, put to real clips and to those of every network.

    Attributes:
        name: of the question.
        question: what is asked.
        segmenter: reads the answers off images.
        pixels: held-out clips, uint8 ``(N, C, T, H, W)``.
        truth: what they are, and clips are asked to be.
        prompts: the same for a bundle.
        found: scores by row, one for each seed.
        latest: the clips that were judged last.
    """

    name: str
    question: Question
    segmenter: nn.Module
    pixels: Tensor
    truth: Tensor
    prompts: dict[str, list[float] | list[str]]
    found: dict[str, list[Scores]] = field(default_factory=dict)
    latest: Tensor = field(default_factory=lambda: torch.empty(0))

    @classmethod
    def prepare(cls, name: str, question: Question, recipe: Recipe, segmenter: nn.Module, budget: Budget) -> Exam:
        """Render held-out clips, and see how well the answers are read off these."""
        items = held_out_clips(question, budget.num_clips, budget.size, budget.num_frames)
        pixels, truth = torch.stack([item["pixels"] for item in items]), question.truth(items)
        exam = cls(name, question, segmenter, pixels, truth, question.prompts(truth, recipe.output / "prompts" / name))
        for row, images in {"real": pixels, "real, through the autoencoder": reconstruct(recipe, pixels)}.items():
            exam.found[row] = [question.compare(truth, exam.read(images))]
        return exam

    def read(self, images: Tensor) -> Tensor:
        """Read the answers off clips, uint8 ``(N, C, T, H, W)``."""
        return self.question.measure(segment(self.segmenter, to_unit_range(images)), images)

    def judge(self, images: Tensor, scale: float) -> None:
        """Score clips that were sampled with a guidance scale."""
        measured = self.read(images)
        asked = self.question.compare(self.truth, measured)
        for row, scores in {"as asked": asked, "by chance": by_chance(self.question, self.truth, measured)}.items():
            self.found.setdefault(f"guidance {scale:g}, {row}", []).append(scores)
        self.latest = images

    def table(self) -> list[Row]:
        """Return mean and spread over the seeds."""
        return [Row(row, *over_seeds(scores)) for row, scores in self.found.items()]

    def draw(self, path: Path) -> None:
        """Draw the clips at the ends and the middle of what was asked, under the real ones."""
        order = torch.arange(len(self.truth)) if self.question.files else self.truth.argsort()
        shown = order[torch.linspace(0, len(order) - 1, min(4, len(order))).long()]
        save_contact_sheet({"held out": self.pixels[shown], "sampled": self.latest[shown]}, path)


def by_chance(question: Question, asked: Tensor, measured: Tensor) -> Scores:
    """Score answers by what each of the other clips was asked, on average: what a network gets that heeds nothing."""
    shifted = [question.compare(asked.roll(shift, 0), measured) for shift in range(1, len(asked))]
    return over_seeds(shifted)[0]


def train(recipe: Recipe, conditions: Sequence[dict[str, Any]], budget: Budget, seed: int) -> Path:
    """Train FEAT on conditions, from the shipped weights unless told otherwise; return the path of its weights."""
    folder = recipe.output / f"seed_{seed}" / "train"
    if (weights := folder / "feat.safetensors").is_file():
        return weights
    shutil.rmtree(folder, ignore_errors=True)
    recipe.run(
        "train",
        dataset_dir=recipe.source,
        output_dir=str(folder),
        cache_dir=str(recipe.output / "latents"),
        conditions=list(conditions),
        drop_probability=DROPPED_OF_SEVERAL if len(conditions) > 1 else None,
        num_clips=budget.num_training_clips,
        frame_size=budget.size,
        num_frames=budget.num_frames,
        batch_size=budget.batch_size,
        max_epochs=epochs_for(budget.training_steps, budget.num_training_clips, budget.batch_size),
        val_interval=1000,
        seed=seed,
        network_weights=recipe.start_weights("feat"),
    )
    return weights


def sample(
    recipe: Recipe, budget: Budget, network: Path, prompts: dict[str, list[float] | list[str]], scale: float, seed: int
) -> Tensor:
    """Sample a clip for each prompt, uint8 ``(N, C, T, H, W)``."""
    folder = recipe.output / f"seed_{seed}" / f"{'_'.join(prompts)}_guidance_{scale:g}"
    recipe.run(
        "inference",
        dataset_dir=recipe.source,
        output_dir=str(folder),
        output_format="nifti",
        num_clips=budget.num_clips,
        batch_size=12,
        frame_size=budget.size,
        num_frames=budget.num_frames,
        num_sampling_steps=budget.num_sampling_steps,
        prompts=prompts,
        guidance_scale=scale,
        keep_first_frames=False,  # the network is asked, not helped
        seed=seed,
        network_weights=str(network),
    )
    return torch.stack([load_clip(folder / f"clip_{i:06d}.nii.gz").as_tensor() for i in range(budget.num_clips)])


@torch.no_grad()
def reconstruct(recipe: Recipe, pixels: Tensor) -> Tensor:
    """Pass clips, uint8 ``(N, C, T, H, W)``, through the shipped autoencoder: the most that sampled ones can be."""
    autoencoder = FrameAutoencoder.from_pretrained(recipe.weights("autoencoder"))
    decoded = [autoencoder.decode(autoencoder.encode(to_unit_range(clip)[None]))[0] for clip in pixels]
    return to_uint8(torch.stack(decoded))


def _write_report(
    questions: Mapping[str, Question], tables: Mapping[str, Sequence[Row]], budget: Budget, out: Path, seconds: float
) -> None:
    report = {
        "conditions": [question.condition for question in questions.values()],
        "budget": asdict(budget),
        "seconds": round(seconds),
        "tables": {name: [asdict(row) for row in rows] for name, rows in tables.items()},
    }
    write_json(out / "report.json", report)
    write_text(out / "report.md", "\n".join(describe(tables)) + "\n")


def describe(tables: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    """Yield the lines of a Markdown table for each question."""
    for name, rows in tables.items():
        scores = list(rows[0].scores)
        yield from ("", f"| {name} | {' | '.join(scores)} |", "|---|" + "---|" * len(scores))
        for row in rows:
            yield f"| {row.clips} | {' | '.join(cell(row, score, 3) for score in scores)} |"
