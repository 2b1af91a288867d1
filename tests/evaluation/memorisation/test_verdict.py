# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from torch import Tensor

from evaluation.memorisation.verdict import Verdict, judge, replay


def names(count: int) -> list[str]:
    return [str(i) for i in range(count)]


def judged(z: Tensor, z_held_out: Tensor, groups: list[str] | None = None) -> Verdict:
    return judge(z, z_held_out, groups or names(z.shape[1]), names(z_held_out.shape[1]), 0.05)


def drawn(count: int, spaces: int = 3) -> Tensor:
    """Fisher's z of unrelated clips: spaces that agree in part."""
    return 0.4 + 0.08 * (torch.randn(1, count) + torch.randn(spaces, count)).double()


def test_clean_clips_are_near_and_refused_at_the_stated_rates() -> None:
    verdicts = [judged(drawn(50), drawn(60)) for _ in range(200)]
    near = sum(float(verdict.near.double().mean()) for verdict in verdicts) / len(verdicts)
    assert 0.03 < near < 0.065
    assert sum(not verdict.passed for verdict in verdicts) <= 16  # 10 expected at most


def test_one_copy_is_named_alone() -> None:
    z = drawn(50)
    z[1, 7] = 2.0
    verdict = judged(z, drawn(60))
    assert not verdict.passed
    assert verdict.copies.nonzero().tolist() == [[7]]


def test_many_clips_that_are_near_are_refused_together() -> None:
    held_out = drawn(60)
    verdict = judged(drawn(50) + 0.22, held_out)
    assert verdict.too_many_near
    assert not verdict.passed
    assert torch.equal(verdict.copies, verdict.near)


def test_plain_copies_do_not_count_as_too_many_near() -> None:
    z = drawn(50)
    z[:, :25] = 3.0
    verdict = judged(z, drawn(60))
    assert int(verdict.copies.sum()) == 25
    assert not verdict.too_many_near


def test_clips_of_one_recording_count_as_one() -> None:
    held_out, z = drawn(60), drawn(50) - 1.0
    limit = float(judged(z, held_out).null.near_limit(0.05))
    null = judged(z, held_out).null
    z[:, :20] = null.centres + (limit + 0.1) * null.scales
    assert judged(z, held_out).too_many_near
    assert not judged(z, held_out, ["one recording"] * 20 + names(30)).too_many_near


def test_a_held_out_clip_that_is_a_training_clip_is_a_leak() -> None:
    held_out = drawn(60)
    held_out[:, 5] = 3.0
    verdict = judged(drawn(50) - 0.3, held_out)
    assert verdict.leaks.nonzero().tolist() == [[5]]
    assert not verdict.passed
    assert not verdict.copies.any()


@pytest.mark.parametrize("patients", [1, 2, 18])
def test_too_few_patients_fail_closed(patients: int) -> None:
    verdict = judged(drawn(10) - 0.5, drawn(patients))
    assert not verdict.calibrated
    assert not verdict.passed


def test_replay_gives_the_stated_rates() -> None:
    rates = replay(drawn(200), names(200), 0.05)
    assert rates is not None
    assert 0.03 < rates[0] < 0.07
    assert rates[1] < 0.08


def test_replay_needs_enough_patients_to_judge_by() -> None:
    assert replay(drawn(22), names(22), 0.05) is None
    assert replay(drawn(60), names(20) * 3, 0.05) is None
