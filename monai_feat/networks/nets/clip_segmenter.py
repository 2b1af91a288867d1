# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A U-Net for clips: frame by frame, or with the frames before and after in view."""

from __future__ import annotations

from typing import Any, Literal, get_args

from einops import rearrange
from monai.networks.nets import DynUNet
from torch import Tensor
from torch.nn import functional as F

from monai_feat.checkpoints import Pretrained

__all__ = ["ClipSegmenter", "Context"]

Context = Literal["frame", "clip"]


class ClipSegmenter(Pretrained):
    """MONAI's ``DynUNet`` (nnU-Net, Isensee et al. 2021) on clips, with a stem of stride 2 and deep supervision.

    Convolutions and strides act on rows and columns; with the context of the clip, all convolutions but the first span
    three frames as well, so that any number of frames will do. Norms are taken over each instance.

    Args:
        in_channels: 1 for grey, 3 for RGB.
        num_classes: K, the background among them.
        init_filters: channels at half size; each level below has twice as many.
        num_levels: sizes that the network works at, at least 3.
        context: ``"frame"`` sees single frames, ``"clip"`` their neighbours too.
        num_supervised: coarser levels that give logits of their own while training, in [0, num_levels - 2].

    Raises:
        ValueError: an argument is out of range.

    Example:
        >>> import torch
        >>> network = ClipSegmenter(in_channels=3, num_classes=2)
        >>> network.eval()(torch.zeros(1, 3, 5, 32, 48)).shape
        torch.Size([1, 2, 5, 32, 48])
    """

    weights_name = "model.safetensors"

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        init_filters: int = 16,
        num_levels: int = 4,
        context: Context = "frame",
        num_supervised: int = 1,
    ) -> None:
        super().__init__()
        if context not in get_args(Context):
            raise ValueError(f"expected context to be one of {get_args(Context)}, got {context!r}")
        if num_levels < 3 or not 0 <= num_supervised <= num_levels - 2:
            raise ValueError(
                f"expected num_levels >= 3 and num_supervised from 0 to num_levels - 2, got {num_levels} and "
                f"{num_supervised}"
            )
        self._arguments = dict(
            in_channels=in_channels, num_classes=num_classes, init_filters=init_filters, num_levels=num_levels,
            context=context, num_supervised=num_supervised,
        )  # fmt: skip
        self.context = context
        self.divisor = 2**num_levels
        is_clip = context == "clip"
        kernels = [(1, 3, 3), *[(3, 3, 3)] * (num_levels - 1)] if is_clip else [(3, 3)] * num_levels
        strides = [(1, 2, 2) if is_clip else (2, 2)] * num_levels
        self.network = DynUNet(
            spatial_dims=3 if is_clip else 2,
            in_channels=in_channels,
            out_channels=num_classes,
            kernel_size=kernels,
            strides=strides,
            upsample_kernel_size=strides[1:],
            filters=[init_filters * 2**level for level in range(num_levels)],
            norm_name=("INSTANCE", {"affine": True}),
            deep_supervision=num_supervised > 0,
            deep_supr_num=max(num_supervised, 1),
        )

    def arguments(self) -> dict[str, Any]:
        """Return what a network of the same tensors is constructed with, as values of JSON."""
        return dict(self._arguments)

    def forward(self, x: Tensor) -> Tensor | list[Tensor]:
        """Return logits.

        Args:
            x: clips in [-1, 1], ``(B, C, T, H, W)``; H and W multiples of 2^num_levels, at least twice that.

        Returns:
            ``(B, K, T, H, W)``; while training with deep supervision a list of them, the finest first.

        Raises:
            ValueError: the clips have another shape.
        """
        if x.ndim != 5 or any(side % self.divisor or side == self.divisor for side in x.shape[-2:]):
            raise ValueError(
                f"expected clips (B, C, T, H, W) with rows and columns in multiples of {self.divisor}, at least twice, "
                f"got {tuple(x.shape)}"
            )
        time = x.shape[2]
        if self.context == "frame":
            logits = self.network(rearrange(x, "b c t h w -> (b t) c h w"))  # (B·T, [S,] K, H/2, W/2)
            logits = rearrange(logits, "(b t) ... k h w -> b ... k t h w", t=time)
        else:
            logits = self.network(x)  # (B, [S,] K, T, H/2, W/2)
        if logits.ndim == 5:
            return _doubled(logits)
        return [_doubled(level) for level in logits.unbind(1)]


def _doubled(logits: Tensor) -> Tensor:
    """Twice the rows and columns of ``(B, K, T, H/2, W/2)``."""
    doubled: Tensor = F.interpolate(logits.flatten(1, 2), scale_factor=2, mode="bilinear", align_corners=False)
    return doubled.reshape(*logits.shape[:3], *doubled.shape[-2:])
