# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""An autoencoder of images as the start of one of images and masks."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional as F

from monai_feat.checkpoints.storage import CheckpointError

__all__ = ["widen_autoencoder"]

_LAST = re.compile(r"autoencoder\.decoder\.blocks\.(\d+)\.conv\.weight")
_FIRST = "autoencoder.encoder.blocks.0.conv.weight"


def widen_autoencoder(state: Mapping[str, Tensor], label_channels: int) -> dict[str, Tensor]:
    """Give the weights of a `FrameAutoencoder` the channels of masks, see `monai_feat.transforms.join_labels`.

    The new weights are zero: the autoencoder does not look at masks yet, its latents and images are those from before,
    and its logits are 0. So training goes on with a latent space that a diffusion model may know already.

    Args:
        state: the weights, for images alone.
        label_channels: number of classes, the background among them.

    Raises:
        CheckpointError: these are not such weights.
        ValueError: there are fewer than 2 classes.

    Example:
        >>> from monai.networks.nets import AutoencoderKL
        >>> from monai_feat.networks.nets import FrameAutoencoder
        >>> def build(channels):
        ...     return FrameAutoencoder(AutoencoderKL(2, channels, channels, (1, 1), (8, 8), (False, False), 4,
        ...         norm_num_groups=4, with_encoder_nonlocal_attn=False, with_decoder_nonlocal_attn=False))
        >>> build(3 + 2).load_state_dict(widen_autoencoder(build(3).state_dict(), label_channels=2))
        <All keys matched successfully>
    """
    if label_channels < 2:
        raise ValueError(f"expected label_channels >= 2, one for each class with the background, got {label_channels}")
    blocks = {int(match[1]): key for key in state if (match := _LAST.fullmatch(key))}
    if _FIRST not in state or not blocks:
        raise CheckpointError(f"expected the weights of a FrameAutoencoder, with {_FIRST}; got {sorted(state)[:3]} …")
    last = blocks[max(blocks)]
    bias = last.removesuffix("weight") + "bias"
    return {
        **state,
        _FIRST: F.pad(state[_FIRST], (0, 0, 0, 0, 0, label_channels)),  # (out, in, kernel, kernel)
        last: F.pad(state[last], (0, 0, 0, 0, 0, 0, 0, label_channels)),
        bias: torch.cat([state[bias], state[bias].new_zeros(label_channels)]),
    }
