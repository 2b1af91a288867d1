# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The kinds of condition by name, and conditions as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from monai_feat.conditions.condition import Condition

__all__ = ["condition_kinds", "conditions_from_json", "conditions_to_json", "register_condition"]

KindT = TypeVar("KindT", bound=type[Condition])

_KINDS: dict[str, type[Condition]] = {}


def register_condition(kind: KindT) -> KindT:
    """Make a kind of condition known by the name of its class, so that weights can say that they take it.

    A decorator above ``@dataclass(frozen=True)``. The fields of the class are what is saved: plain values of JSON.

    Raises:
        TypeError: the class is not a dataclass.
        ValueError: another class has that name.
    """
    if "__dataclass_fields__" not in vars(kind):
        raise TypeError(f"{kind.__name__}: expected a dataclass; put @dataclass(frozen=True) below @register_condition")
    known = _KINDS.setdefault(kind.__name__, kind)
    if (known.__module__, known.__qualname__) != (kind.__module__, kind.__qualname__):
        raise ValueError(f"{kind.__name__}: {known.__module__} has registered a condition of that name; choose another")
    _KINDS[kind.__name__] = kind  # the same class once more, of a module that was reloaded
    return kind


def condition_kinds() -> Mapping[str, type[Condition]]:
    """Return all kinds that are known, by name."""
    return dict(_KINDS)


def conditions_to_json(conditions: Sequence[Condition]) -> list[dict[str, Any]]:
    """Describe conditions by values of JSON.

    Raises:
        ValueError: a kind is not registered, so that nothing could read the description.

    Example:
        >>> from monai_feat.conditions import ClassCondition
        >>> conditions_to_json([ClassCondition("view", 3)])
        [{'kind': 'ClassCondition', 'name': 'view', 'num_classes': 3}]
    """
    for condition in conditions:
        if _KINDS.get(type(condition).__name__) is not type(condition):
            raise ValueError(f"{type(condition).__name__} is not registered; decorate it with @register_condition")
    return [{"kind": type(condition).__name__, **dataclasses.asdict(condition)} for condition in conditions]


def conditions_from_json(described: Iterable[Mapping[str, Any] | Condition]) -> list[Condition]:
    """Make the conditions that `conditions_to_json` has described; what is one already stays as it is.

    Raises:
        ValueError: a kind is not known, or takes other values.
    """
    return [each if isinstance(each, Condition) else _from_json(each) for each in described]


def _from_json(described: Mapping[str, Any]) -> Condition:
    values = dict(described)
    kind = values.pop("kind", None)
    if kind not in _KINDS:
        raise ValueError(
            f"unknown kind of condition {kind!r}; known are {', '.join(sorted(_KINDS))}. Import the module that "
            "registers it, or update monai-feat"
        )
    try:
        return _KINDS[kind](**values)
    except TypeError as error:
        raise ValueError(f"{kind} does not take {values}: {error}") from error
