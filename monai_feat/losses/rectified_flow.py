# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The loss of rectified flow: a squared error of the velocity from noise to data.

Letters follow Liu et al. (https://arxiv.org/abs/2209.03003), but for the direction of time, which is MONAI's: x_0 are
data, ε noise.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from monai_feat.losses.hybrid_diffusion import check_target, mean_per_sample
from monai_feat.networks.schedulers.diffusion_tables import split_variance


def velocity_errors(model_output: torch.Tensor, original: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Compute the mean squared error of the predicted velocity of each sample.

    Source: Liu et al., equation 1, with the sign of MONAI's `RFlowScheduler`, which steps along x_0 - ε.

    Args:
        model_output: velocity (B, C, ...), or (B, 2C, ...) of which the second half, variance logits, is ignored.
        original: x_0 (B, C, ...).
        noise: ε (B, C, ...).

    Returns:
        (B,), float32 at least.
    """
    dtype = torch.promote_types(torch.promote_types(model_output.dtype, original.dtype), torch.float32)
    velocity, _ = split_variance(model_output.to(dtype), original.shape[1])  # (B, C, ...)
    return mean_per_sample((original.to(dtype) - noise.to(dtype) - velocity) ** 2)


class RectifiedFlowLoss(nn.Module):
    """Mean squared error of a velocity-predicting network on the straight lines of MONAI's `RFlowScheduler`.

    The network may have the channels of the sample, or twice as many, as one that was trained by `HybridDiffusionLoss`
    has: nothing is asked of the second half.

    Example:
        >>> original, noise = torch.zeros(1, 4, 2, 2, 2), torch.ones(1, 4, 2, 2, 2)
        >>> target = {"x0": original, "noise": noise, "timesteps": torch.tensor([9.5])}
        >>> float(RectifiedFlowLoss()(original, target))
        1.0
    """

    def forward(self, model_output: torch.Tensor, target: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Compute the mean loss of a batch.

        Args:
            model_output: velocity (B, C, ...), or (B, 2C, ...), for x_t of the target's noise and timesteps.
            target: "noise" ε and "x0", both (B, C, ...), and "timesteps" (B,).

        Returns:
            scalar.

        Raises:
            ValueError: if the target lacks a key, or the shapes do not fit.
        """
        check_target(model_output, target)
        return velocity_errors(model_output, target["x0"], target["noise"]).mean()
