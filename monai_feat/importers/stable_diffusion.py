# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Import of published Stable-Diffusion autoencoders into MONAI's ``AutoencoderKL``.

Rombach et al., "High-Resolution Image Synthesis with Latent Diffusion Models" (arXiv 2112.10752). The file layout is
that of the diffusers library: ``diffusion_pytorch_model.safetensors`` or ``.bin`` with a ``config.json`` beside it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.networks.nets import AutoencoderKL

from monai_feat.checkpoints.storage import CheckpointError, load_checkpoint
from monai_feat.checkpoints.weights import check_weights
from monai_feat.files import read_json
from monai_feat.networks.nets import StableDiffusionAutoencoder
from monai_feat.networks.nets.stable_diffusion_autoencoder import SD_NORM_GROUPS

__all__ = ["import_sd_vae"]

WEIGHT_FILES = ("diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")

# Names inside a block: MONAI's, then the published ones.
_SUFFIXES = (
    ("nin_shortcut.conv.", "conv_shortcut."),
    ("conv1.conv.", "conv1."),
    ("conv2.conv.", "conv2."),
    ("postconv.conv.", "conv."),
    ("conv.conv.", "conv."),
    ("attn.out_proj.", "to_out.0."),
    ("attn.", ""),
    ("norm.", "group_norm."),
    ("conv.", ""),
    ("0.", ""),
)
_MIDDLE = ("mid_block.resnets.0", "mid_block.attentions.0", "mid_block.resnets.1")
# Attention names before diffusers 0.12, then those since.
_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


def import_sd_vae(path: str | os.PathLike[str]) -> AutoencoderKL:
    """Read a published Stable-Diffusion autoencoder, with the numbers it has in diffusers.

    Args:
        path: the folder with ``diffusion_pytorch_model.safetensors`` or ``.bin``, or such a file. A ``config.json``
            beside it decides about the architecture; without one it is read off the shapes, with 32 norm groups.

    Returns:
        A :class:`StableDiffusionAutoencoder` in evaluation mode, in float32 whatever the file has.

    Raises:
        FileNotFoundError: if there are no weights at ``path``.
        CheckpointError: if the file is damaged, is not such an autoencoder, has a key too few, too many or of another
            shape (they are listed), or its configuration asks for what this network does not have.
    """
    file = _find_weights(Path(path))
    state = _with_current_names(load_checkpoint(file))
    if not any(key.startswith("encoder.down_blocks.") for key in state):
        raise CheckpointError(_not_a_diffusers_vae(file, state))
    config = file.with_name("config.json")
    network = _build(_read_config(config) if config.is_file() else _infer_arguments(file, state), file)
    ours = network.state_dict()
    names = {key: _published_name(key, network) for key in ours}
    check_weights(_published_tensors(ours, names), state, source=str(file), target="a Stable-Diffusion autoencoder")
    network.load_state_dict({key: _own_rows(key, state[name]) for key, name in names.items()})
    return network.eval()


def _find_weights(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = [path / name for name in WEIGHT_FILES if (path / name).is_file()]
    if not found:
        hint = f"; try {path / 'vae'}" if (path / "vae").is_dir() else ""
        raise FileNotFoundError(f"{path}: has neither {' nor '.join(WEIGHT_FILES)}{hint}")
    return found[0]


def _with_current_names(state: Mapping[str, Any]) -> dict[str, Any]:
    """Rename old attention keys and turn attention weights stored as 1×1 convolutions into matrices."""
    renamed = {}
    for key, value in state.items():
        match = re.fullmatch(r"(.+\.attentions\.\d+\.)(query|key|value|proj_attn)(\.weight|\.bias)", key)
        current = match[1] + _OLD_ATTENTION[match[2]] + match[3] if match else key
        # A file with both names keeps both, and the old one is then reported as unexpected.
        name = key if current in state else current
        is_convolution = ".attentions." in key and isinstance(value, torch.Tensor) and value.shape[2:] == (1, 1)
        renamed[name] = value.flatten(1) if is_convolution else value
    return renamed


def _not_a_diffusers_vae(file: Path, state: Mapping[str, Any]) -> str:
    original = any(key.startswith(("first_stage_model.", "encoder.down.")) for key in state)
    reason = (
        "it has the original (CompVis) layout; download the diffusers layout of the same weights"
        if original
        else f"this checkpoint is of another architecture; its first keys are {', '.join(map(str, list(state)[:5]))}"
    )
    return f"{file}: is not a Stable-Diffusion autoencoder in diffusers layout: {reason}"


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = read_json(path)
    except ValueError as error:
        raise CheckpointError(str(error)) from error
    levels = len(config.get("block_out_channels", ()))
    # What the network does not have; absent settings have these values in diffusers.
    fixed = {
        "_class_name": "AutoencoderKL",
        "act_fn": "silu",
        "mid_block_add_attention": True,
        "use_quant_conv": True,
        "use_post_quant_conv": True,
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
    }
    for key, value in fixed.items():
        if config.get(key, value) != value:
            raise CheckpointError(f"{path}: {key} is {config[key]!r}; only {value!r} can be imported")
    try:
        return {
            "in_channels": config["in_channels"],
            "out_channels": config["out_channels"],
            "channels": config["block_out_channels"],
            "latent_channels": config["latent_channels"],
            "num_res_blocks": config["layers_per_block"],
            "norm_num_groups": config["norm_num_groups"],
        }
    except KeyError as error:
        raise CheckpointError(f"{path}: has no entry {error}") from error


def _infer_arguments(file: Path, state: Mapping[str, Any]) -> dict[str, Any]:
    def size(name: str, axis: int) -> int:
        tensor = state.get(name)
        if not isinstance(tensor, torch.Tensor) or tensor.ndim != 4:
            raise CheckpointError(f"{file}: is not a Stable-Diffusion autoencoder: 1 missing: {name}")
        return tensor.shape[axis]

    levels = _count(state, r"encoder\.down_blocks\.(\d+)\.")
    return {
        "in_channels": size("encoder.conv_in.weight", 1),
        "out_channels": size("decoder.conv_out.weight", 0),
        "channels": [size(f"encoder.down_blocks.{level}.resnets.0.conv1.weight", 0) for level in range(levels)],
        "latent_channels": size("decoder.conv_in.weight", 1),
        "num_res_blocks": _count(state, r"encoder\.down_blocks\.0\.resnets\.(\d+)\."),
        "norm_num_groups": SD_NORM_GROUPS,
    }


def _count(state: Mapping[str, Any], pattern: str) -> int:
    return 1 + max((int(match[1]) for key in state if (match := re.match(pattern, key))), default=-1)


def _build(arguments: Mapping[str, Any], file: Path) -> StableDiffusionAutoencoder:
    try:
        return StableDiffusionAutoencoder(**arguments)
    except ValueError as error:
        raise CheckpointError(
            f"{file}: widths {arguments['channels']} are not multiples of {arguments['norm_num_groups']} norm groups; "
            "put the config.json that belongs to the weights beside them"
        ) from error


def _published_name(key: str, network: StableDiffusionAutoencoder) -> str:
    if key.startswith("quant_conv_"):
        return "quant_conv." + key.rpartition(".")[2]
    if key.startswith("post_quant_conv."):
        return key.replace(".conv.", ".")
    half, _, index, inside = key.split(".", 3)
    names = _encoder_blocks(network.encoder) if half == "encoder" else _decoder_blocks(network.decoder)
    ours, published = next((pair for pair in _SUFFIXES if inside.startswith(pair[0])), ("", ""))
    return f"{half}.{names[int(index)]}.{published}{inside[len(ours) :]}"


def _encoder_blocks(encoder: Any) -> list[str]:
    """Return the published names of the blocks, in the order in which MONAI lines them up."""
    levels = list(_level_blocks("down_blocks", "downsamplers", encoder.num_res_blocks))
    return ["conv_in", *levels, *_MIDDLE, "conv_norm_out", "conv_out"]


def _decoder_blocks(decoder: Any) -> list[str]:
    levels = list(_level_blocks("up_blocks", "upsamplers", decoder.num_res_blocks))
    return ["conv_in", *_MIDDLE, *levels, "conv_norm_out", "conv_out"]


def _level_blocks(blocks: str, resampler: str, layers_per_level: Sequence[int]) -> Iterator[str]:
    for level, layers in enumerate(layers_per_level):
        for layer in range(layers):
            yield f"{blocks}.{level}.resnets.{layer}"
        if level < len(layers_per_level) - 1:
            yield f"{blocks}.{level}.{resampler}.0"


def _published_tensors(ours: Mapping[str, torch.Tensor], names: Mapping[str, str]) -> dict[str, torch.Tensor]:
    """Return our tensors under the published names; ``quant_conv`` is our two maps, one above the other."""
    published: dict[str, torch.Tensor] = {}
    for key, tensor in ours.items():
        name = names[key]
        published[name] = torch.cat([published[name], tensor]) if name in published else tensor
    return published


def _own_rows(key: str, tensor: torch.Tensor) -> torch.Tensor:
    if not key.startswith("quant_conv_"):
        return tensor
    mean, log_variance = tensor.chunk(2)
    return mean if key.startswith("quant_conv_mu") else log_variance
