# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from scipy.fft import dctn
from torch import Tensor

from monai_feat.networks.mixers import FrequencyExcitation, Slot, SqueezeExcitation
from tests.monai_feat.networks.mixers.twins import assert_twins, randomised

PAIRS = ((0, 0), (2, 1))


def coefficients(x: Tensor) -> Tensor:
    """By scipy's orthonormal cosine transform, whose lowest coefficient is √(H·W) times the mean."""
    outputs = torch.empty_like(x[:, :, :1, :1])
    for c in range(4):
        spectrum = dctn(x[..., c].numpy(), axes=(2, 3), norm="ortho") / (x.shape[2] * x.shape[3]) ** 0.5
        rows, columns = PAIRS[c // 2]
        outputs[:, :, 0, 0, c] = torch.from_numpy(spectrum[:, :, rows, columns])
    return outputs


def test_describes_frames_as_the_cosine_transform_does() -> None:
    block, x = FrequencyExcitation(Slot("channels", 4), frequencies=PAIRS), torch.randn(2, 3, 5, 4, 4).double()
    torch.testing.assert_close(block.describe_frames(x), coefficients(x))


def test_gradients_are_those_of_sums_written_out() -> None:
    block = randomised(FrequencyExcitation(Slot("channels", 4), frequencies=PAIRS, reduction=2))

    def slow(x: Tensor) -> Tensor:
        height, width = x.shape[2:4]
        known = []
        for c in range(4):
            u, v = PAIRS[c // 2]
            total = torch.zeros(x.shape[:2]).double()
            for i in range(height):
                for j in range(width):
                    angles = [torch.pi * f * (p + 0.5) / n for f, p, n in ((u, i, height), (v, j, width))]
                    scale = 2 ** (((u > 0) + (v > 0)) / 2)
                    total = total + scale * torch.tensor(angles).double().cos().prod() * x[:, :, i, j, c]
            known.append(total / (height * width))
        weights = torch.sigmoid((torch.stack(known, -1) @ block.squeeze.weight.T).clamp_min(0) @ block.excite.weight.T)
        return x * weights[:, :, None, None]

    assert_twins(block, slow, [torch.randn(1, 2, 3, 4, 4).double()], list(block.parameters()))


def test_the_lowest_frequency_alone_is_squeeze_and_excitation() -> None:
    x, slot = torch.randn(1, 2, 5, 3, 4), Slot("channels", 4)
    lowest, plain = FrequencyExcitation(slot, frequencies=[(0, 0)]), SqueezeExcitation(slot)
    plain.load_state_dict(lowest.state_dict())
    assert torch.equal(lowest(x), plain(x))


def test_groups_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(ValueError, match="3 frequencies do not divide 4 channels"):
        FrequencyExcitation(Slot("channels", 4), frequencies=[(0, 0), (0, 1), (1, 0)])
