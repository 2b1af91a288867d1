# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Evaluations to draw: a full one of phantoms with made-up numbers, and the least there can be."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from evaluation.results import (
    Copy,
    Curve,
    Distribution,
    Evaluation,
    Floor,
    GateResult,
    Interval,
    NearestPair,
    Score,
)
from monai_feat.data import open_clips
from monai_feat.transforms.functional import to_uint8

EVIL = '<script>alert("&")</script>'
CORRUPTIONS = ("blur", "noise", "flicker", "shuffle", "freeze", "speed", "collapse", "contrast", "compression")


@cache
def phantoms(kind: str, count: int, size: int = 64, num_frames: int = 8, seed: int = 0) -> tuple[Tensor, ...]:
    channels = {"ultrasound": 1, "endoscopy": 3}[kind]
    clips = open_clips(f"phantom:{kind}", count, num_frames=num_frames, size=size, channels=channels, seed=seed)
    return tuple(to_uint8(clips[index]["image"]) for index in range(count))


def empty_evaluation() -> Evaluation:
    """What there is before anything was scored."""
    return Evaluation("Nothing yet", {}, "", {}, (), ())


def score(value: float = 3.0, **changes: object) -> Score:
    """A distance of 3.0 (2.5 to 3.6) over a floor of 1.0 (0.8 to 1.3)."""
    interval = Interval(0.83 * value, 1.2 * value, 0.95, "jackknife over patients", 0.941)
    floor = Floor(1.0, Interval(0.8, 1.3, 0.9, "quantiles over 20 splits"), 0.95)
    facts = {"interval": interval, "floor": floor, "num_real": 210, "num_fake": 128, "fingerprint": "3fa91c07"}
    return Score(**{"metric": "m", "title": "Distance", "reference": "train", "value": value, **facts, **changes})  # type: ignore[arg-type]


def full_evaluation(kind: str = "ultrasound", count: int = 3, size: int = 64) -> Evaluation:
    """Every part of a report, with names that try to break out of the page, and values that are not finite."""
    train, held_out, fake = (phantoms(kind, count, size, seed=seed) for seed in (1, 2, 3))
    return Evaluation(
        title=f"Synthetic {kind} clips against phantoms",
        protocol={
            "preset": "strict",
            "clips": {"frames": 16, "stride": 1, "frame rate": 12.5, "size": [64, 64], "channels": 1},
            "features": {"random": {"seeds": [0, 1, 2, 3], "sha256": "9f2c" * 16}, "descriptors": "90 numbers"},
            "resampler": "antialiased bilinear, rounded to 8 bits",
            EVIL: EVIL,
        },
        fingerprint="3fa91c07",
        sources={
            "train": {
                "path": "lung/train",
                "clips": 210,
                "groups": 61,
                "codec": "h264",
                "frame rate": 12.5,
                "size": "640 × 480",
            },
            "held_out": {
                "path": "lung/test",
                "clips": 62,
                "groups": 12,
                "codec": "h264",
                "frame rate": 12.5,
                "size": "640 × 480",
            },
            "fake": {"path": f"runs/{EVIL}", "clips": 128, "codec": "png", "frame rate": 12.5, "size": "64 × 64"},
        },
        warnings=("The synthetic clips are PNG and the real ones H.264: a codec on one side alone moves distances.",),
        scores=_scores(),
        distributions=_distributions(),
        curves=_curves(),
        gate=_gate(train, fake),
        clips={"train": train, "held_out": held_out, "fake": fake},
        frame_rate=12.5,
        command=f"monai-feat evaluate lung/train runs/{EVIL} --held-out lung/test --gate",
        seconds=194.2,
        versions={"monai-feat": "0.1.0", "torch": "2.13.0", "Python": "3.12.1"},
    )


def _scores() -> tuple[Score, ...]:
    kernel = {"metric": "kernel_random", "title": "Kernel distance of random features", "num_features": 384}
    kernel_floor = Floor(0.0004, Interval(-0.003, 0.004, 0.9, "quantiles over 20 splits by patient"), 0.0)
    frechet = {"metric": "frechet_random", "title": "Fréchet distance of random features", "num_features": 384}
    descriptors = {"metric": "frechet_descriptors", "title": "Fréchet distance of descriptors", "num_features": 90}
    low_n = "N = 128 is under 1.3 D = 499; read the kernel distance instead."
    interval = Interval(0.021, 0.036, 0.95, "jackknife over patients", 0.941)
    recall = {"metric": "recall", "title": "Recall", "higher_is_better": True, "num_features": 384}
    return (
        score(0.0279, **kernel, reference="held_out", interval=interval, floor=kernel_floor, lead=True),
        score(0.0243, **kernel, interval=Interval(0.018, 0.031, 0.95, "jackknife over patients", 0.941),
              floor=kernel_floor),
        score(31.4, **frechet, interval=None, meaningful=False, note=low_n,
              floor=Floor(18.2, Interval(16.9, 19.4, 0.9, "quantiles over 20 splits by patient"), 17.5)),
        score(1840.0, **descriptors, interval=Interval(1600, 2140, 0.95, "jackknife over patients", 0.941),
              floor=Floor(24.1, Interval(20.2, 29.9, 0.9, "quantiles over 20 splits by patient"), 22.8)),
        score(0.61, **recall, interval=None, floor=Floor(0.88, Interval(0.84, 0.92, 0.9, "quantiles"), None)),
        score(float("nan"), metric="inception", title=f"Inception score {EVIL}", interval=None, floor=None,
              higher_is_better=True, meaningful=False, note="Undefined under 45 001 frames."),
        score(1.83, metric="motion", title="Motion magnitude", unit="px/frame", floor=None, higher_is_better=None),
    )  # fmt: skip


def _distributions() -> tuple[Distribution, ...]:
    rng = np.random.default_rng(0)

    def draw(mean: float, spread: float, count: int) -> tuple[float, ...]:
        return tuple(rng.normal(mean, spread, count).tolist())

    facts = {
        "motion": ("Motion magnitude", "pixels per frame", 1.4, 0.3, 1.9),
        "flicker": ("Flicker", "grey levels", 2.2, 0.5, 2.3),
        "speckle_snr": ("Speckle signal-to-noise ratio", "", 1.91, 0.1, 1.55),
        "nakagami": ("Nakagami m", "", 0.9, 0.12, 0.8),
    }
    return tuple(
        Distribution(name, title, unit, draw(mean, spread, 210), (*draw(fake, spread, 128), float("nan")),
                     draw(mean, spread, 62))
        for name, (title, unit, mean, spread, fake) in facts.items()
    )  # fmt: skip


def _curves() -> tuple[Curve, ...]:
    rng = np.random.default_rng(1)
    found = []
    for metric, scale in (("frechet_random", 18.0), ("frechet_descriptors", 24.0)):
        for place, corruption in enumerate(CORRUPTIONS):
            rises = np.sort(rng.uniform(1.2, 4 + 6 * place, 4))
            is_blind = metric == "frechet_random" and corruption == "speed"
            values = scale * (rises[[0, 2, 1, 3]] if is_blind else rises)
            found.append(Curve(metric, corruption, (0, 1, 2, 3, 4), (scale, *values.tolist()), not is_blind))
    return tuple(found)


def _gate(train: tuple[Tensor, ...], fake: tuple[Tensor, ...]) -> GateResult:
    """The first synthetic clip repeats the first training clip from its third frame, mirrored, with noise."""
    repeated = train[0][:, 2:].flip(-1)
    tail = fake[0][:, :2]
    noise = torch.randint(-6, 7, train[0].shape, generator=torch.Generator().manual_seed(0))
    copied = (torch.cat([repeated, tail], dim=1).int() + noise).clamp(0, 255).to(torch.uint8)
    copy = NearestPair(EVIL, "patient 17/a.mp4", "pixels", 0.021, 0.016, 2, True, copied, train[0])
    near = tuple(
        NearestPair(f"sample {i}.png", f"patient {i}/b.mp4", "pixels", 0.2 + i / 50, 0.3, 0, False, fake[i], train[i])
        for i in range(1, min(len(train), len(fake)))
    )
    counts = {"num_fake": 128, "num_train": 210, "num_held_out": 62, "num_held_out_groups": 20}
    thresholds = {"pixels": 0.083, "frames": 0.044}
    return GateResult(
        False, (Copy(copy, 0.083),), (copy, *near), thresholds, 0.05, 0.047, simulated_gate_rate=0.03, **counts
    )
