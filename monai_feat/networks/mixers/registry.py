# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The mixers by name, and which one a network was asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_args

from torch import nn

from .slot import Axis, Slot

__all__ = ["MixerChoice", "build_mixer", "mixer_names", "register_mixer"]

MixerChoice = str | Mapping[str, Any]
"""A name, or a mapping of ``name`` and the options of that mixer, as values of JSON."""

BuilderT = TypeVar("BuilderT", bound=Callable[..., nn.Module])

_BUILDERS: dict[tuple[Axis, str], Callable[..., nn.Module]] = {}


def register_mixer(name: str, *axes: Axis) -> Callable[[BuilderT], BuilderT]:
    """Make a mixer known by name, so that networks can be asked for it and weights can say that they have it.

    A decorator of a class or function that is called with the `Slot` and with options, and returns a module.

    - Over space and time, the module maps tokens and the guide, the embedded noisy input, both ``(B, T, H, W, C)``, to
      tokens of that shape; `GuidedMixing` is a base that has all but the mixing. Over channels, it maps tokens alone.
    - It takes any size, and keeps apart what it does not mix: frames, over space and channels; positions, over time,
      but for a neighbourhood of 3 × 3.
    - It has no state between calls. Where it has a ``reset_parameters()``, that is called after the network has
      initialised all linear maps.

    Args:
        name: as configs and weights say it.
        axes: what it can mix.

    Raises:
        ValueError: no axis is named, or one that there is not, or another mixer has that name there.
    """
    if not axes or not set(axes) <= set(get_args(Axis)):
        raise ValueError(f"{name}: expected one or more of {', '.join(get_args(Axis))} as axes, got {list(axes)}")

    def register(builder: BuilderT) -> BuilderT:
        for axis in axes:
            known = _BUILDERS.setdefault((axis, name), builder)
            if (known.__module__, known.__qualname__) != (builder.__module__, builder.__qualname__):
                raise ValueError(f"{name}: {known.__module__} has registered a mixer of that name; choose another")
            _BUILDERS[axis, name] = builder  # the same once more, of a module that was reloaded
        return builder

    return register


def mixer_names(axis: Axis) -> list[str]:
    """Return the names of all that can mix an axis."""
    return sorted(name for known, name in _BUILDERS if known == axis)


def build_mixer(choice: MixerChoice, slot: Slot) -> nn.Module:
    """Make the mixer of a name.

    Raises:
        ValueError: there is none of that name for the slot's axis, or it does not take the options.

    Example:
        >>> build_mixer({"name": "lru", "causal": True}, Slot("time", hidden_size=8)).causal
        True
    """
    options = {"name": choice} if isinstance(choice, str) else dict(choice)
    name = options.pop("name", None)
    builder = _BUILDERS.get((slot.axis, name))  # type: ignore[arg-type]
    if builder is None:
        raise ValueError(
            f"unknown mixer {name!r} for {slot.axis}; known are {', '.join(mixer_names(slot.axis))}. Import the module "
            "that registers it, or update monai-feat"
        )
    taken = [each for each in inspect.signature(builder).parameters if each != "slot"]
    if unknown := sorted(options.keys() - set(taken)):
        raise ValueError(f"mixer {name!r} does not take {', '.join(unknown)}; it takes {', '.join(taken) or 'nothing'}")
    return builder(slot, **options)
