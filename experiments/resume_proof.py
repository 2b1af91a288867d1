# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Show that a training that is killed ends with the same bits as one that is not.

A tiny training of a bundle runs through, and again, killed at random instants (SIGKILL, which no process can catch) and
resumed each time with ``--resume_from last``. Then all that they leave is compared bit for bit. It writes
``report.md`` and ``report.json``:

    python -m experiments.resume_proof --out runs/resume_proof
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from monai_feat.bundle import find_checkpoint
from monai_feat.checkpoints import load_checkpoint
from monai_feat.files import write_json, write_text

__all__ = ["Outcome", "compare", "main", "prove"]

BUNDLES = Path(__file__).resolve().parents[1] / "bundles"
CONFIGS = ("train", "train_autoencoder")
TINY = {"num_clips": 10, "batch_size": 4, "frame_size": 32, "checkpoint_interval": 3, "accumulation_steps": 2}
OWN = {
    "train": {
        "max_epochs": 12,
        "num_frames": 4,
        "num_val_clips": 2,
        "val_interval": 4,
        "num_sampling_steps": 2,
        "network_def::hidden_size": 32,
        "network_def::num_layers": 1,
    },
    "train_autoencoder": {"max_epochs": 12, "num_statistics_frames": 2},
}


@dataclass(frozen=True)
class Outcome:
    """What was found for one seed.

    Attributes:
        config: of the bundle.
        seed: of the training and of the instants of the kills.
        iterations: of the training.
        resumed_at: iteration from which each resumed process went on; 0 where it began anew.
        tensors: how many were compared.
        differing: names of what is not the same.
    """

    config: str
    seed: int
    iterations: int
    resumed_at: tuple[int, ...]
    tensors: int
    differing: tuple[str, ...]


def prove(config: str, bundle: Path, out: Path, seed: int, kills: int) -> Outcome:
    """Train through and with kills, and compare; ``kills`` processes are killed and one more finishes.

    They are killed in turn at a random instant soon after the start, after the first checkpoint and after the second.
    """
    whole, killed = out / f"{config}_{seed}" / "whole", out / f"{config}_{seed}" / "killed"
    started = time.monotonic()
    _train(config, bundle, whole, seed).join()
    duration = time.monotonic() - started
    chance, resumed_at = random.Random(seed), []
    for number in range(kills):
        resumed_at.append(_last_iteration(killed))
        process = _train(config, bundle, killed, seed)
        _wait_for_checkpoints(process, killed, number % 3)
        process.join(chance.uniform(0, duration / 12))
        process.kill()
        process.join()
    resumed_at.append(_last_iteration(killed))
    _train(config, bundle, killed, seed).join()
    before, after = _results(whole), _results(killed)
    iterations = int(before["last checkpoint"]["trainer"]["iteration"])
    return Outcome(config, seed, iterations, tuple(resumed_at), *compare(before, after))


def compare(one: Any, other: Any) -> tuple[int, tuple[str, ...]]:
    """Return how many tensors two nested states hold, and the names of what is not the same in both, to the bit."""
    left, right = dict(_leaves(one)), dict(_leaves(other))
    differing = [*(left.keys() ^ right.keys())]
    differing += [name for name in left.keys() & right.keys() if not _same(left[name], right[name])]
    return sum(isinstance(value, torch.Tensor) for value in left.values()), tuple(sorted(differing))


def describe(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the lines of a Markdown table."""
    yield "| training | seed | iterations | resumed at iteration | tensors compared | not the same |"
    yield "|---|---|---|---|---|---|"
    for each in outcomes:
        places = ", ".join(map(str, each.resumed_at[1:]))
        yield (
            f"| `{each.config}.json` | {each.seed} | {each.iterations} | {places} | {each.tensors} | "
            f"{', '.join(each.differing) or 'none'} |"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and run; return 1 when a killed training ends otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.resume_proof", description="Kill trainings and compare."
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the results; trainings in it are replaced")
    parser.add_argument("--bundle", default="feat_ultrasound", help="name of a bundle")
    parser.add_argument("--configs", nargs="+", choices=CONFIGS, default=CONFIGS[:1], help="configs to train")
    parser.add_argument("--seeds", type=int, nargs="+", default=(0, 1, 2))
    parser.add_argument("--kills", type=int, default=5, help="interruptions for each seed")
    options = parser.parse_args(arguments)
    started, outcomes = time.monotonic(), []
    for config in options.configs:
        for seed in options.seeds:
            shutil.rmtree(options.out / f"{config}_{seed}", ignore_errors=True)
            outcomes.append(prove(config, BUNDLES / options.bundle, options.out, seed, options.kills))
            print(f"{config}, seed {seed}: resumed at {outcomes[-1].resumed_at[1:]}", flush=True)
    table = "\n".join(describe(outcomes))
    report = {"seconds": round(time.monotonic() - started), "outcomes": [asdict(each) for each in outcomes]}
    write_json(options.out / "report.json", report)
    write_text(options.out / "report.md", table + "\n")
    print(f"\n{table}\n\nLook at {options.out / 'report.md'}.")
    return int(any(each.differing for each in outcomes))


def _train(config: str, bundle: Path, output_dir: Path, seed: int) -> Any:
    """Start a training in a process of its own, forked by a server that has imported everything: it saves seconds."""
    context: Any = multiprocessing.get_context("forkserver" if hasattr(os, "fork") else "spawn")
    if hasattr(os, "fork"):
        context.set_forkserver_preload(["monai.bundle", "monai_feat.engines", "monai_feat.handlers"])
    process = context.Process(target=_run, args=(config, bundle, output_dir, seed))
    process.start()
    return process


def _run(config: str, bundle: Path, output_dir: Path, seed: int) -> None:
    """Run a config of a bundle as the command line does."""
    from monai.bundle import run  # what the parent process does not need

    tqdm.set_lock(threading.RLock())  # its own, between processes, would outlive the killed ones
    with Path(os.devnull).open("w") as nothing:  # progress bars, and what MONAI says
        for stream in (1, 2):
            os.dup2(nothing.fileno(), stream)
    options: dict[str, Any] = {
        "logging_file": False,
        **TINY,
        **OWN[config],
        "bundle_root": str(bundle),
        "output_dir": str(output_dir),
        "seed": seed,
    }
    file = str(bundle / "configs" / f"{config}.json")
    run(config_file=file, resume_from="last", **options)


def _results(folder: Path) -> dict[str, Any]:
    """Return all that a training leaves: the last checkpoint and the weights."""
    latest = find_checkpoint("last", folder)
    if latest is None:
        raise RuntimeError(f"{folder}: the training left no checkpoint; run it in the bundle to see why")
    weights = {path.name: load_checkpoint(path) for path in folder.glob("*.safetensors")}
    return {"last checkpoint": load_checkpoint(latest), **weights}


def _wait_for_checkpoints(process: Any, folder: Path, number: int) -> None:
    """Wait until a training has saved so many more checkpoints, or ends."""
    before = _last_iteration(folder)
    while number and process.is_alive():
        process.join(0.01)
        if (now := _last_iteration(folder)) > before:
            before, number = now, number - 1


def _last_iteration(folder: Path) -> int:
    latest = find_checkpoint("last", folder)
    return 0 if latest is None else int(Path(latest).stem.rpartition("=")[2])


def _leaves(state: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    entries = dict(enumerate(state)) if isinstance(state, (list, tuple)) else state
    if not isinstance(entries, Mapping):
        yield name, state
        return
    for key, value in entries.items():
        yield from _leaves(value, f"{name}/{key}" if name else str(key))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    return bool(one == other)


if __name__ == "__main__":
    sys.exit(main())
