# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How much memory a network needs, before it runs: every operation without its numbers, on torch's meta device."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["LiveBytes", "Memory", "estimate_memory"]


@dataclass(frozen=True)
class Memory:
    """Bytes that a network needs."""

    parameters: int
    """The weights."""
    training_state: int
    """Gradients, two moments of Adam and a moving average."""
    activations: int
    """What a forward pass leaves for the backward pass."""
    training_peak: int
    """The most at any time of a training step, all of the above included."""
    sampling_peak: int
    """The most at any time of a forward pass without gradients, weights included."""


class LiveBytes(TorchDispatchMode):
    """Follow the bytes of the tensors that are made inside: how many live now, and the most that ever did.

    What an operator uses inside, as that of the scan does, is not seen.

    Args:
        known: tensors that are there already, and do not count.
    """

    def __init__(self, known: Iterable[Tensor] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._seen = weakref.WeakSet(tensor.untyped_storage() for tensor in known)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and count what it made."""
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._follow(leaf.untyped_storage())
        return result

    def _follow(self, storage: torch.UntypedStorage) -> None:
        if storage in self._seen:
            return
        self._seen.add(storage)
        self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)
        weakref.finalize(storage, self._forget, storage.nbytes())

    def _forget(self, count: int) -> None:
        self.now -= count


def estimate_memory(network: Callable[[], nn.Module], shape: tuple[int, int, int, int, int]) -> Memory:
    """Estimate what a network of noisy clips and timesteps needs in float32, without allocating it.

    Args:
        network: makes the network.
        shape: of the clips, ``(B, C, T, H, W)``.

    Returns:
        The bytes. Under autocast to half precision activations need less.
    """
    with torch.device("meta"):
        model = network()
        x, timesteps = torch.empty(shape), torch.zeros(shape[0])
    known = [*model.parameters(), *model.buffers(), x, timesteps]
    with torch.no_grad(), LiveBytes(known) as sampling:
        model(x, timesteps)
    with LiveBytes(known) as training:
        output = model(x, timesteps)
        activations = training.now
        output.square().mean().backward()
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    # The backward pass makes the gradients; the optimiser's step holds them and about as much beside them.
    peak = 4 * weights + max(training.peak, 2 * weights)
    return Memory(weights, 4 * weights, activations, peak, weights + sampling.peak)
