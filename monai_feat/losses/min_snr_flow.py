# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The loss of rectified flow with weights that bound what little noise asks for.

Source: Min-SNR-γ (Hang et al., https://arxiv.org/abs/2303.09556, Section 3.4). There the squared error of x_0 has the
weight min(SNR, γ). On the straight lines of rectified flow, at time t from data to noise, SNR = (1 - t)² / t², and an
error of the velocity is one of x_0 over t; so the weight of the velocity's is t² min(SNR, γ) = min((1 - t)², γ t²).
"""

from __future__ import annotations

from collections.abc import Mapping

import torch

from monai_feat.losses.hybrid_diffusion import check_target
from monai_feat.losses.rectified_flow import RectifiedFlowLoss, velocity_errors


class MinSNRFlowLoss(RectifiedFlowLoss):
    """`RectifiedFlowLoss` whose samples have the weights of Min-SNR-γ by their timestep.

    Args:
        num_train_timesteps: timestep of pure noise, that of the scheduler.
        gamma: γ, the largest weight of an error of x_0.

    Raises:
        ValueError: when one of them is not positive.

    Example:
        >>> original, noise = torch.zeros(1, 4, 2, 2, 2), torch.ones(1, 4, 2, 2, 2)
        >>> target = {"x0": original, "noise": noise, "timesteps": torch.tensor([500.0])}
        >>> float(MinSNRFlowLoss()(original, target))
        0.25
    """

    def __init__(self, num_train_timesteps: int = 1000, gamma: float = 5.0) -> None:
        super().__init__()
        if not min(num_train_timesteps, gamma) > 0:
            raise ValueError(f"expected num_train_timesteps and gamma over 0, got {num_train_timesteps} and {gamma}")
        self.num_train_timesteps = num_train_timesteps
        self.gamma = gamma

    def forward(self, model_output: torch.Tensor, target: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Compute the mean weighted loss of a batch; arguments and errors are those of `RectifiedFlowLoss`."""
        check_target(model_output, target)
        errors = velocity_errors(model_output, target["x0"], target["noise"])  # (B,)
        time = target["timesteps"].to(errors) / self.num_train_timesteps  # (B,)
        return (torch.minimum((1 - time) ** 2, self.gamma * time**2) * errors).mean()
