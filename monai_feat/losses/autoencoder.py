# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The loss of the frame autoencoder (latent diffusion, arXiv 2112.10752, Equation 25 and Appendix G)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from einops import rearrange
from monai.losses import DiceCELoss, PatchAdversarialLoss
from torch import Tensor, nn

__all__ = ["AutoencoderLoss", "gradient_difference", "kl_to_standard_normal", "label_loss"]


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the mean over elements of KL(N(mean, exp(log_variance)) ‖ N(0, 1)) in nats."""
    return 0.5 * (mean.square() + log_variance.exp() - log_variance - 1).mean()


def gradient_difference(image: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute difference of the finite differences along rows and columns, summed over the two.

    It asks for edges at their place and for texture of the right size, which squared errors of pixels give up first.

    Args:
        image: ``(..., H, W)``, at least two rows and columns.
        target: of the same shape.
    """
    difference = image - target
    along_rows, along_columns = (difference.diff(dim=axis).abs().mean() for axis in (-1, -2))
    return along_rows + along_columns


_DICE_CE = DiceCELoss(softmax=True)


def label_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return soft Dice + cross-entropy, by MONAI's ``DiceCELoss``, over the pixels whose class is known.

    All known pixels count as one region, so that a class which is missing from a frame is not a special case. Where
    nothing is known the loss is 0, and so is its gradient.

    Args:
        logits: ``(B, K, T, H, W)``.
        labels: +1 for the class of a pixel, -1 for the others, 0 for all where it is unknown; ``(B, K, T, H, W)``.
    """
    known = labels.abs().amax(dim=1) > 0  # (B, T, H, W)
    if not known.any():
        return logits.sum() * 0
    chosen, wanted = (rearrange(x.movedim(1, -1)[known], "p k -> 1 k p").float() for x in (logits, labels))
    loss: Tensor = _DICE_CE(chosen, (wanted + 1) / 2)
    return loss


class AutoencoderLoss(nn.Module):
    """Reconstruction + KL, and, where their networks are given, a patch-adversarial and a perceptual term.

    The reconstruction term is mean |r − x| + (r − x)²: the first for edges, the second against rare large errors. With
    masks, it and the judges see the image channels alone, and `label_loss` the label channels.

    Args:
        kl_weight: weight of the KL divergence of the latents to a standard normal.
        discriminator: judges frames ``(N, C, H, W)``, such as MONAI's ``PatchDiscriminator``; it is trained by
            `monai_feat.handlers.DiscriminatorUpdate`. None leaves the term out.
        adversarial_weight: weight of the patch-adversarial term.
        perceptual: maps reconstructed and real frames ``(N, C, H, W)`` to a scalar; None leaves the term out.
        perceptual_weight: weight of the perceptual term.
        label_channels: how many of the last channels are the classes of a mask, see
            `monai_feat.transforms.join_labels`; 0 for clips without masks.
        label_weight: weight of the term of the masks.
        gradient_weight: weight of `gradient_difference`; 0 leaves the term out.
    """

    def __init__(
        self,
        kl_weight: float = 1e-6,
        discriminator: nn.Module | None = None,
        adversarial_weight: float = 0.01,
        perceptual: Callable[[Tensor, Tensor], Tensor] | None = None,
        perceptual_weight: float = 0.1,
        label_channels: int = 0,
        label_weight: float = 1.0,
        gradient_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.label_channels = label_channels
        self.label_weight = label_weight
        self.gradient_weight = gradient_weight
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
                With masks, C counts their channels, which are logits here.
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
        (image, logits), (real_image, labels) = (self._parts(clips) for clips in (reconstruction, target))
        difference = image - real_image
        loss: Tensor = difference.abs().mean() + difference.square().mean()
        loss = loss + self.kl_weight * kl_to_standard_normal(mean, log_variance)
        if self.gradient_weight:
            loss = loss + self.gradient_weight * gradient_difference(image, real_image)
        if self.label_channels:
            loss = loss + self.label_weight * label_loss(logits, labels)
        frames, real = _frames(image), _frames(real_image)
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
            raise ValueError(
                "this AutoencoderLoss has no discriminator, expected one to train: make the loss with discriminator=..."
            )
        images = (self._parts(clips)[0] for clips in (reconstruction.detach(), target))
        fake, real = (_verdict(self.discriminator, _frames(image)) for image in images)
        missed: Tensor = self.adversarial(fake, target_is_real=False, for_discriminator=True)
        doubted: Tensor = self.adversarial(real, target_is_real=True, for_discriminator=True)
        return 0.5 * (missed + doubted)

    def _parts(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Image and label channels of clips; views, so that neither gets gradients of the other."""
        image, labels = clips.split([clips.shape[1] - self.label_channels, self.label_channels], dim=1)
        return image, labels


def _frames(clips: Tensor) -> Tensor:
    return rearrange(clips, "b c t h w -> (b t) c h w")


def _verdict(discriminator: nn.Module, frames: Tensor) -> Tensor:
    """Judge frames; MONAI's discriminators return their features too, with the verdict last."""
    output = discriminator(frames)
    verdict: Tensor = output if isinstance(output, torch.Tensor) else output[-1]
    return verdict
