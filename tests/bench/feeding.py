# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How long training waits for data, as a share of its own time: ``python -m tests.bench.feeding``.

The bundle's own training, nano FEAT, runs for a few steps: without a cache on disk, while one is filled, and from it.
The share is taken within one run, so that it does not depend on how busy the machine is.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from monai.bundle import ConfigWorkflow

BUNDLES = Path(__file__).resolve().parents[2] / "bundles"
MOST_WAITING = 0.1


@dataclass
class Feeding:
    """What a training spent its seconds on."""

    opening: float = 0.0
    waiting: float = 0.0
    working: float = 0.0
    _last: float = 0.0

    def attach(self, trainer: Engine) -> None:
        trainer.add_event_handler(Events.GET_BATCH_STARTED, self._start)
        trainer.add_event_handler(Events.GET_BATCH_COMPLETED, self._add, "waiting")
        trainer.add_event_handler(Events.ITERATION_STARTED, self._start)
        trainer.add_event_handler(Events.ITERATION_COMPLETED, self._add, "working")

    @property
    def share(self) -> float:
        """Part of the time that went into waiting for batches."""
        return self.waiting / (self.waiting + self.working)

    def _start(self) -> None:
        self._last = time.perf_counter()

    def _add(self, what: str) -> None:
        setattr(self, what, getattr(self, what) + time.perf_counter() - self._last)


def measure_feeding(modality: str, folder: Path, **overrides: Any) -> Feeding:
    """Train the bundle of a modality for two epochs."""
    bundle = BUNDLES / f"feat_{modality}"
    options = {"num_clips": 32, "max_epochs": 2, "val_interval": None, "output_dir": str(folder / "out"), **overrides}
    workflow = ConfigWorkflow(
        str(bundle / "configs" / "train.json"),
        logging_file=False,
        workflow_type="train",
        bundle_root=str(bundle),
        **options,
    )
    workflow.initialize()
    feeding = Feeding()
    start = time.perf_counter()
    trainer = workflow.parser.get_parsed_content("train::trainer")
    feeding.opening = time.perf_counter() - start
    feeding.attach(trainer)
    trainer.run()
    return feeding


def bench_feeding(modality: str) -> float:
    """Print how long a training waits for data, and return the share of its time from a filled cache."""
    print(f"feat_{modality}, 32 clips, 2 epochs, batches of 16")
    with tempfile.TemporaryDirectory() as folder:
        cache_dir = {"cache_dir": str(Path(folder) / "latents")}
        runs = {"in memory": {}, "cache being filled": cache_dir, "from the cache": cache_dir}
        for name, options in runs.items():
            feeding = measure_feeding(modality, Path(folder), **options)
            print(
                f"  {name:18s}: opened in {feeding.opening:6.2f} s; waited {1e3 * feeding.waiting:8.1f} ms, "
                f"worked {1e3 * feeding.working:8.1f} ms: {100 * feeding.share:5.2f} % waiting"
            )
    return feeding.share


def main() -> int:
    """Run the benchmark; the exit code says whether training from the cache waits too long."""
    warnings.filterwarnings("ignore", module="monai|ignite|torch")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads; at most {100 * MOST_WAITING:.0f} % waiting")
    return int(max(bench_feeding(modality) for modality in ("endoscopy", "ultrasound")) > MOST_WAITING)


if __name__ == "__main__":
    raise SystemExit(main())
