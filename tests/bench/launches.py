# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Count the operations that a device would have to launch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["count_launches"]

# What moves no data: other views of the same memory, and memory without contents.
FREE = {
    *(
        "view",
        "_unsafe_view",
        "_reshape_alias",
        "expand",
        "permute",
        "transpose",
        "t",
        "unsqueeze",
        "squeeze",
        "unfold",
    ),
    *("slice", "select", "split", "split_with_sizes", "unbind", "detach", "alias", "as_strided", "lift_fresh"),
    *("empty", "empty_like", "new_empty"),
}


class _Launches(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.split("::")[-1]
        if name not in FREE:
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))


def count_launches(work: Callable[[], object]) -> Counter[str]:
    """Return how often each operation of some work is launched; on the meta device it takes no time."""
    with _Launches() as launches:
        work()
    return launches.counts
