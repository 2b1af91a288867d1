# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Rates of membership inference, simulated: with weights that tell nothing, and with weights that tell so much."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Generator, Tensor

from .errors import RATIOS, ClipErrors
from .findings import Membership
from .inference import error_signals, infer_membership, membership_scores

__all__ = ["DESIGNS", "LEAKS", "Design", "Leak", "RateCount", "simulate"]

NOISE = 0.3  # of one error beside what all errors of a clip share
POPULATION = 10_000  # patients of each side who stand for a law
WITHIN = 0.5  # share of the variance that differs between clips of a patient


@dataclass(frozen=True)
class Design:
    """Patients, and clips of each; tails of the law of errors are those of Student's t, None for a Gaussian."""

    train: int
    held_out: int
    clips: int = 1
    freedom: int | None = None


@dataclass(frozen=True)
class Leak:
    """By how many standard deviations errors of a share of training patients are smaller."""

    shift: float = 0.0
    share: float = 1.0


DESIGNS: Mapping[str, Design] = {
    "64 against 128 patients": Design(64, 128),
    "20 against 20 patients, 4 clips each": Design(20, 20, 4),
    "40 against 120 patients, 2 clips each": Design(40, 120, 2),
    "64 against 128 patients, heavy tails (t₃)": Design(64, 128, 1, 3),
}
LEAKS: Mapping[str, Leak] = {
    "nothing": Leak(),
    "all patients by 1 standard deviation": Leak(1.0),
    "a tenth of the patients by 5": Leak(5.0, 0.1),
}


@dataclass(frozen=True)
class RateCount:
    """What came out of many simulated attacks.

    Attributes:
        told: share of attacks that said that the weights tell their patients.
        found: mean share of training patients at 1 % and 5 % false positives; NaN where that cannot be told.
        true: share in the population.
        covered: share of attacks whose interval held it.
    """

    told: float
    found: tuple[float, float]
    true: tuple[float, float]
    covered: tuple[float, float]


def simulate(design: Design, leak: Leak, replicates: int, seed: int = 0) -> RateCount:
    """Draw errors by one law, and attack them, so many times."""
    random = Generator().manual_seed(seed)
    found = [_attack(design, leak, random) for _ in range(replicates)]
    pairs = _of_population(design, leak)
    rates = [[rate for rate in each.rates if rate.unit == "patient"] for each in found]
    means, covered = [], []
    for place, true in enumerate(pairs):
        known = [each[place] for each in rates if each[place].value is not None]
        means.append(sum(rate.value or 0.0 for rate in known) / len(known) if known else float("nan"))
        hits = sum(rate.interval is not None and rate.interval[0] <= true <= rate.interval[1] for rate in known)
        covered.append(hits / len(known) if known else float("nan"))
    told = sum(each.tells for each in found) / replicates
    return RateCount(told, (means[0], means[1]), pairs, (covered[0], covered[1]))


def _attack(design: Design, leak: Leak, random: Generator) -> Membership:
    train = _errors(design, design.train, leak, random)
    held_out = _errors(design, design.held_out, Leak(), random)
    groups = [_patients(design, design.train, "train"), _patients(design, design.held_out, "held out")]
    return infer_membership(train, held_out, groups)


def _patients(design: Design, count: int, side: str) -> list[str]:
    return [f"{side} {i}" for i in range(count) for _ in range(design.clips)]


def _errors(design: Design, count: int, leak: Leak, random: Generator) -> ClipErrors:
    """Errors of the clips of so many patients, of whom the first are told; the autoencoder tells nothing."""
    is_told = torch.arange(count) < round(leak.share * count)
    shared = _shared(design, count, random) - leak.shift * is_told.double().repeat_interleave(design.clips)
    errors = shared + NOISE * torch.randn(len(RATIOS) + 1, len(shared), generator=random)
    errors[-1] = torch.randn(len(shared), generator=random)
    kinds = tuple(map(str, range(len(errors))))
    return ClipErrors(errors, kinds, torch.randn(3, len(shared), generator=random).double())


def _shared(design: Design, count: int, random: Generator) -> Tensor:
    """What all errors of a clip share, of variance 1 (3 for t₃), ``(N,)``."""
    own = torch.randn(count, generator=random).double()
    if design.freedom is not None:
        own = own / torch.randn(count, design.freedom, generator=random).double().square().mean(1).sqrt()
    within = WITHIN if design.clips > 1 else 0.0
    clips = torch.randn(count * design.clips, generator=random).double()
    return math.sqrt(1 - within) * own.repeat_interleave(design.clips) + math.sqrt(within) * clips


def _of_population(design: Design, leak: Leak) -> tuple[float, float]:
    """Shares of training patients beyond the limits where the law is known, by drawing many."""
    if not leak.shift:
        return 0.01, 0.05
    many = replace(design, train=POPULATION, held_out=POPULATION)
    random = Generator().manual_seed(1)
    train, held_out = (_errors(many, POPULATION, part, random) for part in (leak, Leak()))
    signals = error_signals(train, held_out, [*_patients(many, POPULATION, "a"), *_patients(many, POPULATION, "b")])
    scores = membership_scores(signals, torch.arange(signals.shape[1]) >= signals.shape[1] // 2)
    known, null = scores.reshape(2, POPULATION, many.clips).mean(2)
    limits = null.quantile(torch.tensor([0.99, 0.95], dtype=torch.float64))
    first, second = (known[:, None] > limits).double().mean(0).tolist()
    return first, second
