# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Studies to report on: a full one with made-up numbers and phantoms, and the least there can be."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from downstream.questions import Question
from downstream.report import Example, ReportArm, ReportInput, Sample
from downstream.scores import Score
from monai_feat.data import open_clips
from monai_feat.transforms.functional import to_uint8

EVIL = '<script>alert("&")</script>'
ARMS = (
    ReportArm("real", "reference", "what all others are compared with"),
    ReportArm("real + synthetic x0.5", "synthetic", "one synthetic clip for two real ones", 0.5),
    ReportArm("real + synthetic x1", "synthetic", "the question, at one synthetic clip for each real one", 1.0),
    ReportArm("real + synthetic x2", "synthetic", "two for each", 2.0),
    ReportArm("synthetic only", "synthetic", f"no real clip {EVIL}", caveat="real patients chose its weights"),
    ReportArm("real + strong augmentation", "control", "what synthetic clips have to beat: it costs nothing"),
    ReportArm("real + copies", "control", "what a generator would give that only repeats its training clips"),
    ReportArm("real + extra real", "bound", "as many further real clips"),
    ReportArm("always empty", "baseline", "predicts nothing"),
    ReportArm("always centre", "baseline", "predicts a disc in the middle"),
)
QUESTION = Question("real + synthetic x1")
GAINS = {
    "real": 0.0, "real + synthetic x0.5": 0.04, "real + synthetic x1": 0.07, "real + synthetic x2": 0.08,
    "synthetic only": -0.12, "real + strong augmentation": 0.01, "real + copies": 0.0, "real + extra real": 0.1,
    "always empty": -9.0, "always centre": -0.4,
}  # fmt: skip


def draw(
    gains: dict[str, float],
    folds: int = 3,
    patients: int = 10,
    seeds: int = 2,
    fractions: tuple[float, ...] = (1.0,),
    noise: float = 0.015,
) -> list[Score]:
    """Scores by three metrics, of two clips of each patient."""
    rng = np.random.default_rng(0)
    ease = rng.normal(0.68, 0.08, size=(folds, patients, 2))
    scores = []
    for arm, gain in gains.items():
        for fraction in fractions:
            shift = gain * (1.5 - 0.5 * fraction) - 0.1 * (1 - fraction)
            for fold, seed, patient, clip in np.ndindex(folds, seeds, patients, 2):
                dice = float(np.clip(ease[fold, patient, clip] + shift + noise * rng.normal(), 0, 1))
                where = (arm, fraction, fold, seed, f"patient {fold}{patient}", f"{fold}{patient}{clip}.mp4")
                found = {"dice": dice, "hd95": 40 * (1 - dice), "lesion_recall": float(dice > 0.6)}
                scores += [Score(*where, metric, value) for metric, value in found.items()]
    return scores


def values_of(scores: list[Score], arm: str, metric: str = "dice", fraction: float = 1.0) -> npt.NDArray[np.float64]:
    """What `draw` gave one arm, ``(patients, seeds x clips)``, in the same order for all arms."""
    chosen = [s for s in scores if (s.arm, s.metric, s.fraction) == (arm, metric, fraction)]
    names = sorted({s.patient for s in chosen})
    return np.array([[s.value for s in chosen if s.patient == name] for name in names])


def small_study(**changes: Any) -> ReportInput:
    """Two arms, one of which gains."""
    scores = draw({"real": 0.0, "real + synthetic x1": 0.07})
    facts = {"title": "A study", "scores": scores, "arms": (ARMS[0], ARMS[2]), "questions": (QUESTION,)}
    return ReportInput(**{**facts, "smallest_effect": 0.02, **changes})


def full_study(folder: Path, kind: str = "endoscopy", size: int = 64) -> ReportInput:
    """Every part of a report, with names that try to break out of the page."""
    scores = draw(GAINS, fractions=(0.25, 1.0))
    clips = open_clips(f"phantom:{kind}", 4, num_frames=8, size=size, channels=3 if kind == "endoscopy" else 1)
    return ReportInput(
        title=f"Do synthetic {kind} clips help? {EVIL}",
        scores=scores,
        arms=ARMS,
        questions=(QUESTION, Question("synthetic only", "non-inferiority")),
        smallest_effect=0.02,
        examples=tuple(example(clips[i], scores[12 * i], size) for i in range(4)),
        samples=tuple(sample(clips[i], f"fold {i % 2}", f"clip_{i:06d}") for i in range(4)),
        evaluations={f"fold {fold}": evaluation(folder / f"fold {fold}", fold == 1) for fold in range(2)},
        minutes={**{arm.name: 11.5 for arm in ARMS[:7]}, "generator": 93.0},
        notes=("Job train.real-copies.100pct.fold2.seed1 failed twice and is left out.",),
        settings={"data": {"phantoms": {"kind": kind, "num_clips": 30}}, "seeds": [0, 1], EVIL: EVIL},
        command=f"monai-feat study study.yaml --out runs/{EVIL}",
        versions={"monai-feat": "0.1.0", "torch": "2.13.0"},
    )


def sample(item: Any, generator: str, clip: str) -> Sample:
    """A phantom with its own mask."""
    return Sample(generator, clip, to_uint8(item["image"]), item["label"])


def example(item: Any, score: Score, size: int) -> Example:
    """The true mask, and two that are shifted and partly missing."""
    truth = torch.zeros(1, 8, size, size, dtype=torch.uint8)
    truth[:, :, size // 4 : size // 2, size // 4 : size // 2] = 1
    worse, better = truth.roll((size // 8, size // 8), (2, 3)), truth.roll(size // 20, 3)
    worse[:, 5:] = 0
    predictions = {"real": worse, "real + synthetic x1": better}
    return Example(score.patient, score.clip, to_uint8(item["image"]), truth, predictions, seed=score.seed)


def evaluation(folder: Path, has_copies: bool) -> Path:
    """What `monai-feat evaluate` leaves, as far as a study reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    score = {
        "metric": "kernel_random_features", "title": "Kernel distance of random features",
        "unit": "", "reference": "held_out", "value": 0.0279,
        "interval": {"low": 0.021, "high": 0.036}, "floor": {"measured": 0.0004}, "meaningful": True,
    }  # fmt: skip
    hidden = {**score, "metric": "frechet", "title": "Fréchet distance", "meaningful": False}
    nearness = {**score, "metric": "authpct", "title": "AuthPct", "reference": "train"}
    again = {**score, "reference": "train"}
    copies = [{"pair": {"fake": f"{name}.png"}} for name in ("a", "b", "a")] if has_copies else []
    gate = {"passed": not has_copies, "copies": copies, "note": "" if has_copies else "12 held-out clips are few."}
    report = {"scores": [score, hidden, again, nearness], "gate": gate, "fingerprint": "3fa91c07", "warnings": []}
    (folder / "report.json").write_text(json.dumps(report))
    return folder / "report.json"


def parsed(markup: str) -> ElementTree.Element:
    """A section as a tree; HTML's short forms are written out first."""
    closed = re.sub(r"<((?:br|img)\b[^>]*)>", r"<\1/>", markup).replace(" hidden>", ' hidden="">')
    return ElementTree.fromstring(f"<div>{closed}</div>")


def words(part: ElementTree.Element) -> str:
    """All that is written in it."""
    return "".join(part.itertext())


def table_rows(root: ElementTree.Element, caption: str) -> dict[str, list[str]]:
    """Cells of the one table whose caption starts so, by the head of their row; small print after a stroke."""
    (table,) = [each for each in root.iter("table") if words(each[0]).startswith(caption)]
    rows = [[_cell(cell) for cell in row] for row in table.iter("tr")]
    return {head: cells for head, *cells in rows}


def _cell(cell: ElementTree.Element) -> str:
    small = cell.find("small")
    return (cell.text or "") + (f" | {small.text}" if small is not None else "")
