# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from monai.networks.nets import AutoencoderKL
from torch import Tensor, nn

from monai_feat.conditions import (
    NONE,
    ClassCondition,
    Condition,
    FirstFramesCondition,
    MaskCondition,
    ScalarCondition,
    condition_kinds,
    conditions_from_json,
    conditions_to_json,
    register_condition,
    registry,
    training_context,
)
from monai_feat.conditions.prompts import PromptPrepareBatch
from monai_feat.inferers import ClipNoise
from monai_feat.networks.nets import FEAT, FEAT_PRESETS, FrameAutoencoder

ALL: list[Condition] = [
    ClassCondition("view", 3),
    ScalarCondition("fraction", 0.2, 0.8),
    FirstFramesCondition(max_frames=2),
    MaskCondition("mask", 4),
]


@pytest.fixture(autouse=True)
def same_kinds_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_KINDS", dict(condition_kinds()))


class PhaseEmbedding(nn.Module):
    """A linear map of the cosine and the sine."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.proj = nn.Linear(2, hidden_size, bias=False)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.zeros_(self.proj.weight)

    def forward(self, values: Tensor) -> Tensor:
        known = (values != NONE)[:, None]
        vectors: Tensor = self.proj(torch.stack((values.cos(), values.sin()), dim=1) * known)
        return vectors


@dataclass(frozen=True)
class PhaseCondition(Condition):
    """A phase of the heart, in radians: what a user would add, in a file of their own."""

    @property
    def bounds(self) -> str:
        return "a phase from 0 to 2π"

    def accepts(self, values: Tensor) -> Tensor:
        return (values == NONE) | ((values >= 0) & (values <= 2 * torch.pi))

    def block(self, in_channels: int, hidden_size: int, patch_size: int) -> nn.Module:
        return PhaseEmbedding(hidden_size)


def test_a_condition_of_ones_own_is_trained_saved_read_and_asked_for(tmp_path: Path) -> None:
    register_condition(PhaseCondition)
    conditions = [PhaseCondition("phase"), ALL[0]]
    network = FEAT(conditions=conditions, **FEAT_PRESETS["pico"]).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    batch = {"phase": torch.tensor([0.0, 3.0]), "view": torch.tensor([1, -1])}
    latents = torch.randn(2, 4, 3, 4, 4)
    context = training_context(conditions, batch, latents, ClipNoise(0, range(2), (1,)))
    path = network.save_pretrained(tmp_path)

    again = FEAT.from_pretrained(path)
    known = again.conditions
    assert list(known) == conditions
    torch.testing.assert_close(again(latents, 5, context), network(latents, 5, context), rtol=0, atol=0)
    assert not torch.allclose(again(latents, 5, context), network(latents, 5, {"view": context["view"]}))
    autoencoder = FrameAutoencoder(AutoencoderKL(2, 1, 1, (1,), (4,), (False,), 4, norm_num_groups=2))
    prepare = PromptPrepareBatch(known, {"phase": [1.0, 2.0]}, autoencoder, 3, 4, 1)
    assert prepare({"image": torch.tensor([3])})[3]["conditioning"]["phase"].tolist() == [2.0]
    with pytest.raises(ValueError, match="phase: 7 was asked for; it takes a phase from 0 to 2π"):
        PromptPrepareBatch(known, {"phase": 7.0}, autoencoder, 3, 4, 1)


def test_conditions_come_back_from_json() -> None:
    assert conditions_from_json(json.loads(json.dumps(conditions_to_json(ALL)))) == ALL
    assert {type(condition).__name__ for condition in ALL} <= condition_kinds().keys()


def test_what_nobody_could_read_is_not_written() -> None:
    with pytest.raises(ValueError, match="PhaseCondition is not registered; decorate it"):
        conditions_to_json([PhaseCondition("phase")])


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ({"kind": "PhaseCondition"}, "unknown kind of condition 'PhaseCondition'; known are ClassCondition, First"),
        ({"name": "view"}, "unknown kind of condition None; known are"),
        ({"kind": "ClassCondition", "name": "view", "age": 3}, "ClassCondition does not take .*age"),
        ({"kind": "ClassCondition", "name": "view", "num_classes": 0}, "num_classes must be at least 1"),
    ],
)
def test_what_is_not_known_is_named(described: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        conditions_from_json([described])


def test_two_kinds_of_one_name_are_refused() -> None:
    other = dataclass(frozen=True)(type("ClassCondition", (ScalarCondition,), {}))
    with pytest.raises(ValueError, match=r"ClassCondition: monai_feat\.conditions\.class_label has registered"):
        register_condition(other)
    with pytest.raises(TypeError, match="Plain: expected a dataclass; put @dataclass"):
        register_condition(type("Plain", (PhaseCondition,), {}))
    assert register_condition(ClassCondition) is ClassCondition


def test_only_its_own_file_names_a_kind() -> None:
    """A new condition is one file: no other part of the library knows the class of a condition."""
    root = Path(registry.__file__).parents[1]
    kinds = {kind.__name__: Path(registry.__file__).parent for kind in map(type, ALL)}
    for file in root.rglob("*.py"):
        code = file.read_text(encoding="utf-8")
        if file.parent != Path(registry.__file__).parent:
            code = "\n".join(line for line in code.splitlines() if ">>>" not in line)
            assert not [kind for kind in kinds if f"{kind}(" in code or f"import {kind}" in code], file
        assert "isinstance(condition" not in code, file
