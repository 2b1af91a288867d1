# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from evaluation.privacy.errors import ClipErrors
from evaluation.privacy.inference import error_signals, infer_membership, true_positive_rate


def errors(count: int, seed: int, shift: float = 0.0) -> ClipErrors:
    random = torch.Generator().manual_seed(seed)
    shared = torch.randn(count, generator=random).double() - shift
    found = shared + 0.2 * torch.randn(4, count, generator=random)
    return ClipErrors(
        found, ("low", "middle", "high", "reconstruction"), torch.randn(3, count, generator=random).double()
    )


def patients(side: str, count: int) -> list[str]:
    return [f"{side} {i}" for i in range(count)]


def test_conformal_p_values_by_counting() -> None:
    null, known = torch.randn(2, 60, generator=torch.Generator().manual_seed(0)).double()
    p_values = [(sum(float(n) >= float(k) for n in null) + 1) / 61 for k in known]
    found = true_positive_rate("clip", known, null, [patients("a", 60), patients("b", 60)], 0.05)
    assert found.value == sum(p <= 0.05 for p in p_values) / 60
    assert found.interval is not None
    assert found.interval[0] <= found.value <= found.interval[1]


def test_clips_of_a_patient_count_as_one() -> None:
    null, known = torch.randn(2, 40, generator=torch.Generator().manual_seed(1)).double()
    once = true_positive_rate("clip", known, null, [patients("a", 40), patients("b", 40)], 0.05)
    thrice = [[*side, *side, *side] for side in (patients("a", 40), patients("b", 40))]
    again = true_positive_rate("clip", known.repeat(3), null.repeat(3), thrice, 0.05)
    assert again.value == once.value
    assert again.interval == pytest.approx(once.interval)


def test_rates_that_need_more_patients_are_not_told() -> None:
    null, known = torch.randn(2, 20, generator=torch.Generator().manual_seed(1)).double()
    groups = [patients("a", 20), patients("b", 20)]
    assert true_positive_rate("patient", known, null, groups, 0.01).value is None
    assert true_positive_rate("patient", known, null, groups, 0.05).value is not None


def test_smaller_errors_are_told_and_larger_ones_are_not() -> None:
    groups = [patients("a", 40), patients("b", 60)]
    found = infer_membership(errors(40, 0, shift=4), errors(60, 1), groups)
    assert found.tells
    assert found.by_error["low"] > 0.95
    assert not infer_membership(errors(40, 0, shift=-4), errors(60, 1), groups).tells
    assert not infer_membership(errors(40, 0), errors(60, 1), groups).tells


def test_a_hard_clip_is_not_taken_for_an_unknown_one() -> None:
    # Errors that the difficulty of clips explains leave nothing to tell.
    train, held_out = errors(40, 0), errors(60, 1)
    train, held_out = (replace(side, errors=2 * side.difficulty[:1] + 0 * side.errors) for side in (train, held_out))
    signals = error_signals(train, held_out, patients("a", 100))
    assert signals.abs().max() < 1e-5


def test_a_different_scale_of_errors_changes_nothing() -> None:
    groups = [patients("a", 30), patients("b", 30)]
    sides = errors(30, 0, shift=1), errors(30, 1)
    scaled = [replace(side, errors=3 * side.errors + 7) for side in sides]
    once, again = infer_membership(*sides, groups), infer_membership(scaled[0], scaled[1], groups)
    assert once.p_value == pytest.approx(again.p_value)
    assert once.by_error == pytest.approx(again.by_error)


def test_what_cannot_be_attacked_is_refused() -> None:
    train, held_out = errors(3, 0), errors(3, 1)
    with pytest.raises(ValueError, match="patient a 1 is both in training and held out"):
        infer_membership(train, held_out, [patients("a", 3), ["b", "a 1", "c"]])
    with pytest.raises(ValueError, match="expected the patient of each of 3 held-out clips, got 2"):
        infer_membership(train, held_out, [patients("a", 3), patients("b", 2)])
    broken = replace(train, errors=train.errors * float("nan"))
    with pytest.raises(ValueError, match="errors of training clips are not finite"):
        infer_membership(broken, held_out, [patients("a", 3), patients("b", 3)])
