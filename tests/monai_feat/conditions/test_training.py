# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from monai_feat.conditions import (
    ClassCondition,
    FirstFramesCondition,
    MaskCondition,
    ScalarCondition,
    drop_conditions,
    training_context,
)
from monai_feat.inferers import ClipNoise
from monai_feat.transforms.labels import UNKNOWN_LABEL

CONDITIONS = [
    ClassCondition("view", 3),
    ScalarCondition("fraction", 0.2, 0.8),
    FirstFramesCondition(max_frames=2),
    MaskCondition(),
]


def draws(clips: int) -> ClipNoise:
    return ClipNoise(3, range(clips), (1,))


def batch() -> dict[str, Tensor]:
    masks = torch.randint(0, 2, (2, 1, 3, 8, 8), dtype=torch.uint8)
    masks[0, 0, 0, 0, 0] = UNKNOWN_LABEL
    return {"view": torch.tensor([2, -1]), "fraction": torch.tensor([0.3, 0.8]).double(), "label": masks}


def test_values_come_from_the_batch_and_the_latents() -> None:
    given, latents = batch(), torch.randn(2, 4, 3, 4, 4)
    context = training_context(CONDITIONS, given, latents, draws(2))
    assert list(context) == ["view", "fraction", "first_frames", "label"]
    assert context["view"].tolist() == [2, -1]
    torch.testing.assert_close(context["fraction"], torch.tensor([0.3, 0.8]))
    assert torch.equal(context["first_frames"][:, :, 0], latents[:, :, 0])
    assert torch.equal(context["label"] == -1, given["label"] == UNKNOWN_LABEL)
    assert torch.equal(context["label"].clamp(min=0), given["label"] % UNKNOWN_LABEL)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fraction": torch.tensor([0.3, 0.9])}, "fraction: 0.9 was asked for; it takes a number from 0.2 to 0.8"),
        ({"view": torch.tensor([[1], [2]])}, "view: got values"),
        ({"label": torch.zeros(2, 1, 2, 8, 8)}, "label: got masks"),
    ],
)
def test_bad_values_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        training_context(CONDITIONS, {**batch(), **change}, torch.randn(2, 4, 3, 4, 4), draws(2))


def test_a_missing_value_is_named() -> None:
    with pytest.raises(ValueError, match=r"needs the values of view \(a class from 0 to 2\); this one has \['image'\]"):
        training_context(CONDITIONS, {"image": torch.zeros(1)}, torch.randn(1, 4, 3, 4, 4), draws(1))


def test_one_condition_is_dropped_as_often_as_asked() -> None:
    fractions = torch.linspace(0.2, 0.8, 4000)
    found = drop_conditions({"fraction": fractions}, 0.25, draws(4000))["fraction"]
    dropped = found == -1
    assert dropped.float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert torch.equal(found[~dropped], fractions[~dropped])


def test_several_are_dropped_one_by_one_and_all_together() -> None:
    context = {"view": torch.zeros(8000), "frames": torch.zeros(8000, 2, 1, 1, 1)}
    found = drop_conditions(context, 0.2, draws(8000))
    view, frames = found["view"] == -1, (found["frames"] == -1).all(dim=1).flatten()
    assert torch.equal(frames, (found["frames"] == -1).any(dim=1).flatten())  # a clip's frames go together
    once, both = 1 - 0.8**2, 0.2 + 0.8 * 0.2**2
    shares = [(view & frames).float().mean().item(), view.float().mean().item(), frames.float().mean().item()]
    assert shares == pytest.approx([both, once, once], abs=0.03)


@pytest.mark.parametrize(("probability", "left"), [(0.0, 1.0), (1.0, 0.0)])
def test_never_and_always(probability: float, left: float) -> None:
    context = {"view": torch.ones(50, dtype=torch.long), "label": torch.ones(50, 1)}
    found = drop_conditions(context, probability, draws(50))
    assert all((values != -1).float().mean().item() == left for values in found.values())


def test_a_clip_is_dropped_or_not_whatever_the_batch() -> None:
    context = {"view": torch.ones(50), "label": torch.ones(50)}
    alone = {name: values[40:] for name, values in context.items()}
    found = drop_conditions(context, 0.5, draws(50))
    again = drop_conditions(alone, 0.5, ClipNoise(3, range(40, 50), (1,)))
    torch.testing.assert_close(again, {name: values[40:] for name, values in found.items()}, rtol=0, atol=0)
