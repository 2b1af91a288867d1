# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pytest
import torch
from monai.transforms import RandScaleIntensity

from monai_feat.transforms.each_key import EachKey, OneDraw


class Doubled(EachKey):
    """Twice as much under each key."""

    transform = staticmethod(lambda value: 2 * value)


class RandScaled(OneDraw):
    """One random factor for all keys."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.transform = RandScaleIntensity(factors=0.5, prob=1.0)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        self.randomize()
        return {key: self.transform(data[key], randomize=False) for key in self.key_iterator(dict(data))}


def test_each_key_and_no_other_is_transformed() -> None:
    item = {"a": 1, "b": 2, "c": 3}
    assert Doubled(["a", "c"])(item) == {"a": 2, "b": 2, "c": 6}
    assert item == {"a": 1, "b": 2, "c": 3}


def test_a_key_may_be_missing_where_that_is_allowed() -> None:
    assert Doubled(["a", "z"], allow_missing_keys=True)({"a": 1}) == {"a": 2}
    with pytest.raises(KeyError, match="z"):
        Doubled(["a", "z"])({"a": 1})


def test_one_draw_is_for_all_keys_and_replays_by_its_seed() -> None:
    transform, ones = RandScaled(["a", "b"]), {"a": torch.ones(1, 4), "b": torch.ones(1, 4)}
    factors = []
    for seed in (1, 2, 1):
        transform.set_random_state(seed)
        scaled = transform(ones)
        assert torch.equal(scaled["a"], scaled["b"])
        factors.append(scaled["a"][0, 0].item())
    assert factors[0] == factors[2] != factors[1]
    expected = RandScaleIntensity(factors=0.5, prob=1.0)
    expected.set_random_state(1)
    assert factors[0] == expected(torch.ones(1, 4))[0, 0].item()
