# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What MONAI's frame autoencoders are constructed with, read off the networks themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from monai.networks.blocks import SpatialAttentionBlock
from monai.networks.nets import AutoencoderKL
from torch import nn

from monai_feat.files import compare_keys, first_few
from monai_feat.networks.nets.stable_diffusion_autoencoder import StableDiffusionAutoencoder

__all__ = ["build_autoencoder", "describe_autoencoder"]


def describe_autoencoder(autoencoder: AutoencoderKL) -> dict[str, Any]:
    """Return the class of an autoencoder, ``kind``, and its arguments, as values of JSON.

    Raises:
        ValueError: the network is of another class, or has been changed, so that these arguments would not make it.

    Example:
        >>> net = AutoencoderKL(2, 1, 1, (1,), (4,), (False,), 2, norm_num_groups=2)
        >>> describe_autoencoder(net)["latent_channels"]
        2
    """
    kind = type(autoencoder).__name__
    if _KINDS.get(kind) is not type(autoencoder):
        raise ValueError(f"cannot describe a {kind}; expected {' or '.join(_KINDS)}")
    described = {"kind": kind, **_ARGUMENTS[kind](autoencoder)}
    with torch.device("meta"):
        again = build_autoencoder(described)
    shapes = ({key: tensor.shape for key, tensor in net.state_dict().items()} for net in (autoencoder, again))
    if found := compare_keys(*shapes):
        tensors = first_few([*found.missing, *found.unexpected, *found.changed])
        raise ValueError(f"this {kind} cannot be made of its arguments alone; it differs in {tensors}")
    return described


def build_autoencoder(described: Mapping[str, Any]) -> AutoencoderKL:
    """Make a new autoencoder of what `describe_autoencoder` returns.

    Raises:
        ValueError: the class is not known.
    """
    arguments = dict(described)
    kind = arguments.pop("kind", None)
    if kind not in _KINDS:
        raise ValueError(f"unknown kind of autoencoder {kind!r}; known are {', '.join(_KINDS)}")
    return _KINDS[kind](**arguments)


def _monai_arguments(network: Any) -> dict[str, Any]:
    encoder, decoder = network.encoder, network.decoder
    return {
        "spatial_dims": encoder.spatial_dims,
        **_shared_arguments(network),
        "num_res_blocks": list(encoder.num_res_blocks),
        "attention_levels": list(encoder.attention_levels),
        "norm_eps": encoder.norm_eps,
        "with_encoder_nonlocal_attn": _has_middle(encoder, encoder.num_res_blocks),
        "with_decoder_nonlocal_attn": _has_middle(decoder, decoder.num_res_blocks),
    }


def _stable_diffusion_arguments(network: Any) -> dict[str, Any]:
    return {**_shared_arguments(network), "num_res_blocks": network.encoder.num_res_blocks[0]}


def _shared_arguments(network: Any) -> dict[str, Any]:
    return {
        "in_channels": network.encoder.in_channels,
        "out_channels": network.decoder.out_channels,
        "channels": list(network.encoder.channels),
        "latent_channels": network.latent_channels,
        "norm_num_groups": network.encoder.norm_num_groups,
    }


def _has_middle(half: Any, num_res_blocks: Any) -> bool:
    """Whether there is an attention block beside those of the levels."""
    attending = zip(num_res_blocks, half.attention_levels, strict=True)
    attending = zip(num_res_blocks, half.attention_levels, strict=True)
    of_levels: int = sum(count for count, attends in attending if attends)
    return sum(isinstance(block, SpatialAttentionBlock) for block in half.blocks) > of_levels


_KINDS: dict[str, type[AutoencoderKL]] = {kind.__name__: kind for kind in (AutoencoderKL, StableDiffusionAutoencoder)}
_ARGUMENTS: dict[str, Callable[[nn.Module], dict[str, Any]]] = {
    "AutoencoderKL": _monai_arguments,
    "StableDiffusionAutoencoder": _stable_diffusion_arguments,
}
