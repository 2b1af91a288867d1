# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle

import pytest
import torch
from scipy.stats import wasserstein_distance

from monai_feat.metrics.functional import motion
from monai_feat.metrics.functional.properties import PROPERTIES, get_property, measure_properties, property_distance


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_property_gives_one_number_per_clip(name: str) -> None:
    entry = PROPERTIES[name]
    clips = torch.randint(40, 200, (2, 3, max(2, entry.min_frames), 32, 32), dtype=torch.uint8)
    values = entry(clips)
    assert values.shape == (2,)
    assert values.dtype == torch.float64
    assert entry.name == name
    assert entry.title
    assert entry.modality in ("any", "endoscopy", "ultrasound")
    assert pickle.loads(pickle.dumps(entry)).name == name


@pytest.mark.parametrize("name", PROPERTIES)
def test_fewer_frames_than_a_property_needs_are_refused(name: str) -> None:
    entry = PROPERTIES[name]
    clips = torch.randint(40, 200, (1, 3, entry.min_frames, 32, 32), dtype=torch.uint8)
    entry(clips)
    if entry.min_frames > 1:
        with pytest.raises(ValueError, match=f"at least {entry.min_frames} frames"):
            entry(clips[:, :, 1:])


def test_together_they_are_as_apart_and_the_flow_is_computed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    flow = motion.optical_flow
    monkeypatch.setattr(motion, "optical_flow", lambda *frames: calls.append(len(frames)) or flow(*frames))
    clips = torch.randint(40, 200, (2, 3, 4, 32, 32), dtype=torch.uint8)
    together = measure_properties(list(PROPERTIES.values()), clips)
    assert len(calls) == 2  # forwards and backwards
    apart = torch.stack([entry(clips) for entry in PROPERTIES.values()], dim=1)
    torch.testing.assert_close(together, apart, rtol=0, atol=0, equal_nan=True)


def test_an_unknown_name_lists_the_known_ones() -> None:
    assert get_property("flicker").unit == "levels of 255"
    with pytest.raises(KeyError, match=r"no property 'flickr'; there are motion_magnitude, .*flicker"):
        get_property("flickr")


@pytest.mark.parametrize(("num_real", "num_fake"), [(1, 1), (5, 5), (40, 7)])
def test_the_distance_agrees_with_scipy(num_real: int, num_fake: int) -> None:
    real, fake = torch.randn(num_real).double(), 2 * torch.randn(num_fake).double().round(decimals=1) + 1
    expected = wasserstein_distance(real.numpy(), fake.numpy())
    assert property_distance(real, fake).item() == pytest.approx(expected, rel=1e-12)
    assert property_distance(fake, real).item() == pytest.approx(expected, rel=1e-12)


def test_a_shift_is_the_distance_and_order_does_not_matter() -> None:
    values = torch.randn(9).double()
    assert property_distance(values, values.flip(0)).item() == 0
    assert property_distance(values, values + 3).item() == pytest.approx(3)


@pytest.mark.parametrize("bad", [torch.tensor([]), torch.tensor([1.0, torch.nan]), torch.zeros(2, 2)])
def test_values_that_cannot_be_compared_are_refused(bad: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"expected fake values \(N,\), all finite"):
        property_distance(torch.zeros(3), bad)
