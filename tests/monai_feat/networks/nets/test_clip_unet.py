# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from monai_feat.networks.nets import ClipUNet


def small() -> ClipUNet:
    network = ClipUNet(4, 4, channels=(8, 8), norm_num_groups=4)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.1)
    return network.eval()


def test_is_the_unet_where_sizes_fit_and_any_size_otherwise(tmp_path: Path) -> None:
    network, x = small(), torch.randn(2, 4, 4, 6, 4)
    assert torch.equal(network(x, 30), network.unet(x, torch.tensor([30, 30])))
    odd = torch.randn(1, 4, 1, 5, 3)
    filled = torch.cat((odd, odd), dim=2)
    filled = torch.cat((filled, filled[..., -1:, :]), dim=3)
    filled = torch.cat((filled, filled[..., -1:]), dim=4)
    torch.testing.assert_close(network(odd, 30), network.unet(filled, torch.tensor([30]))[:, :, :1, :5, :3])
    network.save_pretrained(tmp_path)
    assert torch.equal(ClipUNet.from_pretrained(tmp_path)(x, 30), network(x, 30))


def test_what_does_not_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="ClipUNet is unconditional"):
        small()(torch.randn(1, 4, 2, 4, 4), 3, context=torch.zeros(1))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="timesteps must be one number, or one for each of the 1 clips"):
        small()(torch.randn(1, 4, 2, 4, 4), torch.tensor([1, 2]))
