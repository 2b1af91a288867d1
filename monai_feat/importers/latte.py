# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Import of published Latte weights (github.com/Vchitect/Latte), those without classes or texts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from monai_feat.checkpoints.storage import CheckpointError, load_checkpoint
from monai_feat.checkpoints.weights import check_weights
from monai_feat.networks.nets import Latte

__all__ = ["import_latte_checkpoint"]

# Left: ours, without index and the trailing ".weight" or ".bias"; right: published.
_NAMES = {
    "patch_embedding.proj": "x_embedder.proj",
    "timestep_embedding.mlp.0": "t_embedder.mlp.0",
    "timestep_embedding.mlp.2": "t_embedder.mlp.2",
    "modulation.proj": "final_layer.adaLN_modulation.1",
    "output": "final_layer.linear",
}
_BLOCK = {
    "qkv": "attn.qkv",
    "output": "attn.proj",
    "mlp.0": "mlp.fc1",
    "mlp.2": "mlp.fc2",
    "modulation.proj": "adaLN_modulation.1",
}
_POSITIONS = ("pos_embed", "temp_embed")
_TOLERANCE = 1e-4  # of sines, which are published in float32


def import_latte_checkpoint(path: str | os.PathLike[str], num_heads: int = 16) -> Latte:
    """Read published Latte weights into a `Latte` that gives the same numbers.

    Args:
        path: a state dict, or a dict whose entry ``ema`` (preferred) or ``model`` is one. Nothing in it is executed.
        num_heads: heads of the attention, which weights do not tell; 16 in all published sizes but B and S (12 and 6).

    Returns:
        The network, in evaluation mode, on the CPU and in the file's dtype.

    Raises:
        FileNotFoundError: if there is no such file.
        CheckpointError: if the file cannot be read or is not Latte's, or a key is missing, left over, as those of class
            and text conditions are, or of another shape, or its positions are not the published sines.
    """
    source, content = str(path), load_checkpoint(path)
    entries = (content[name] for name in ("ema", "model") if isinstance(content.get(name), Mapping))
    published = {str(name).removeprefix("module."): value for name, value in next(entries, content).items()}
    if absent := [name for name in (*_POSITIONS, "x_embedder.proj.weight") if not _is_tensor(published, name)]:
        raise CheckpointError(f"{source}: is not a published Latte checkpoint: it has no {', '.join(absent)}")
    network = _empty_network(published, num_heads, source)
    _check_positions(network, published, source)
    kept = {name: value for name, value in published.items() if name not in _POSITIONS}
    names = {ours: _published_name(ours) for ours in network.state_dict()}
    kernel = kept["x_embedder.proj.weight"]
    kept["x_embedder.proj.weight"] = kernel.flatten(1)
    expected = {names[ours]: value for ours, value in network.state_dict().items()}
    check_weights(expected, kept, source, "a published Latte without conditions")
    network.load_state_dict({ours: kept[name] for ours, name in names.items()}, assign=True)
    return network.to(kernel.dtype).eval()


def _is_tensor(state: Mapping[str, Any], name: str) -> bool:
    return isinstance(state.get(name), Tensor)


def _empty_network(state: Mapping[str, Tensor], num_heads: int, source: str) -> Latte:
    kernel = state["x_embedder.proj.weight"]
    blocks = {name.split(".")[1] for name in state if name.startswith("blocks.")}
    try:
        (size, channels, patch), width = kernel.shape[:3], state["blocks.0.mlp.fc1.weight"].shape[0]
        out = state["final_layer.linear.weight"].shape[0] // patch**2
        with torch.device("meta"):
            return Latte(channels, out, patch, size, len(blocks), num_heads, width / size)
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"{source}: its shapes are not those of a Latte of {num_heads} heads: {error}") from error


def _check_positions(network: Latte, state: Mapping[str, Tensor], source: str) -> None:
    side = round(state["pos_embed"].shape[1] ** 0.5)
    in_frames, in_time = network.positions(state["temp_embed"].shape[1], side, side)
    for name, ours in zip(_POSITIONS, (in_frames.flatten(0, 1), in_time.flatten(0, 2)), strict=True):
        theirs = state[name][0].double()
        if theirs.shape != ours.shape or (theirs - ours).abs().max() > _TOLERANCE:
            raise CheckpointError(f"{source}: {name} is not the published sines, so that other sizes have no positions")


def _published_name(ours: str) -> str:
    stem, _, kind = ours.rpartition(".")
    if block := re.fullmatch(r"blocks\.(\d+)\.(.+)", stem):
        return f"blocks.{block[1]}.{_BLOCK[block[2]]}.{kind}"
    return f"{_NAMES[stem]}.{kind}"
