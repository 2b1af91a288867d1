# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A 2-D autoencoder applied frame by frame: the latent space that FEAT works in (arXiv 2506.04956, Section 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from einops import rearrange
from monai.networks.nets import AutoencoderKL
from monai.utils import ensure_tuple_rep
from torch import Tensor

from monai_feat.checkpoints import Pretrained
from monai_feat.networks.nets.autoencoder_arguments import build_autoencoder, describe_autoencoder

__all__ = ["FrameAutoencoder", "sample_posterior"]


def sample_posterior(mean: Tensor, log_variance: Tensor, noise: Tensor) -> Tensor:
    """Draw latents from the encoder's Gaussian: mean + exp(log_variance / 2) · noise; all of one shape."""
    return torch.addcmul(mean, torch.exp(0.5 * log_variance), noise)


class FrameAutoencoder(Pretrained):
    """Encode and decode clips with MONAI's 2-D ``AutoencoderKL``, one frame at a time.

    Latents handed out are multiplied with ``scale_factor``, so that a diffusion model sees unit variance; it is a
    buffer and is saved with the weights. `estimate_scale_factor` sets it from a whole data set; `standardize_latents`
    goes further and folds mean and scale of each channel into the autoencoder's weights.

    Args:
        autoencoder: the frame autoencoder; frames in ``(N, C, H, W)``.
        scale_factor: 1 / standard deviation of the latents (Stable Diffusion's autoencoder: 0.18215).
        max_frames: number of frames that pass through the autoencoder at once; bounds the memory.

    Raises:
        ValueError: when a number is not positive.

    Example:
        >>> import torch
        >>> net = AutoencoderKL(2, 3, 3, (1, 1), (8, 8), (False, False), 4, norm_num_groups=4,
        ...                     with_encoder_nonlocal_attn=False, with_decoder_nonlocal_attn=False)
        >>> frames = FrameAutoencoder(net)
        >>> latents = frames.encode(torch.zeros(1, 3, 5, 16, 16))
        >>> latents.shape, frames.decode(latents).shape
        (torch.Size([1, 4, 5, 8, 8]), torch.Size([1, 3, 5, 16, 16]))
    """

    weights_name = "autoencoder.safetensors"
    scale_factor: Tensor

    def __init__(self, autoencoder: AutoencoderKL, scale_factor: float = 1.0, max_frames: int = 64) -> None:
        super().__init__()
        if not scale_factor > 0 or max_frames < 1:
            raise ValueError(f"scale_factor and max_frames must be positive, got {scale_factor} and {max_frames}")
        self.autoencoder = autoencoder
        self.max_frames = max_frames
        self.register_buffer("scale_factor", torch.tensor(float(scale_factor)))

    def arguments(self) -> dict[str, Any]:
        """Return what a network of the same tensors is constructed with, as values of JSON."""
        return {"autoencoder": describe_autoencoder(self.autoencoder), "scale_factor": float(self.scale_factor)}

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> FrameAutoencoder:
        """Make a new network of what `arguments` returns."""
        return cls(**{**arguments, "autoencoder": build_autoencoder(arguments["autoencoder"])})

    def encode_moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Encode clips to the mean and log-variance of their latents, before scaling.

        Args:
            x: clips in [-1, 1], ``(B, C, T, H, W)``.

        Returns:
            Mean and log-variance, each ``(B, C_latent, T, H/f, W/f)`` for an autoencoder that downsamples by f.

        Raises:
            ValueError: when the clips have no five axes or other channels, or H or W is not a multiple of f.
        """
        if x.ndim == 5 and x.shape[1] != (channels := self._first_weights().shape[1]):
            raise ValueError(
                f"expected clips of {channels} channels, got {tuple(x.shape)}; train the autoencoder on as many "
                "image_channels and label_channels"
            )
        mean, std = self._frame_by_frame(self.autoencoder.encode, x)
        for pixels, latents in zip(x.shape[-2:], mean.shape[-2:], strict=True):
            factor = pixels // latents
            if pixels != factor * latents or factor.bit_count() != 1:
                raise ValueError(
                    f"frames of {x.shape[-2]}×{x.shape[-1]} pixels are cut off by the autoencoder, whose latents are "
                    f"{mean.shape[-2]}×{mean.shape[-1]}: choose a multiple of its downsampling factor"
                )
        return mean, 2 * std.log()

    def encode(self, x: Tensor) -> Tensor:
        """Encode clips in [-1, 1], ``(B, C, T, H, W)``, to scaled mean latents ``(B, C_latent, T, H/f, W/f)``."""
        return self.encode_moments(x)[0] * self.scale_factor

    def decode(self, z: Tensor) -> Tensor:
        """Decode latents ``(B, C_latent, T, H/f, W/f)`` to clips ``(B, C, T, H, W)``, about in [-1, 1]."""
        return self._frame_by_frame(lambda frames: (self.autoencoder.decode(frames),), z / self.scale_factor)[0]

    def forward(
        self, x: Tensor, noise: Tensor | None = None, disturbance: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruct clips through sampled latents, for training.

        Args:
            x: clips in [-1, 1], ``(B, C, T, H, W)``.
            noise: standard normal noise of the latents' shape; drawn where it is None.
            disturbance: what else is added to the latents, in standard deviations of their channels over the batch; of
                their shape. A decoder that has met it forgives what a diffusion model gets wrong.

        Returns:
            The reconstruction, and the latents' mean and log-variance.
        """
        mean, log_variance = self.encode_moments(x)
        latents = sample_posterior(mean, log_variance, torch.randn_like(mean) if noise is None else noise)
        if disturbance is not None:
            latents = latents + latents.detach().std(dim=(0, 2, 3, 4), keepdim=True) * disturbance
        return self.decode(latents * self.scale_factor), mean, log_variance

    def freeze_encoder(self) -> FrameAutoencoder:
        """Keep what makes latents out of training, so that only the decoder learns; return this network."""
        trained = (self.autoencoder.decoder, self.autoencoder.post_quant_conv)
        self.autoencoder.requires_grad_(False)
        for part in trained:
            part.requires_grad_(True)
        return self

    @torch.no_grad()
    def latent_shape(self, num_frames: int, frame_size: int | Sequence[int]) -> tuple[int, ...]:
        """Return the shape ``(C_latent, T, H/f, W/f)`` of the latents of one clip.

        Args:
            num_frames: frames T of the clip.
            frame_size: its ``(H, W)`` in pixels, or one number.

        Raises:
            ValueError: when H or W is not a multiple of f.
        """
        first = self._first_weights()
        frame = first.new_zeros(1, first.shape[1], 1, *ensure_tuple_rep(frame_size, 2))
        channels, _, *size = self.encode_moments(frame)[0].shape[1:]
        return (channels, num_frames, *size)

    @torch.no_grad()
    def estimate_scale_factor(self, clips: Iterable[Tensor]) -> float:
        """Set ``scale_factor`` to 1 / standard deviation of the sampled latents of all given clips, and return it.

        Args:
            clips: batches ``(B, C, T, H, W)``, of any sizes.

        Raises:
            ValueError: when there is no clip, or the latents do not vary.
        """
        means, variances, _ = self._channel_moments(clips)
        variance = (variances + means.square()).mean() - means.mean().square()
        self.scale_factor.fill_(_checked(variance).rsqrt())
        return float(self.scale_factor)

    @torch.no_grad()
    def standardize_latents(self, clips: Iterable[Tensor]) -> None:
        """Give every latent channel mean 0 and variance 1 over all given clips, without changing a reconstruction.

        What is taken from the latents is put back by the decoder: both maps next to the latents are linear per pixel,
        so the standardisation is folded into their weights, exactly. A diffusion model then meets no channel that is
        off-centre or drowned in noise. ``scale_factor`` becomes 1.

        Args:
            clips: batches ``(B, C, T, H, W)``, of any sizes.

        Raises:
            ValueError: when there is no clip, or a latent channel does not vary.
        """
        means, variances, _ = self._channel_moments(clips)
        parameter = self.autoencoder.get_parameter
        first, last = parameter("quant_conv_mu.conv.weight"), parameter("post_quant_conv.conv.weight")
        mean, std = means.to(first), _checked(variances).sqrt().to(first)
        first.div_(std[:, None, None, None])
        parameter("quant_conv_mu.conv.bias").sub_(mean).div_(std)
        parameter("quant_conv_log_sigma.conv.bias").sub_(2 * std.log())
        parameter("post_quant_conv.conv.bias").add_(last[..., 0, 0] @ mean)
        last.mul_(std[:, None, None])
        self.scale_factor.fill_(1.0)

    @torch.no_grad()
    def check_latents(self, clips: Iterable[Tensor], most: float = 0.25) -> None:
        """Refuse an autoencoder with channels that say little: a diffusion model would have to learn their noise.

        Args:
            clips: batches ``(B, C, T, H, W)``, of any sizes.
            most: the largest share that the encoder's own noise may have in the variance of a channel.

        Raises:
            ValueError: when a channel has more; names them, and their shares.
        """
        shares = self.noise_shares(clips)
        dead = [f"{channel} ({share:.2f})" for channel, share in enumerate(shares.tolist()) if share > most]
        if dead:
            raise ValueError(
                f"latent channels {', '.join(dead)} are noise to more than {most:g} of their variance: train the "
                "autoencoder with a smaller weight of the KL divergence"
            )

    @torch.no_grad()
    def noise_shares(self, clips: Iterable[Tensor]) -> Tensor:
        """Return the share of each latent channel's variance that is the encoder's own noise, ``(C_latent,)``, 0 to 1.

        Args:
            clips: batches ``(B, C, T, H, W)``, of any sizes.

        Raises:
            ValueError: when there is no clip.
        """
        _, variances, noise = self._channel_moments(clips)
        return noise / variances

    def _channel_moments(self, clips: Iterable[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Return mean and variance of the sampled latents, and the encoder's part of the variance: float64 ``(C,)``."""
        count, total, squares, noise = 0, torch.zeros(()), torch.zeros(()), torch.zeros(())
        for batch in clips:
            moments = self.encode_moments(batch.to(self.scale_factor.device))
            mean, log_variance = (rearrange(moment.double(), "b c t h w -> c (b t h w)") for moment in moments)
            count += mean.shape[1]
            total = total + mean.sum(dim=1)
            squares = squares + (mean.square() + log_variance.exp()).sum(dim=1)
            noise = noise + log_variance.exp().sum(dim=1)
        if not count:
            raise ValueError("there are no clips, expected at least one to measure latents of: give it clips")
        return total / count, squares / count - (total / count).square(), noise / count

    def _first_weights(self) -> Tensor:
        return self.autoencoder.get_parameter("encoder.blocks.0.conv.weight")

    def _frame_by_frame(self, function: Callable[[Tensor], tuple[Tensor, ...]], x: Tensor) -> tuple[Tensor, ...]:
        if x.ndim != 5 or 0 in x.shape:
            raise ValueError(f"expected clips (B, C, T, H, W), no size zero, got {tuple(x.shape)}")
        frames = rearrange(x, "b c t h w -> (b t) c h w").contiguous(memory_format=torch.channels_last)
        parts = [function(part) for part in frames.split(self.max_frames)]
        outputs = (torch.cat(pieces) for pieces in zip(*parts, strict=True))
        return tuple(rearrange(output, "(b t) c h w -> b c t h w", b=len(x)) for output in outputs)


def _checked(variance: Tensor) -> Tensor:
    if not bool((variance > 0).all()):
        raise ValueError(
            f"the latents have the variance {variance.tolist()}, expected more than 0 to scale them by: train the "
            "autoencoder further, or look at its weights"
        )
    return variance
