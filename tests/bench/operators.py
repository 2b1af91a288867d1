# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Speed and memory, as ratios within one run: ``python -m tests.bench.operators``.

Absolute times belong to the machine; ratios carry over. Every figure is the median of several repetitions, with its
spread.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from monai_feat.networks.blocks import AdaptiveModulation, ScaledSiLU
from monai_feat.networks.mixers import WeightedKeyValue
from monai_feat.networks.nets import FEAT, FEAT_PRESETS
from monai_feat.ops import bi_wkv, bi_wkv_reference

REPEATS = 5


@dataclass(frozen=True)
class Timing:
    """Seconds of repeated runs."""

    seconds: list[float]

    @property
    def median(self) -> float:
        """Median in seconds."""
        return statistics.median(self.seconds)

    def __str__(self) -> str:
        """Return median and range in milliseconds."""
        return f"{1e3 * self.median:8.1f} ms ({1e3 * min(self.seconds):.1f} … {1e3 * max(self.seconds):.1f})"


def measure(work: Callable[[], object], repeats: int = REPEATS) -> Timing:
    """Time some work, after one run to warm up."""
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return Timing(seconds)


def saved_bytes(work: Callable[[], Tensor]) -> int:
    """Count the bytes that autograd keeps for the backward pass of some work."""
    total = 0

    def count(tensor: Tensor) -> Tensor:
        nonlocal total
        total += tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor):
        work()
    return total


def bench_operator() -> None:
    """Compare the linear-time operator with its dense twin, forward and backward."""
    print("bi_wkv against its dense twin, forward + backward, 64 channels")
    for batch, length in ((64, 16), (16, 64), (4, 256), (1, 1024)):
        leaves = [torch.randn(64, requires_grad=True) / length for _ in range(2)]
        leaves += [torch.randn(batch, length, 64, requires_grad=True) for _ in range(2)]
        linear, dense = (measure(partial(_train, function, leaves)) for function in (bi_wkv, bi_wkv_reference))
        kept = [saved_bytes(partial(function, *leaves)) / 2**20 for function in (bi_wkv, bi_wkv_reference)]
        print(
            f"  B {batch:3d}, T {length:4d}: {linear}; dense {dense}; "
            f"{dense.median / linear.median:6.1f} times faster; keeps {kept[0]:.1f} MiB, dense {kept[1]:.1f} MiB"
        )


def _train(function: Callable[..., Tensor], leaves: list[Tensor]) -> None:
    function(*leaves).sum().backward(retain_graph=True)


def bench_modulation() -> None:
    """Compare the modulation of a clip computed once with the published way, repeated for every frame or position."""
    print("adaptive layer norm's projection, 16 frames, hidden size 512")
    modulation = AdaptiveModulation(512, 6, ScaledSiLU())
    embedding = torch.randn(4, 512)
    once = measure(lambda: modulation(embedding))
    for name, repeats in (("per frame", 16), ("per position", 64)):
        repeated = measure(lambda n=repeats: modulation(embedding.repeat_interleave(n, dim=0)))
        print(f"  once per clip {once}; {name} {repeated}; {repeated.median / once.median:5.1f} times faster")


def bench_network() -> None:
    """Say where the time of a training step goes."""
    print("nano FEAT, 4 clips of 16 frames, latents 16 x 16")
    network = FEAT(**FEAT_PRESETS["nano"])
    clips, timesteps = torch.randn(4, 4, 16, 16, 16), torch.randint(0, 1000, (4,))
    with torch.no_grad():
        forward = measure(lambda: network(clips, timesteps))
    step = measure(lambda: network(clips, timesteps).square().mean().backward())
    scans = sum(_time_scans(network, clips, timesteps) for _ in range(REPEATS)) / REPEATS
    print(f"  forward {forward}; forward + backward {step}, {step.median / forward.median:.1f} times a forward pass")
    print(f"  scans take {100 * scans / forward.median:.0f} % of a forward pass")


def _time_scans(network: nn.Module, clips: Tensor, timesteps: Tensor) -> float:
    spent = 0.0

    def timed(scan: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def run(*args: Tensor) -> Tensor:
            nonlocal spent
            start = time.perf_counter()
            output = scan(*args)
            spent += time.perf_counter() - start
            return output

        return run

    mixers = [module for module in network.modules() if isinstance(module, WeightedKeyValue)]
    for mixer in mixers:
        mixer.scan = timed(mixer.scan)  # type: ignore[method-assign]
    try:
        with torch.no_grad():
            network(clips, timesteps)
    finally:
        for mixer in mixers:
            del mixer.scan
    return spent


def main() -> None:
    """Run all benchmarks."""
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    for bench in (bench_operator, bench_modulation, bench_network):
        bench()


if __name__ == "__main__":
    main()
