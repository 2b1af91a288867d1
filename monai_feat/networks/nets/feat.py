# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""FEAT, the full-dimensional efficient attention transformer for latent video diffusion (arXiv 2506.04956).

Every layer mixes tokens along space, along time and across channels, each at a cost linear in the number of tokens.

Letters: B clips, C channels, T frames, H and W height and width, h and w the same in patches, D hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from monai.utils import ensure_tuple_rep
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from monai_feat.checkpoints import Pretrained
from monai_feat.conditions import (
    Condition,
    ConditionEmbedding,
    Context,
    conditions_from_json,
    conditions_to_json,
)
from monai_feat.networks.blocks import (
    AdaptiveBlock,
    AdaptiveModulation,
    LayerScaledAdaptiveBlock,
    LevelConditionedSkip,
    PatchEmbedding,
    ScaledSiLU,
    TimestepEmbedding,
    modulate,
    unpatchify,
)
from monai_feat.networks.mixers import MixerChoice, Slot, build_mixer
from monai_feat.networks.nets.denoiser_inputs import check_channels, timesteps_per_clip

__all__ = ["FEAT", "FEAT_PRESETS", "FEATLayer"]

# name: constructor arguments  # parameters with 4 → 8 channels; published scores on Colonoscopic
FEAT_PRESETS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "L": dict(hidden_size=1024, num_layers=9, num_heads=16, mlp_ratio=4.0),  # 629.2 M; FVD 351.1, FID 12.31
        "S": dict(hidden_size=512, num_layers=9, num_heads=8, mlp_ratio=4.0),  # 158.1 M; FVD 415.4, FID 13.34
        "tiny": dict(hidden_size=192, num_layers=4, num_heads=4, mlp_ratio=4.0),  # 10.1 M
        "nano": dict(hidden_size=64, num_layers=4, num_heads=4, mlp_ratio=2.0, skip_filters=8),  # 0.9 M; the bundles
        "pico": dict(hidden_size=32, num_layers=2, num_heads=2, mlp_ratio=2.0),  # 0.1 M, for tests
    }
)


class FEATLayer(nn.Module):
    """One group of three blocks: spatial scans, a temporal scan, channel attention.

    Args:
        hidden_size: number of channels D.
        num_heads: heads of the channel attention.
        mlp_ratio: width of the feed-forward networks, as a multiple of D.
        reference_tokens: lengths that the spatial and temporal scans' decays are relative to; None takes the length at
            hand.
        mixers: what mixes space, time and channels, see `FEAT`.
    """

    def __init__(
        self,
        hidden_size: int,
        num_heads: int,
        mlp_ratio: float,
        reference_tokens: tuple[int | None, int | None] = (None, None),
        mixers: tuple[MixerChoice, MixerChoice, MixerChoice] = ("wkv", "wkv", "transposed"),
    ) -> None:
        super().__init__()
        over_space = build_mixer(mixers[0], Slot("space", hidden_size, num_heads, reference_tokens[0]))
        over_time = build_mixer(mixers[1], Slot("time", hidden_size, num_heads, reference_tokens[1]))
        over_channels = build_mixer(mixers[2], Slot("channels", hidden_size, num_heads))
        self.spatial = LayerScaledAdaptiveBlock(over_space, hidden_size, mlp_ratio)
        self.temporal = LayerScaledAdaptiveBlock(over_time, hidden_size, mlp_ratio)
        self.channel = AdaptiveBlock(over_channels, hidden_size, mlp_ratio, activation=nn.SiLU())

    def forward(self, x: Tensor, embedding: Tensor, guide: Tensor, num_image_frames: int = 0) -> Tensor:
        """Transform tokens; the last ``num_image_frames`` are independent images, which pass by the temporal block.

        Args:
            x: tokens, ``(B, T, h, w, D)``.
            embedding: embedding of the clips' timesteps, ``(B, D)``.
            guide: patch embedding of the noisy input, shaped like ``x``.
            num_image_frames: number of image frames at the end of T.
        """
        x = self.spatial(x, embedding, guide)
        num_video_frames = x.shape[1] - num_image_frames
        video, images = x[:, :num_video_frames], x[:, num_video_frames:]
        video = self.temporal(video, embedding, guide[:, :num_video_frames])
        output: Tensor = self.channel(torch.cat((video, images), dim=1) if num_image_frames else video, embedding)
        return output


class FEAT(Pretrained):
    """Predict the noise of a noisy latent clip (FEAT, arXiv 2506.04956, Figure 2).

    There is no positional embedding: position comes from the decays of the scans and from zero-padded convolutions, so
    one set of weights takes any number of frames and any frame size.

    Args:
        in_channels: channels C of the clip.
        out_channels: channels of the prediction; 2·C where the variance is learned (noise first, then variance logits).
        patch_size: side of a patch; frames are a multiple of it.
        hidden_size: token size D.
        num_layers: number of groups of spatial, temporal and channel block (half of the published ``depth``).
        num_heads: heads of the channel attention; divides ``hidden_size``.
        mlp_ratio: width of the feed-forward networks, as a multiple of D.
        reference_tokens: the scan lengths that the learned decays are relative to: (tokens of a frame, frames), or one
            number for both. None, the default, takes the length at hand as published, so that decay per token weakens
            as clips grow; with the lengths of training, the learned dynamics stay the same at other sizes.
        use_checkpoint: recompute the layers in the backward pass instead of keeping their activations.
        conditions: what clips can be asked for, see `ConditionEmbedding`; none for an unconditional network. A new
            network starts as the unconditional one, whatever is asked.
        skip_filters: filters of a `LevelConditionedSkip` beside the published skip of the input; 0, the default, is as
            published. A new network starts as the one without.
        space_mixer: what mixes the tokens of a frame: a name of `monai_feat.networks.mixers.mixer_names("space")`, or
            ``{"name": ..., option: value}``; ``"wkv"``, the scans, is as published.
        time_mixer: what mixes the frames at a position, likewise.
        channel_mixer: what mixes channels, likewise; ``"transposed"``, attention of channels, is as published.

    Raises:
        ValueError: when a size is not positive, the heads do not divide the hidden size, conditions share a name, or a
            mixer is not known.

    Example:
        >>> import torch
        >>> network = FEAT(in_channels=4, out_channels=8, **FEAT_PRESETS["pico"])
        >>> network(torch.randn(2, 4, 5, 8, 12), timesteps=torch.tensor([3, 700])).shape
        torch.Size([2, 8, 5, 8, 12])
    """

    weights_name = "feat.safetensors"
    conditioning: ConditionEmbedding | None
    level_skip: LevelConditionedSkip | None

    def __init__(
        self,
        in_channels: int = 4,
        out_channels: int = 8,
        patch_size: int = 2,
        hidden_size: int = 512,
        num_layers: int = 9,
        num_heads: int = 8,
        mlp_ratio: float = 4.0,
        reference_tokens: Sequence[int] | int | None = None,
        use_checkpoint: bool = False,
        conditions: Sequence[Condition] = (),
        skip_filters: int = 0,
        space_mixer: MixerChoice = "wkv",
        time_mixer: MixerChoice = "wkv",
        channel_mixer: MixerChoice = "transposed",
    ) -> None:
        super().__init__()
        sizes = dict(in_channels=in_channels, out_channels=out_channels, patch_size=patch_size, hidden_size=hidden_size)
        sizes |= dict(num_layers=num_layers, feed_forward_width=round(hidden_size * mlp_ratio))
        if wrong := {name: size for name, size in sizes.items() if size < 1}:
            raise ValueError(f"sizes of FEAT must be at least 1, got {wrong}")
        if skip_filters < 0:
            raise ValueError(f"skip_filters must be 0, for none, or more, got {skip_filters}")
        self._sizes = {
            **{name: size for name, size in sizes.items() if name != "feed_forward_width"},
            "num_heads": num_heads,
            "mlp_ratio": mlp_ratio,
            "skip_filters": skip_filters,
        }
        mixers = space_mixer, time_mixer, channel_mixer
        self._mixers = dict(zip(("space_mixer", "time_mixer", "channel_mixer"), mixers, strict=True))
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.patch_size = patch_size
        self.use_checkpoint = use_checkpoint
        self._reference_tokens = spatial, temporal = ensure_tuple_rep(reference_tokens, 2)
        self.patch_embedding = PatchEmbedding(in_channels, hidden_size, patch_size)
        self.timestep_embedding = TimestepEmbedding(hidden_size)
        self.layers = nn.ModuleList(
            FEATLayer(hidden_size, num_heads, mlp_ratio, (spatial, temporal), mixers) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(hidden_size, eps=1e-6, elementwise_affine=False)
        self.modulation = AdaptiveModulation(hidden_size, num_vectors=2, activation=ScaledSiLU())
        self.output = nn.Linear(hidden_size, patch_size**2 * out_channels)
        self.skip = nn.Conv3d(in_channels, out_channels, kernel_size=1)
        self.register_module("level_skip", None)
        self.register_module("conditioning", None)
        self.reset_parameters()
        if skip_filters:  # behind the draws of all that is published
            self.level_skip = LevelConditionedSkip(in_channels, out_channels, skip_filters)
        if conditions:  # last, so that the draws of all else are those of an unconditional network
            self.conditioning = ConditionEmbedding(conditions, in_channels, hidden_size, patch_size)

    def reset_parameters(self) -> None:
        """Initialise linear maps as published.

        Xavier, without bias, but for the timestep embedding (normal, 0.02), and for what starts at zero: the modulation
        of spatial and temporal blocks, which makes them the identity, and the output.
        """
        for linear in _linears(self):
            nn.init.xavier_uniform_(linear.weight)
            if linear.bias is not None:
                nn.init.zeros_(linear.bias)
        for linear in _linears(self.timestep_embedding):
            nn.init.normal_(linear.weight, std=0.02)
        blocks = (module for module in self.modules() if isinstance(module, LayerScaledAdaptiveBlock))
        for linear in (*(block.modulation.proj for block in blocks), self.modulation.proj, self.output):
            nn.init.zeros_(linear.weight)
        mixings = (block.mixing for layer in self.layers for block in layer.children())
        for part in (*mixings, self.level_skip, self.conditioning):
            if callable(reset := getattr(part, "reset_parameters", None)):
                reset()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What clips can be asked for."""
        return () if self.conditioning is None else self.conditioning.conditions

    def check_latents(self, shape: Sequence[int]) -> None:
        """Refuse the shape of clips that this network cannot take, before there are any.

        Args:
            shape: ``(C, T, H, W)``, such as an autoencoder's ``latent_shape``.

        Raises:
            ValueError: they have other channels, or frames that are not a whole number of patches.
        """
        channels, _, height, width = shape
        check_channels(channels, self.in_channels)
        self.patch_embedding.check_size(height, width)

    def arguments(self) -> dict[str, Any]:
        """Return what a network of the same tensors is constructed with, as values of JSON."""
        return {
            **self._sizes,
            **self._mixers,
            "reference_tokens": list(self._reference_tokens),
            "conditions": conditions_to_json(self.conditions),
        }

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> FEAT:
        """Make a new network of what `arguments` returns."""
        return cls(**{**arguments, "conditions": conditions_from_json(arguments.get("conditions", ()))})

    def forward(
        self, x: Tensor, timesteps: Tensor | float, context: Context | None = None, num_image_frames: int = 0
    ) -> Tensor:
        """Predict noise, and variance logits where they are learned.

        Args:
            x: noisy latent clips, ``(B, C, T, H, W)``; H and W are multiples of the patch size.
            timesteps: a number, ``(1,)`` or ``(B,)``, in the scheduler's timesteps.
            context: what is asked of the clips: a tensor ``(B, ...)`` for each condition by its name, or a single one,
                see `Context`. What is left out, or −1, is none; None asks for nothing.
            num_image_frames: how many of the last frames are independent images rather than part of the clip (joint
                training).

        Returns:
            The prediction, ``(B, out_channels, T, H, W)``.

        Raises:
            ValueError: when a shape does not fit, or something is asked for that this network does not take.
        """
        self._check(x, context, num_image_frames)
        steps = timesteps_per_clip(timesteps, x)  # (B,)
        embedding = self.timestep_embedding(steps)  # (B, D)
        guide = self.patch_embedding(x)  # (B, T, h, w, D)
        if self.conditioning is not None:
            embedding, guide = self.conditioning(embedding, guide, context)
        tokens = guide
        for layer in self.layers:
            tokens = self._run_layer(layer, tokens, embedding, guide, num_image_frames)
        shift, scale = self.modulation(embedding)
        patches = self.output(modulate(self.norm(tokens), shift, scale))  # (B, T, h, w, p·p·out)
        prediction: Tensor = unpatchify(patches, self.patch_size) + self.skip(x)  # (B, out, T, H, W)
        if self.level_skip is not None:
            prediction = prediction + self.level_skip(x, steps, num_image_frames)
        return prediction

    def _run_layer(self, layer: nn.Module, *args: Any) -> Tensor:
        if self.use_checkpoint and torch.is_grad_enabled():
            output: Tensor = checkpoint(layer, *args, use_reentrant=False)
        else:
            output = layer(*args)
        return output

    def _check(self, x: Tensor, context: Context | None, num_image_frames: int) -> None:
        if x.ndim != 5 or x.shape[1] != self.in_channels or 0 in x.shape:
            raise ValueError(f"expected clips (B, {self.in_channels}, T, H, W), no size zero, got {tuple(x.shape)}")
        if context is not None and self.conditioning is None:
            raise ValueError("this FEAT is unconditional: pass context=None, or define it with conditions")
        if not 0 <= num_image_frames < x.shape[2]:
            raise ValueError(
                f"num_image_frames must lie in 0 … {x.shape[2] - 1} for clips of {x.shape[2]} frames, "
                f"got {num_image_frames}"
            )


def _linears(module: nn.Module) -> Iterator[nn.Linear]:
    return (child for child in module.modules() if isinstance(child, nn.Linear))
