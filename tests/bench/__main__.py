# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One page of ratios, measured in one run, in turn, in CPU time: ``make bench``, or ``python -m tests.bench``.

Absolute times belong to the machine; ratios carry over. Every figure is the median of the repetitions' ratios, with the
smallest and the largest.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from monai_feat.networks.nets import FEAT, FEAT_PRESETS, Latte
from monai_feat.ops.kernels import PORTABLE
from tests.bench.launches import count_launches
from tests.bench.peers import PlainFEAT

Work = Callable[[], object]


def cpu_seconds(work: Work) -> float:
    """Time some work in seconds of the processor, which other processes change less than those of the clock."""
    start = time.process_time()
    work()
    return time.process_time() - start


def in_turn(works: dict[str, Work], repeats: int) -> list[dict[str, float]]:
    """Time pieces of work in turn, after one round to warm up."""
    return [{name: cpu_seconds(work) for name, work in works.items()} for _ in range(repeats + 1)][1:]


def spread(values: list[float]) -> str:
    """Return median and range."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} … {max(values):.2f})"


def networks(layers: int) -> dict[str, nn.Module]:
    """Return FEAT-S and its peers with as many of nine layers, a peer of equal size each."""
    preset = {**FEAT_PRESETS["S"], "num_layers": layers}
    return {
        "ours": FEAT(**preset),
        "the published architecture, written out": PlainFEAT(**preset),
        "softmax transformer": Latte(hidden_size=704, num_layers=2 * layers, num_heads=11),
    }


def bench_peers(layers: int, repeats: int) -> None:
    """Print the time of a forward pass and of a training step as ratios, beside the peak of matrix products."""
    models, x, t = networks(layers), torch.randn(1, 4, 16, 16, 16), torch.tensor([500.0])
    a, b = torch.randn(1024, 512), torch.randn(512, 4096)

    def products() -> None:
        for _ in range(20):
            a @ b

    def forward(model: nn.Module) -> Callable[[], Tensor]:
        return torch.no_grad()(lambda: model(x, t))

    def step(model: nn.Module) -> Work:
        return lambda: model(x, t).square().mean().backward()

    print(f"FEAT-S with {layers} of 9 layers, one clip of 16 frames, 128 px; time of ours / time of the peer")
    for kind in (forward, step):
        rounds = in_turn({**{name: kind(model) for name, model in models.items()}, "products": products}, repeats)
        for name, model in models.items():
            size = sum(p.numel() for p in model.parameters()) / 1e6
            print(f"  {kind.__name__:8} {name:40} {size:6.1f} M  {spread([r['ours'] / r[name] for r in rounds])}")
        peak = [20 * 2 * 1024 * 512 * 4096 / r["products"] / 1e9 for r in rounds]
        print(f"  {kind.__name__:8} peak of matrix products, GFLOP/s: {spread(peak)}")
        print(f"  {kind.__name__:8} ours, seconds: {spread([r['ours'] for r in rounds])}", flush=True)


def bench_tokens(repeats: int) -> None:
    """Print the cost per token of a forward pass over sizes of frames and lengths of clips."""
    network = FEAT(**FEAT_PRESETS["nano"]).eval()
    sizes = [(16, side) for side in (8, 16, 32, 64)] + [(frames, 8) for frames in (64, 256)]
    works = {}
    for frames, side in sizes:
        x = torch.randn(1, 4, frames, 4 * side, 4 * side)
        works[f"{frames} x {side * side}"] = torch.no_grad()(lambda x=x: network(x, 3))
    tokens = [frames * side * side for frames, side in sizes]
    rounds = in_turn(works, repeats)
    print("Cost per token of a forward pass of FEAT-nano, relative to 16 frames of 1024 tokens")
    for name, count in zip(works, tokens, strict=True):
        print(f"  frames x tokens {name:10} {spread([r[name] / count * 16 * 1024 / r['16 x 1024'] for r in rounds])}")


def bench_launches() -> None:
    """Print the operations of a forward pass of FEAT-S, counted without numbers."""
    from monai_feat.networks.mixers import weighted_key_value as module

    print("Launches of a forward pass of FEAT-S: with one for a scan, and with plain operations")
    fused = module.bi_wkv
    for pixels in (128, 256, 512):
        with torch.device("meta"), torch.no_grad():
            network, x = FEAT(**FEAT_PRESETS["S"]), torch.empty(1, 4, 16, pixels // 8, pixels // 8)
            counts = []
            for scan in (fused, lambda w, u, k, v: PORTABLE.forward(w, u, k, v)[0]):
                module.bi_wkv = scan
                counts.append(count_launches(lambda n=network, x=x: n(x, torch.zeros(1))).total())
        print(f"  {pixels} px: {counts[0]}, {counts[1]}")
    module.bi_wkv = fused


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--layers", type=int, default=9)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", choices=["peers", "tokens", "launches"])
    options = parser.parse_args()
    torch.manual_seed(0)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}", flush=True)
    parts = dict(launches=bench_launches, tokens=lambda: bench_tokens(options.repeats))
    parts["peers"] = lambda: bench_peers(options.layers, options.repeats)
    for name, part in parts.items():
        if options.only in (None, name):
            part()


if __name__ == "__main__":
    main()
