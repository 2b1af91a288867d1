# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What dictionary twins have in common: an array transform, and the keys of an item that it is for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Protocol

import numpy as np
from monai.transforms import MapTransform, Randomizable
from torch import Tensor

__all__ = ["EachKey", "OneDraw"]


class EachKey(MapTransform):
    """Apply one array transform to each of the keys.

    Attributes:
        transform: of the class, or of the instance where it takes arguments.
    """

    transform: Callable[[Any], Any]

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Transform what is under the keys of an item."""
        item = dict(data)
        for key in self.key_iterator(item):
            item[key] = self.transform(item[key])
        return item


class _RandomTransform(Protocol):
    def set_random_state(self, seed: int | None = None, state: np.random.RandomState | None = None) -> Any: ...

    def randomize(self, data: Any | None = None) -> None: ...

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor: ...


class OneDraw(MapTransform, Randomizable):
    """Hold a random array transform of which one draw is for all keys of an item; subclasses apply it.

    Attributes:
        transform: called with ``randomize=False`` after `randomize`.
    """

    transform: _RandomTransform

    def set_random_state(self, seed: int | None = None, state: np.random.RandomState | None = None) -> Randomizable:
        """Seed the draws."""
        super().set_random_state(seed, state)
        self.transform.set_random_state(seed, state)
        return self

    def randomize(self, data: Any | None = None) -> None:
        """Draw one change for the whole item."""
        self.transform.randomize(data)
