# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from monai_feat.losses import AutoencoderLoss, gradient_difference, kl_to_standard_normal, label_loss


class Mean(nn.Module):
    """A discriminator whose verdict on a frame is a multiple of its mean."""

    def __init__(self, slope: float = 1.0, as_list: bool = False) -> None:
        super().__init__()
        self.slope, self.as_list = nn.Parameter(torch.tensor(slope)), as_list

    def forward(self, frames: Tensor) -> Tensor | list[Tensor]:
        verdict = self.slope * frames.mean(dim=(1, 2, 3), keepdim=True)
        return [frames, verdict] if self.as_list else verdict


@pytest.fixture
def clips() -> Tensor:
    return torch.rand(2, 3, 4, 8, 8)


def latents(mean: float = 0.0, log_variance: float = 0.0) -> tuple[Tensor, Tensor]:
    return torch.full((2, 4, 4, 2, 2), mean), torch.full((2, 4, 4, 2, 2), log_variance)


def test_kl_is_that_of_torch() -> None:
    mean, log_variance = torch.randn(5, 4), torch.randn(5, 4)
    expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).mean()
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), expected)


def test_a_perfect_reconstruction_with_standard_latents_costs_nothing(clips: Tensor) -> None:
    assert AutoencoderLoss(kl_weight=1.0)((clips, *latents()), clips).item() == 0


def test_plain_terms_by_hand(clips: Tensor) -> None:
    """0.1 off everywhere: 0.1 + 0.01; N(1, 4): (1 + 4 - log 4 - 1) / 2 nats."""
    loss = AutoencoderLoss(kl_weight=0.5)((clips + 0.1, *latents(1.0, math.log(4))), clips)
    assert loss.item() == pytest.approx(0.11 + 0.5 * 0.5 * (4 - math.log(4)), rel=1e-5)


def test_gradient_difference_by_hand(clips: Tensor) -> None:
    """A ramp of 0.2 a column and 0.1 a row more; an even offset is not a difference of gradients."""
    ramp = 0.2 * torch.arange(8.0) + 0.1 * torch.arange(8.0)[:, None]
    assert gradient_difference(clips + ramp + 5, clips).item() == pytest.approx(0.3, rel=1e-4)
    plain, sharp = (AutoencoderLoss(gradient_weight=weight) for weight in (0.0, 0.5))
    output = (clips + ramp, *latents())
    assert (sharp(output, clips) - plain(output, clips)).item() == pytest.approx(0.15, rel=1e-4)


@pytest.mark.parametrize("as_list", [False, True])
def test_adversarial_term_wants_reconstructions_to_pass_for_real(clips: Tensor, as_list: bool) -> None:
    plain = AutoencoderLoss(kl_weight=0.0)
    judged = AutoencoderLoss(kl_weight=0.0, discriminator=Mean(as_list=as_list), adversarial_weight=0.25)
    output = (clips + 0.1, *latents())
    frames = (clips + 0.1).transpose(1, 2).flatten(0, 1)  # (B·T, C, H, W)
    expected = 0.25 * (frames.mean(dim=(1, 2, 3)) - 1).square().mean()
    torch.testing.assert_close(judged(output, clips) - plain(output, clips), expected)


def test_perceptual_term_sees_frames(clips: Tensor) -> None:
    def perceptual(fake: Tensor, real: Tensor) -> Tensor:
        assert fake.shape == real.shape == (8, 3, 8, 8)
        return (fake - real).amax()

    output = (clips + 0.1, *latents())
    with_it = AutoencoderLoss(perceptual=perceptual, perceptual_weight=2.0)(output, clips)
    assert (with_it - AutoencoderLoss()(output, clips)).item() == pytest.approx(0.2, rel=1e-4)


def test_discriminator_loss_by_hand() -> None:
    """Verdict 0.2 on fakes, wanted 0; 0.7 on real ones, wanted 1."""
    fake, real = (torch.full((1, 1, 2, 4, 4), level) for level in (0.2, 0.7))
    loss = AutoencoderLoss(discriminator=Mean()).discriminator_loss(fake, real)
    assert loss.item() == pytest.approx(0.5 * (0.2**2 + 0.3**2), rel=1e-5)


def test_discriminator_loss_does_not_train_the_autoencoder() -> None:
    fake = torch.full((1, 1, 2, 4, 4), 0.2, requires_grad=True)
    loss = AutoencoderLoss(discriminator=Mean())
    loss.discriminator_loss(fake, torch.ones(1, 1, 2, 4, 4)).backward()
    assert fake.grad is None
    assert all(parameter.grad is not None for parameter in loss.parameters())


def test_errors(clips: Tensor) -> None:
    with pytest.raises(ValueError, match="no discriminator"):
        AutoencoderLoss().discriminator_loss(clips, clips)
    with pytest.raises(ValueError, match=r"came back as \(2, 3, 4, 4, 8\)"):
        AutoencoderLoss()((clips[..., :4, :], *latents()), clips)


def labelled(known: bool = True) -> tuple[Tensor, Tensor]:
    """Logits and true label channels of two clips of three classes; the second clip may have no mask."""
    classes = torch.randint(0, 3, (2, 4, 8, 8))
    labels = (2.0 * torch.nn.functional.one_hot(classes, 3) - 1).movedim(-1, 1)
    labels[1] *= known
    return torch.randn(2, 3, 4, 8, 8, requires_grad=True), labels


@pytest.mark.parametrize("known", [True, False])
def test_label_loss_by_hand(known: bool) -> None:
    """1 - 2 Σ p g / (Σ p + Σ g), averaged over classes, and -log p of the true class, averaged over pixels."""
    logits, labels = labelled(known)
    count = 2 if known else 1
    p, g = (x[:count].movedim(1, 0).reshape(3, -1) for x in (logits.softmax(1), (labels + 1) / 2))
    dice = 1 - 2 * (p * g).sum(1) / (p.sum(1) + g.sum(1))
    entropy = -(p.log() * g).sum(0)
    torch.testing.assert_close(label_loss(logits, labels), dice.mean() + entropy.mean(), rtol=1e-4, atol=1e-5)


def test_unknown_masks_give_no_gradient() -> None:
    logits, labels = labelled(known=False)
    label_loss(logits, labels).backward()
    assert logits.grad is not None
    assert (logits.grad[1] == 0).all()
    assert (logits.grad[0] != 0).all()
    nothing = label_loss(logits, torch.zeros_like(labels))
    assert nothing.item() == 0
    assert torch.autograd.grad(nothing, logits)[0].abs().sum() == 0


def test_labelled_clips_cost_image_and_mask(clips: Tensor) -> None:
    logits, labels = labelled()
    output = (torch.cat([clips + 0.1, logits], 1), *latents(1.0))
    plain = AutoencoderLoss(kl_weight=0.5)((clips + 0.1, *latents(1.0)), clips)
    loss = AutoencoderLoss(kl_weight=0.5, label_channels=3, label_weight=0.25)(output, torch.cat([clips, labels], 1))
    torch.testing.assert_close(loss, plain + 0.25 * label_loss(logits, labels))


def test_clips_without_masks_train_image_channels_only(clips: Tensor) -> None:
    reconstruction = torch.randn(2, 6, 4, 8, 8, requires_grad=True)
    target = torch.cat([clips, torch.zeros(2, 3, 4, 8, 8)], 1)
    AutoencoderLoss(label_channels=3)((reconstruction, *latents()), target).backward()
    assert reconstruction.grad is not None
    assert (reconstruction.grad[:, :3] != 0).all()
    assert (reconstruction.grad[:, 3:] == 0).all()


def test_judges_do_not_see_masks(clips: Tensor) -> None:
    logits, labels = labelled()
    fake, real = torch.cat([clips + 0.1, logits], 1), torch.cat([clips, labels], 1)
    loss = AutoencoderLoss(discriminator=Mean(), label_channels=3, perceptual=lambda a, b: (a - b).abs().amax())
    plain = AutoencoderLoss(discriminator=Mean(), perceptual=loss.perceptual)
    torch.testing.assert_close(loss.discriminator_loss(fake, real), plain.discriminator_loss(clips + 0.1, clips))
    difference = loss((fake, *latents()), real) - plain((clips + 0.1, *latents()), clips)
    torch.testing.assert_close(difference, label_loss(logits, labels))
