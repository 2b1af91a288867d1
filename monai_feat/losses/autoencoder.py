# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The loss of the frame autoencoder (latent diffusion, arXiv 2112.10752, Equation 25 and Appendix G)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from einops import rearrange
from monai.losses import PatchAdversarialLoss
from torch import Tensor, nn

__all__ = ["AutoencoderLoss", "kl_to_standard_normal"]


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the mean over elements of KL(N(mean, exp(log_variance)) ‖ N(0, 1)) in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).mean()


class AutoencoderLoss(nn.Module):
    """Reconstruction + KL, and, where their networks are given, a patch-adversarial and a perceptual term.

    The reconstruction term is mean |r − x| + (r − x)²: the first for edges, the second against rare large errors.

    Args:
        kl_weight: weight of the KL divergence of the latents to a standard normal.
        discriminator: judges frames ``(N, C, H, W)``, such as MONAI's ``PatchDiscriminator``; it is trained by
            `monai_feat.engines.DiscriminatorUpdate`. None leaves the term out.
        adversarial_weight: weight of the patch-adversarial term.
        perceptual: maps reconstructed and real frames ``(N, C, H, W)`` to a scalar; None leaves the term out.
        perceptual_weight: weight of the perceptual term.
    """

    def __init__(
        self,
        kl_weight: float = 1e-6,
        discriminator: nn.Module | None = None,
        adversarial_weight: float = 0.01,
        perceptual: Callable[[Tensor, Tensor], Tensor] | None = None,
        perceptual_weight: float = 0.1,
    ) -> None:
        super().__init__()
        self.kl_weight = kl_weight
        self.adversarial_weight = adversarial_weight
        self.perceptual_weight = perceptual_weight
        self.perceptual = perceptual
        self.discriminator = discriminator
        self.adversarial = PatchAdversarialLoss(criterion="least_squares")

    def forward(self, output: tuple[Tensor, Tensor, Tensor], target: Tensor) -> Tensor:
        """Score a reconstruction.

        Args:
            output: reconstruction ``(B, C, T, H, W)``, latent mean and log-variance, as `FrameAutoencoder` returns them.
            target: the clips, ``(B, C, T, H, W)`` in [-1, 1].

        Returns:
            The loss, a scalar.
        """
        reconstruction, mean, log_variance = output
        difference = reconstruction - target
        loss = difference.abs().mean() + difference.square().mean() + self.kl_weight * kl_to_standard_normal(mean, log_variance)
        frames, real = _frames(reconstruction), _frames(target)
        if self.discriminator is not None:
            verdict = _verdict(self.discriminator, frames)
            loss = loss + self.adversarial_weight * self.adversarial(verdict, target_is_real=True, for_discriminator=False)
        if self.perceptual is not None:
            loss = loss + self.perceptual_weight * self.perceptual(frames, real)
        return loss

    def discriminator_loss(self, reconstruction: Tensor, target: Tensor) -> Tensor:
        """Score the discriminator on clips ``(B, C, T, H, W)``: half for calling reconstructions fake, half for calling real ones real.

        Raises:
            ValueError: when there is no discriminator.
        """
        if self.discriminator is None:
            raise ValueError("this loss has no discriminator")
        halves = [
            self.adversarial(_verdict(self.discriminator, _frames(clips)), target_is_real=real, for_discriminator=True)
            for clips, real in ((reconstruction.detach(), False), (target, True))
        ]
        return 0.5 * (halves[0] + halves[1])


def _frames(clips: Tensor) -> Tensor:
    return rearrange(clips, "b c t h w -> (b t) c h w")


def _verdict(discriminator: nn.Module, frames: Tensor) -> Tensor:
    """Judge frames; MONAI's discriminators return their features too, with the verdict last."""
    output = discriminator(frames)
    verdict: Tensor = output if isinstance(output, torch.Tensor) else output[-1]
    return verdict
