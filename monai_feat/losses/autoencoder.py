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
            output: reconstruction ``(B, C, T, H, W)``, latent mean and log-variance: what `FrameAutoencoder` gives.
            target: the clips, ``(B, C, T, H, W)`` in [-1, 1].

        Returns:
            The loss, a scalar.

        Raises:
            ValueError: when reconstruction and target differ in shape.
        """
        reconstruction, mean, log_variance = output
        if reconstruction.shape != target.shape:
            raise ValueError(
                f"clips {tuple(target.shape)} came back as {tuple(reconstruction.shape)}: choose a frame size that is "
                "a multiple of the autoencoder's downsampling factor"
            )
        difference = reconstruction - target
        loss: Tensor = difference.abs().mean() + difference.square().mean()
        loss = loss + self.kl_weight * kl_to_standard_normal(mean, log_variance)
        frames, real = _frames(reconstruction), _frames(target)
        if self.discriminator is not None:
            verdict = _verdict(self.discriminator, frames)
            deceit = self.adversarial(verdict, target_is_real=True, for_discriminator=False)
            loss = loss + self.adversarial_weight * deceit
        if self.perceptual is not None:
            loss = loss + self.perceptual_weight * self.perceptual(frames, real)
        return loss

    def discriminator_loss(self, reconstruction: Tensor, target: Tensor) -> Tensor:
        """Score the discriminator on clips ``(B, C, T, H, W)``: how far fakes pass for real and real ones for fakes.

        Raises:
            ValueError: when there is no discriminator.
        """
        if self.discriminator is None:
            raise ValueError("this loss has no discriminator")
        fake, real = (_verdict(self.discriminator, _frames(clips)) for clips in (reconstruction.detach(), target))
        missed: Tensor = self.adversarial(fake, target_is_real=False, for_discriminator=True)
        doubted: Tensor = self.adversarial(real, target_is_real=True, for_discriminator=True)
        return 0.5 * (missed + doubted)


def _frames(clips: Tensor) -> Tensor:
    return rearrange(clips, "b c t h w -> (b t) c h w")


def _verdict(discriminator: nn.Module, frames: Tensor) -> Tensor:
    """Judge frames; MONAI's discriminators return their features too, with the verdict last."""
    output = discriminator(frames)
    verdict: Tensor = output if isinstance(output, torch.Tensor) else output[-1]
    return verdict
