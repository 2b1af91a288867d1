# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import torch

from monai_feat.networks.mixers import NoMixing, Slot


def test_adds_nothing_and_leaves_a_gradient() -> None:
    x = torch.randn(1, 2, 3, 3, 4, requires_grad=True)
    for output in (NoMixing(Slot("time", 4))(x, x), NoMixing(Slot("channels", 4))(x)):
        assert not output.any()
        assert torch.equal(torch.autograd.grad(output.sum(), x)[0], torch.zeros_like(x))
