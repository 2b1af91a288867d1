# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a CUDA device shows: the tests marked ``gpu``, then throughput, in some minutes: ``python -m tests.bench.gpu``.

Training and sampling of FEAT-S and FEAT-L under bfloat16 autocast, eager and compiled, beside the published
architecture written out plainly with our fused scan in the place of its CUDA kernel; the share of the device's bfloat16
peak, by the count of its matrix products; and the cost per token as frames grow.
``--device cpu --presets pico`` tries the script.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from monai_feat.networks.nets import FEAT, FEAT_PRESETS
from tests.bench.peers import PlainFEAT

Work = Callable[[], object]


def seconds(work: Work, device: torch.device, at_least: float = 1.0) -> float:
    """Return the seconds of one run of some work, after three to warm up."""
    for _ in range(3):
        work()
    runs, start = 0, _now(device)
    while _now(device) - start < at_least:
        work()
        runs += 1
    return (_now(device) - start) / runs


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def step(model: nn.Module, x: torch.Tensor, train: bool) -> Work:
    """Return a training step without its optimiser, or a sampling step, under bfloat16 autocast."""
    timesteps = torch.full((x.shape[0],), 500.0, device=x.device)

    def work() -> None:
        with torch.set_grad_enabled(train), torch.autocast(x.device.type, torch.bfloat16):
            output = model(x, timesteps)
        if train:
            output.float().square().mean().backward()

    return work


def product_flops(model: nn.Module, x: torch.Tensor) -> float:
    """Count the matrix products of a forward pass of one clip."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x[:1], torch.zeros(1, device=x.device))
    return float(sum(n for op, n in counter.get_flop_counts()["Global"].items() if "conv" not in str(op)))


def peak(device: torch.device) -> float:
    """Measure the bfloat16 operations per second of a large square product."""
    n = 8192 if device.type == "cuda" else 512
    a = torch.randn(n, n, device=device, dtype=torch.bfloat16)
    return 2 * n**3 / seconds(lambda: a @ a, device)


def bench_preset(name: str, batch: int, device: torch.device) -> None:
    """Print clips a second of a preset and of the published architecture, and the share of the peak."""
    preset, x = FEAT_PRESETS[name], torch.randn(batch, 4, 16, 16, 16, device=device)
    plain = {key: preset[key] for key in ("hidden_size", "num_layers", "num_heads", "mlp_ratio")}
    ours = FEAT(**preset).to(device)
    models = {"ours": ours, "ours, compiled": torch.compile(ours), "published": PlainFEAT(**plain).to(device)}
    flops, top = product_flops(ours, x), peak(device)
    for model_name, model in models.items():
        for train in (True, False):
            clips = batch / seconds(step(model, x, train), device)
            share = clips * flops * (3 if train else 1) / top
            kind = "training" if train else "sampling"
            print(
                f"  FEAT-{name} {model_name:15} {kind}: {clips:9.2f} clips/s, {share:.2f} of the bf16 peak", flush=True
            )


def bench_tokens(name: str, device: torch.device) -> None:
    """Print the cost per token of a forward pass as frames grow."""
    model = FEAT(**FEAT_PRESETS[name]).to(device)
    for size in (16, 32, 64, 128) if device.type == "cuda" else (16, 32):
        x = torch.randn(1, 4, 16, size, size, device=device)
        spent = seconds(step(model, x, train=False), device)
        print(
            f"  FEAT-{name} latents of {size:3} x {size:3}: {1e9 * spent / (4 * size * size):8.1f} ns a token",
            flush=True,
        )


def main() -> int:
    """Run the tests, then the measurements."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.gpu", description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--presets", nargs="+", choices=list(FEAT_PRESETS), default=["S", "L"])
    parser.add_argument("--batch", type=int, default=4)
    options = parser.parse_args()
    device, failed = torch.device(options.device), 0
    if device.type == "cuda":
        print(f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}", flush=True)
        failed = subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", "gpu", "tests"], check=False).returncode
    for name in options.presets:
        bench_preset(name, options.batch, device)
    bench_tokens(options.presets[0], device)
    return failed


if __name__ == "__main__":
    sys.exit(main())
