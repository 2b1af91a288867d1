# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_feat.data.phantoms.clip import Drift, frame_times, parse_request, pixel_grid, smoothstep, to_uint8


def test_pixel_grid_is_centred_and_square_pixels() -> None:
    x, y = pixel_grid(20, 40)
    assert x.shape == y.shape == (20, 40)
    assert x.mean().abs() < 1e-6
    assert y.mean().abs() < 1e-6
    torch.testing.assert_close(x[0, 1] - x[0, 0], y[1, 0] - y[0, 0])
    assert y.max() == pytest.approx(1 - 1 / 20)
    assert x.max() == pytest.approx(2 - 1 / 20)


def test_pixel_grid_refines_by_area() -> None:
    x, _ = pixel_grid(16, 16)
    fine, _ = pixel_grid(32, 32)
    torch.testing.assert_close(fine.reshape(16, 2, 16, 2).mean((1, 3)), x)


def test_drift_stays_within_its_amplitude_and_is_slow() -> None:
    drift = Drift.draw(np.random.default_rng(3), 0.4, highest_frequency=0.6)
    excursion = drift.at(frame_times(1000, 50.0)).flatten()
    assert excursion.abs().max() <= 0.4
    assert excursion.diff().abs().max() * 50 <= 2 * np.pi * 0.6 * 0.4


def test_smoothstep_and_rounding() -> None:
    assert smoothstep(torch.tensor([-1.0, 0.0, 1.0, 2.0, 3.0]), 0.0, 2.0).tolist() == [0, 0, 0.5, 1, 1]
    assert to_uint8(torch.tensor([-1.0, 0.0, 0.5, 1.0, 2.0])).tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"seed": -1}, "seed"),
        ({"size": 8}, "at least 16"),
        ({"size": (64, 15)}, "at least 16"),
        ({"size": (64, 64, 64)}, "height, width"),
        ({"num_frames": 0}, "num_frames"),
        ({"frame_rate": 0.0}, "frame_rate"),
        ({"frame_rate": float("nan")}, "frame_rate"),
    ],
)
def test_bad_requests_say_what_is_wrong(bad: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_request(**{"seed": 0, "size": 64, "num_frames": 1, "frame_rate": 1.0, **bad})  # type: ignore[arg-type]
