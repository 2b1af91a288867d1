# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from monai_feat.networks.nets import Latte


def small() -> Latte:
    network = Latte(4, 4, hidden_size=16, num_layers=2, num_heads=2)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    return network.eval()


def test_published_size() -> None:
    with torch.device("meta"):
        count = sum(p.numel() for p in Latte().parameters())
    assert 670e6 < count < 677e6  # Latte-XL/2 has 673.68 M


def test_any_size_and_each_clip_by_itself(tmp_path: Path) -> None:
    network, t = small(), torch.tensor([3, 700])
    for size in ((1, 2, 2), (5, 4, 6)):
        x = torch.randn(2, 4, *size)
        torch.testing.assert_close(network(x, t)[1:], network(x[1:], 700), rtol=1e-4, atol=1e-5)
    network.save_pretrained(tmp_path)
    assert torch.equal(Latte.from_pretrained(tmp_path)(x, t), network(x, t))


def test_a_new_one_predicts_zero() -> None:
    assert not Latte(4, 4, hidden_size=16, num_layers=2, num_heads=2)(torch.randn(1, 4, 2, 4, 4), 3).any()


def test_what_does_not_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected an even num_layers"):
        Latte(hidden_size=16, num_layers=3, num_heads=2)
    with pytest.raises(ValueError, match="Latte is unconditional here"):
        small()(torch.randn(1, 4, 2, 4, 4), 3, context=torch.zeros(1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="this network takes latents of 4 channels, the autoencoder makes 3"):
        small().check_latents((3, 2, 4, 4))
