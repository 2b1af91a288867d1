# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Strict loading of weights into a network, with an error that people can read."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable

import torch

from monai_feat.checkpoints.description import describe_differences, read_description
from monai_feat.checkpoints.storage import CheckpointError, load_checkpoint
from monai_feat.files import compare_keys, first_few

__all__ = ["check_weights", "load_weights"]

_LOGGER = logging.getLogger(__name__)
ModuleT = TypeVar("ModuleT", bound=torch.nn.Module)


@runtime_checkable
class _Described(Protocol):
    def arguments(self) -> Mapping[str, Any]: ...


def load_weights(
    module: ModuleT, path: str | os.PathLike[str], entry: str | None = None, exchangeable: str | None = None
) -> ModuleT:
    """Load a checkpoint into ``module``, every tensor of the one into every tensor of the other, and return the module.

    Args:
        module: the network; its device and dtype stay as they are.
        path: a checkpoint that :func:`monai_feat.checkpoints.load_checkpoint` reads.
        entry: which state dict to take from a training checkpoint, which holds several (``"network"``); None for a file
            that is a state dict itself.
        exchangeable: name of a submodule whose own submodules may differ. One that the checkpoint lacks stays as it is;
            one that the network lacks is left out, and a warning names it. So the weights of a network start one with
            other conditions, or with none (``"conditioning.blocks"``).

    Raises:
        FileNotFoundError: if there is no such file.
        CheckpointError: if the file cannot be read or does not fit; of a file that describes itself the message begins
            with the first argument in which the networks differ. ``module`` is then unchanged, unless it is one of its
            own modules that refuses a tensor of the right shape.
    """
    state = load_checkpoint(path)
    if entry is not None:
        state = _take_entry(state, entry, str(path))
    own = module.state_dict()
    if exchangeable is not None:
        state = _exchange(own, state, f"{exchangeable}.", str(path))
    try:
        check_weights(own, state, source=str(path), target=type(module).__name__)
    except CheckpointError as error:
        if differing := _differing_arguments(module, path):
            raise CheckpointError(f"{path}: {differing[0]}\n{error}") from error
        raise
    try:
        module.load_state_dict(state)
    except RuntimeError as error:  # what a module has against tensors of the right shape
        raise CheckpointError(f"{path}: does not fit {type(module).__name__}: {error}") from error
    return module


def check_weights(expected: Mapping[str, torch.Tensor], given: Mapping[str, Any], source: str, target: str) -> None:
    """Raise one readable error unless ``given`` has the keys and shapes of ``expected``.

    Args:
        expected: tensors of the network, by key.
        given: tensors of the checkpoint, by key.
        source: what to call the checkpoint in the message, its path.
        target: what to call the network.

    Raises:
        CheckpointError: naming the missing and unexpected keys and those of another shape: the first few of each kind
            and their number, or the entries to choose from if ``given`` is not flat.
    """
    nested = [key for key, value in given.items() if not isinstance(value, torch.Tensor)]
    if nested:
        raise CheckpointError(
            f"{source}: is not a flat dict of tensors; it holds the entries {first_few(list(given))}. "
            "Name the one with the weights, for example entry='ema' (in the bundles: --network_entry ema)"
        )
    shapes = [{key: tuple(tensor.shape) for key, tensor in tensors.items()} for tensors in (expected, given)]
    found = compare_keys(*shapes)
    if not found:
        return
    differences = {
        "missing": found.missing,
        "unexpected": found.unexpected,
        "of another shape": [f"{key} {shapes[1][key]} instead of {shapes[0][key]}" for key in found.changed],
    }
    agreeing = len(expected) - len(found.missing) - len(found.changed)
    verdict = "this checkpoint is of another architecture" if 2 * agreeing < len(expected) else "some tensors differ"
    lines = [f"  {len(keys)} {kind}: {first_few(keys)}" for kind, keys in differences.items() if keys]
    summary = f"{source}: does not fit {target}: {verdict} ({agreeing} of {len(expected)} tensors agree)"
    raise CheckpointError("\n".join([summary, *lines]))


def _exchange(own: Mapping[str, Any], state: Mapping[str, Any], prefix: str, source: str) -> dict[str, Any]:
    """Return a state dict whose parts behind a prefix are those of ``own``, as they were where it lacks them."""
    here, there = (
        {key: key.removeprefix(prefix).split(".")[0] for key in tensors if key.startswith(prefix)}
        for tensors in (own, state)
    )
    if left_out := sorted(set(there.values()) - set(here.values())):
        _LOGGER.warning("%s: left out %s, which this network does not have", source, ", ".join(left_out))
    kept = {key: tensor for key, tensor in state.items() if there.get(key) not in left_out}
    return kept | {key: own[key] for key, part in here.items() if part not in there.values()}


def _differing_arguments(module: torch.nn.Module, path: str | os.PathLike[str]) -> list[str]:
    description = read_description(path)
    if description is None or not isinstance(module, _Described):
        return []
    if description.network != type(module).__name__:
        return [f"is of a {description.network}, expected a {type(module).__name__}"]
    return describe_differences(description.arguments, module.arguments())


def _take_entry(state: Mapping[str, Any], entry: str, source: str) -> dict[str, Any]:
    if not isinstance(state.get(entry), Mapping):
        raise CheckpointError(f"{source}: has no state dict under {entry!r}; it holds {first_few(list(state))}")
    return dict(state[entry])
