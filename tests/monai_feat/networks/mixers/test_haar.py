# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from monai_feat.networks.mixers import HaarMixing, Slot
from monai_feat.networks.mixers.haar import haar_bands
from tests.monai_feat.networks.mixers.twins import assert_twins, randomised

C = 3
MATRIX = torch.tensor([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]).double() / 2


def test_the_transform_keeps_energy_and_is_undone_by_its_transpose() -> None:
    x = torch.randn(2, 4, 6, C).double()
    bands = haar_bands(x)
    torch.testing.assert_close(bands.square().sum(), x.square().sum())
    torch.testing.assert_close(MATRIX @ MATRIX.T, torch.eye(4).double())
    for i in range(2):
        for j in range(3):
            corners = torch.stack([x[:, 2 * i + p, 2 * j + q] for p in range(2) for q in range(2)], dim=1)
            found = bands[:, i, j].unflatten(-1, (4, C))
            torch.testing.assert_close(found, MATRIX @ corners)
            torch.testing.assert_close(MATRIX.T @ found, corners)


def test_equals_the_steps_square_by_square() -> None:
    block = randomised(HaarMixing(Slot("space", C)), std=0.3)

    def slow(v: Tensor) -> Tensor:
        v = torch.cat((v, v[:, :, -1:]), dim=2)  # three columns become four
        outputs = torch.zeros(1, 2 + 2, 4 + 2, C).double() + block.back.bias  # a border that is cut
        for i in range(1):
            for j in range(2):
                corners = torch.stack([v[0, 2 * i + p, 2 * j + q] for p in range(2) for q in range(2)])
                hidden = F.gelu(block.bands.weight @ (MATRIX @ corners).flatten() + block.bands.bias)
                patch = torch.einsum("i,iopq->pqo", hidden, block.back.weight)
                added = torch.zeros_like(outputs)
                added[0, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4] = patch
                outputs = outputs + added
        return outputs[:, 1:3, 1:4]

    names = ("bands.weight", "bands.bias", "back.weight", "back.bias")
    parameters = [dict(block.named_parameters())[name] for name in names]
    assert_twins(block.mix, slow, [torch.randn(1, 2, 3, C).double()], parameters)


def test_a_constant_frame_has_only_the_mean() -> None:
    bands = haar_bands(torch.ones(1, 2, 2, C))
    assert bands[..., C:].abs().max() == 0
    assert (bands[..., :C] == 2).all()
