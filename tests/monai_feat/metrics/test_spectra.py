# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.metrics import SpatialPowerRatio, TemporalPowerRatio
from monai_feat.metrics.functional import spatial_power, temporal_power


def pixels(count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, 3, 6, 16, 16), generator=generator).to(torch.uint8)


@pytest.mark.parametrize(
    ("metric", "power"), [(TemporalPowerRatio, temporal_power), (SpatialPowerRatio, spatial_power)]
)
def test_ratio_of_mean_powers_over_batches(metric: type, power: object) -> None:
    ratio, real, fake = metric(), pixels(5, 0), pixels(3, 1) // 2
    for part in real.split(2):
        ratio.update(part, real=True)
    ratio.update(fake, real=False)
    torch.testing.assert_close(ratio.compute(), power(fake).mean(0) / power(real).mean(0))


def test_frozen_clips_do_not_move() -> None:
    ratio, real = TemporalPowerRatio(), pixels(4, 0)
    ratio.update(real, real=True)
    ratio.update(real[:, :, :1].expand_as(real), real=False)
    found = ratio.compute()
    assert found[0] > 1
    assert found[1:].max() < 1e-9


def test_one_side_alone_is_no_number() -> None:
    ratio = TemporalPowerRatio()
    ratio.update(pixels(2, 0), real=True)
    assert ratio.compute().isnan().all()
    with pytest.raises(TypeError, match="uint8"):
        ratio.update(pixels(2, 0).float(), real=False)
