# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from diffusers import AutoencoderKL as Diffusers
from monai.networks.nets import AutoencoderKL

from monai_feat.networks.nets import StableDiffusionAutoencoder


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_it_has_as_many_parameters_as_diffusers_has() -> None:
    """All but the attention in the middle: diffusers has one linear map more for the output, of the same size."""
    ours = StableDiffusionAutoencoder(channels=(8, 16), num_res_blocks=1, norm_num_groups=4)
    theirs = Diffusers(
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
    )  # fmt: skip
    assert parameters(ours) == parameters(theirs)


def test_shapes_are_those_of_monai_s() -> None:
    network = StableDiffusionAutoencoder(channels=(4, 8, 8), num_res_blocks=1, norm_num_groups=4).eval()
    frame = torch.randn(2, 3, 16, 24)
    mean, std = network.encode(frame)
    assert mean.shape == std.shape == (2, 4, 4, 6)
    assert network.decode(mean).shape == frame.shape
    assert (std > 0).all()


def test_weights_of_monai_s_do_not_load_unnoticed() -> None:
    plain = AutoencoderKL(2, 3, 3, (1, 1), (4, 8), (False, False), 4, norm_num_groups=4)
    with pytest.raises(RuntimeError, match="quant_conv_mu"):
        StableDiffusionAutoencoder(channels=(4, 8), num_res_blocks=1, norm_num_groups=4).load_state_dict(
            plain.state_dict()
        )


def test_widths_that_are_no_multiples_of_the_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="norm_num_groups"):
        StableDiffusionAutoencoder(channels=(6, 8), norm_num_groups=4)
