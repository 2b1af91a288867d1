# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Batches that do not fit into memory are made in parts that do."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch

__all__ = ["FittingBatches", "is_out_of_memory"]

# PyTorch's own words on CPUs (Linux, other systems), on accelerators, and in the libraries of CUDA.
_COMPLAINTS = ("can't allocate memory", "not enough memory", "out of memory", "ALLOC_FAILED")


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that memory, of an accelerator or of the machine, is used up.

    A system that promises more memory than it has, as Linux usually does, may end the process instead of raising one.

    Example:
        >>> is_out_of_memory(RuntimeError("MPS backend out of memory")), is_out_of_memory(RuntimeError("no kernel"))
        (True, False)
    """
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(complaint in str(error) for complaint in _COMPLAINTS)


class FittingBatches:
    """Makes a batch at once, or halves it, with a warning, until it fits; later batches start with what did.

    Example:
        >>> FittingBatches()(lambda part: torch.arange(part.start, part.stop), number=5)
        tensor([0, 1, 2, 3, 4])
    """

    def __init__(self) -> None:
        self._most: int | None = None

    def __call__(self, make: Callable[[slice], torch.Tensor], number: int) -> torch.Tensor:
        """Make clips and concatenate them.

        Args:
            make: makes the clips of a part of the batch, (B, ...).
            number: of clips in the batch.

        Raises:
            MemoryError, torch.OutOfMemoryError, RuntimeError: when a single clip does not fit.
        """
        made: list[torch.Tensor] = []
        start = 0
        while start < number:
            part = slice(start, min(number, start + (self._most or number)))
            clips = self._try(make, part)
            if clips is not None:
                made.append(clips)
                start = part.stop
        return torch.cat(made)

    def _try(self, make: Callable[[slice], torch.Tensor], part: slice) -> torch.Tensor | None:
        """Make a part; None where it did not fit, and a smaller one is to be tried."""
        size = part.stop - part.start
        try:
            return make(part)
        except (MemoryError, RuntimeError) as error:
            if size < 2 or not is_out_of_memory(error):
                raise
        # After the except clause, whose error would keep the memory of the failed attempt alive.
        self._most = size // 2
        warnings.warn(f"{size} clips at once are too many for the memory; going on with {self._most}", stacklevel=2)
        return None
