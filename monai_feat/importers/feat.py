# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Import of published FEAT weights (github.com/Yaziwel/FEAT)."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from monai_feat.checkpoints.storage import CheckpointError, load_checkpoint
from monai_feat.checkpoints.weights import check_weights
from monai_feat.networks.nets import FEAT

__all__ = ["UNUSED_PUBLISHED_PARAMETERS", "import_feat_checkpoint"]

UNUSED_PUBLISHED_PARAMETERS: Mapping[str, str] = {
    r"blocks\.\d*[02468]\.att\.dwconv1d\.weight": "convolution over time in spatial blocks, which never call it",
    r"restormers\.\d+\.attn\.alpha": "value guidance of the channel attention, which is never given a guide",
}
"""Published parameters that take no part in the published forward pass: a pattern of their names, and what they are."""

# The published training script puts its options beside the weights, as an OmegaConf object. Their classes are replaced
# by one that does nothing, so that options are neither run nor in the way; the plain classes hold their values.
_OPTION_CLASSES = (
    "argparse.Namespace",
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig",
    "omegaconf.nodes.AnyNode",
    "typing.Any",
)
_PLAIN_CLASSES = (defaultdict, dict, list, tuple, int, float, bool, str)

# Names are without the trailing ".weight" or ".bias". Left: ours; right: published.
_TOP = {
    "patch_embedding.proj": "x_embedder.proj",
    "timestep_embedding.mlp.0": "t_embedder.mlp.0",
    "timestep_embedding.mlp.2": "t_embedder.mlp.2",
    "modulation.proj": "final_layer.adaLN_modulation.1",
    "output": "final_layer.linear",
    "skip": "res_conv",
}
_BLOCK = {
    "modulation.proj": "adaLN_modulation.1",
    "feed_forward.project_in": "ffn.project_in",
    "feed_forward.local.conv": "ffn.dwconv",
    "feed_forward.project_out": "ffn.project_out",
}
_SCAN = _BLOCK | {
    "gamma1": "gamma1",
    "gamma2": "gamma2",
    "norm1": "ln1",
    "norm2": "ln2",
    "mixing.decay": "att.spatial_decay",
    "mixing.bonus": "att.spatial_first",
    "mixing.guidance": "att.alpha",
    "mixing.output": "att.output",
}
_SPATIAL = _SCAN | {"mixing.local.conv": "att.dwconv2d"}
_TEMPORAL = _SCAN | {"mixing.local_space.conv": "att.dwconv2d", "mixing.local_time.conv": "att.dwconv1d"}
_CHANNEL = _BLOCK | {
    "norm1": "norm1",
    "norm2": "norm2",
    "mixing.temperature": "attn.temperature",
    "mixing.qkv": "attn.qkv",
    "mixing.local.conv": "attn.qkv_dwconv",
    "mixing.output": "attn.project_out",
}
# Three maps of the same tokens, which are one of ours.
_FUSED = "mixing.key_value_receptance"
_FUSED_PARTS = ("att.key", "att.value", "att.receptance")


def import_feat_checkpoint(path: str | os.PathLike[str]) -> FEAT:
    """Read published FEAT weights into a `FEAT` that gives the same numbers.

    Takes ``.safetensors`` and the published ``.pt`` layout: a state dict, or a dict whose entry ``ema`` (preferred) or
    ``model`` is one; prefixes ``module.`` and ``_orig_mod.`` are dropped, and so are training options. Sizes are
    inferred from the shapes. Published parameters that do nothing (`UNUSED_PUBLISHED_PARAMETERS`) are left out.

    Args:
        path: the published file. It is read without executing anything in it.

    Returns:
        The network, in evaluation mode, on the CPU and in the file's dtype.

    Raises:
        FileNotFoundError: if there is no such file.
        CheckpointError: if the file cannot be read or is not FEAT's, or a key is missing, left over or of another
            shape; the message names the keys as the file does.
    """
    source = str(path)
    published = _strip_wrappers(_take_weights(_load_without_options(path)), source)
    kept = {name: _flat_kernel(value) for name, value in published.items() if not _is_unused(name)}
    network = _empty_network(_infer_sizes(published, source), source)
    parts = {name: _published_names(name) for name in network.state_dict()}
    check_weights(_expected(network, parts), kept, source, "a published FEAT")
    state = {
        name: torch.cat([kept[part] for part in parts[name]]).reshape(value.shape)
        for name, value in network.state_dict().items()
    }
    network.load_state_dict(state, assign=True)
    return network.to(state["skip.weight"].dtype).eval()


class _IgnoredOption:
    """What stands for an object of the training options: it takes any state and keeps none."""

    def __setstate__(self, state: object) -> None: ...


def _load_without_options(path: str | os.PathLike[str]) -> dict[str, Any]:
    ignored = [(_IgnoredOption, name) for name in _OPTION_CLASSES]
    with torch.serialization.safe_globals([*ignored, *_PLAIN_CLASSES]):
        return load_checkpoint(path)


def _take_weights(content: Mapping[str, Any]) -> Mapping[str, Any]:
    entries = (content[name] for name in ("ema", "model") if isinstance(content.get(name), Mapping))
    return next(entries, content)


def _strip_wrappers(state: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Drop what DistributedDataParallel and torch.compile put in front of the names."""
    stripped = {re.sub(r"^(module\.|_orig_mod\.)+", "", str(name)): value for name, value in state.items()}
    if len(stripped) < len(state):
        raise CheckpointError(
            f"{source}: holds some tensors twice, with and without module. or _orig_mod. before them: save one of them"
        )
    return stripped


def _is_unused(name: str) -> bool:
    return any(re.fullmatch(pattern, name) for pattern in UNUSED_PUBLISHED_PARAMETERS)


def _flat_kernel(value: Any) -> Any:
    """Flatten what follows the output channels: published 1×1 convolutions are linear maps here."""
    return value.flatten(1) if isinstance(value, Tensor) and value.ndim > 1 else value


def _infer_sizes(state: Mapping[str, Any], source: str) -> dict[str, Any]:
    dimensions = {
        "x_embedder.proj.weight": 4,
        "res_conv.weight": 4,
        "restormers.0.attn.temperature": 3,
        "blocks.0.ffn.project_out.weight": 4,
    }
    absent = [name for name, ndim in dimensions.items() if getattr(state.get(name), "ndim", None) != ndim]
    if absent:
        raise CheckpointError(f"{source}: is not a published FEAT checkpoint: it has no {', '.join(absent)}")
    embedding, skip, temperature, feed_forward = (state[name].shape for name in dimensions)
    return dict(
        in_channels=embedding[1],
        out_channels=skip[0],
        patch_size=embedding[2],
        hidden_size=embedding[0],
        num_layers=len({name.split(".")[1] for name in state if name.startswith("restormers.")}),
        num_heads=temperature[0],
        mlp_ratio=feed_forward[1] / embedding[0],
    )


def _empty_network(sizes: Mapping[str, Any], source: str) -> FEAT:
    try:
        with torch.device("meta"):
            return FEAT(**sizes)
    except ValueError as error:
        raise CheckpointError(f"{source}: its shapes are not those of a FEAT: {error}") from error


def _published_names(ours: str) -> tuple[str, ...]:
    """Return the published name of a parameter of `FEAT`, or the names of the parts that it stacks."""
    stem, dot, kind = ours.rpartition(".")
    if kind not in ("weight", "bias"):
        stem, dot, kind = ours, "", ""
    if not stem.startswith("layers."):
        return (f"{_TOP[stem]}{dot}{kind}",)
    _, index, block, inner = stem.split(".", 3)
    prefix, table = {
        "spatial": (f"blocks.{2 * int(index)}", _SPATIAL),
        "temporal": (f"blocks.{2 * int(index) + 1}", _TEMPORAL),
        "channel": (f"restormers.{index}", _CHANNEL),
    }[block]
    names = _FUSED_PARTS if inner == _FUSED else (table[inner],)
    return tuple(f"{prefix}.{name}{dot}{kind}" for name in names)


def _expected(network: FEAT, parts: Mapping[str, tuple[str, ...]]) -> dict[str, Tensor]:
    """Return the network's tensors, which hold no numbers yet, under the published names."""
    expected: dict[str, Tensor] = {}
    for name, value in network.state_dict().items():
        expected.update(zip(parts[name], _flat_kernel(value).chunk(len(parts[name])), strict=True))
    return expected
