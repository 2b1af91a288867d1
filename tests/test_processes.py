# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Two processes that share a training and its samples, one of them killed: what one process makes, with no trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import run

from monai_feat.checkpoints import load_checkpoint, read_metadata

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ROOT / "bundles" / "feat_ultrasound"
COMMON = {"bundle_root": str(BUNDLE), "frame_size": 32}
TRAINED = {"num_clips": 7, "batch_size": 4, "max_epochs": 2, **COMMON}
OPTIONS: dict[str, dict[str, Any]] = {
    # Steps so small that a gradient near zero, whose sign depends on the order of sums, does not show.
    "train_autoencoder": {"num_statistics_frames": 2, "learning_rate": 1e-5, **TRAINED},
    "train": {
        "num_frames": 4,
        "val_interval": 1,
        "num_val_clips": 2,
        "num_sampling_steps": 2,
        "checkpoint_interval": 1,
        "network_def::hidden_size": 32,
        "network_def::num_layers": 1,
        "learning_rate": 1e-4,
        **TRAINED,
    },
    "inference": {"num_clips": 5, "num_frames": 4, "num_sampling_steps": 2, "output_format": "latents", **COMMON},
}

# The second process of the second training kills itself in its third iteration, unless it has been restarted.
WORKER = """
    import json, os, signal, sys
    from ignite.engine import Events
    from monai.bundle import ConfigWorkflow

    bundle, folder = sys.argv[1:3]
    options = json.loads(sys.argv[3])

    def start(config, name, *overlays, **more):
        files = [f"{bundle}/configs/{part}.json" for part in (config, f"multi_gpu_{config}", *overlays)]
        kind = "infer" if config == "inference" else "train"
        overrides = {**options[config], **more, "output_dir": f"{folder}/{name}"}
        workflow = ConfigWorkflow(files, logging_file=False, workflow_type=kind, **overrides)
        workflow.initialize()
        return workflow

    def die():
        os.kill(os.getpid(), signal.SIGKILL)

    first = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
    if first:
        start("train_autoencoder", "train_autoencoder").run()
        start("train", "train").run()
        start("train", "sharded", "sharded_train").run()
    resumed = start("train", "killed", resume_from="last")
    if first and os.environ["RANK"] == "1":
        trainer = resumed.parser.get_parsed_content("train::trainer")
        trainer.add_event_handler(Events.ITERATION_COMPLETED(once=3), die)
    resumed.run()
    start("inference", "inference").run()
"""


def start_two(folder: Path) -> subprocess.CompletedProcess[str]:
    script = folder / "worker.py"
    script.write_text(textwrap.dedent(WORKER))
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", "--max-restarts=1", "--standalone"]
    command = [*torchrun, str(script), str(BUNDLE), str(folder), json.dumps(OPTIONS)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
    environment["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"  # or a new process may be given a dead one's address
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what two processes made; both trainings, and samples of the shipped weights."""
    folder = tmp_path_factory.mktemp("two")
    done = start_two(folder)
    assert done.returncode == 0, done.stderr[-20000:]
    assert "failed (exitcode: -9) local_rank: 1" in done.stderr
    return folder


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Run a config in this process, and return the folder with what it made."""

    def make(config: str, **more: str) -> Path:
        folder = tmp_path_factory.mktemp(config)
        file = str(BUNDLE / "configs" / f"{config}.json")
        options = {"device": "$torch.device('cpu')", "output_dir": str(folder), **OPTIONS[config], **more}
        run(config_file=file, logging_file=False, **options)
        return folder

    return make


def contents(file: Path) -> tuple[dict[str, Any], Any]:
    """Return the state in a file, and what a checkpoint says of itself."""
    state = dict(load_checkpoint(file))
    return state, state.pop("metadata", None)


def files_of(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if "tfevents" not in path.name)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("config", ["train", "train_autoencoder"])
def test_two_processes_train_as_one(two: Path, one: Callable[..., Path], config: str) -> None:
    """Steps of Adam have the size of the learning rate: sums in another order must not show in their directions."""
    alone, shared = one(config), two / config
    assert files_of(shared) == files_of(alone)
    for file in alone.glob("*.safetensors"):
        torch.testing.assert_close(load_checkpoint(shared / file.name), load_checkpoint(file), rtol=1e-4, atol=2e-5)
    if config == "train":
        losses = [float(read_metadata(run / "feat_best.safetensors")["held_out_loss"]) for run in (alone, shared)]
        assert losses[1] == pytest.approx(losses[0], rel=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_processes_with_half_a_network_each_train_as_one(two: Path, one: Callable[..., Path]) -> None:
    """Files of the same names hold the same, checkpoints too; one process with a whole network goes on from them."""
    whole, sharded = two / "train", two / "sharded"
    assert files_of(sharded) == files_of(whole)
    for file in whole.rglob("*"):
        if file.suffix in (".pt", ".safetensors"):
            (mine, said), (other, told) = (contents(folder / file.relative_to(whole)) for folder in (sharded, whole))
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=2e-5)
            assert said == told
    losses = [float(read_metadata(run / "feat_best.safetensors")["held_out_loss"]) for run in (whole, sharded)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    resumed = one("train", resume_from=str(sharded / "checkpoints" / "checkpoint_iteration=3.pt"))
    weights = [load_checkpoint(run / "feat.safetensors") for run in (whole, resumed)]
    torch.testing.assert_close(weights[1], weights[0], rtol=1e-4, atol=2e-5)


@pytest.mark.slow
def test_a_killed_process_leaves_no_trace(two: Path) -> None:
    assert files_of(two / "killed") == files_of(two / "train")
    for file in (two / "train").rglob("*"):
        if file.suffix in (".pt", ".safetensors"):
            (again, said), (state, told) = contents(two / "killed" / file.relative_to(two / "train")), contents(file)
            torch.testing.assert_close(again, state, rtol=0, atol=0)
            assert said == told


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_one_process_goes_on_where_two_have_stopped(two: Path, one: Callable[..., Path]) -> None:
    whole, checkpoint = two / "train", two / "train" / "checkpoints" / "checkpoint_iteration=3.pt"
    resumed = one("train", resume_from=str(checkpoint))
    assert [file.name for file in (resumed / "checkpoints").iterdir()] == ["checkpoint_iteration=4.pt"]
    weights = [load_checkpoint(run / "feat.safetensors") for run in (whole, resumed)]
    torch.testing.assert_close(weights[1], weights[0], rtol=1e-4, atol=2e-5)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_two_processes_sample_every_clip_once(two: Path, one: Callable[..., Path]) -> None:
    alone, shared = one("inference"), two / "inference"
    assert files_of(shared) == files_of(alone)
    manifests = [json.loads((folder / "manifest.json").read_text()) for folder in (shared, alone)]
    assert manifests[0] == manifests[1]
    records = [json.loads((folder / "record.json").read_text()) for folder in (shared, alone)]
    assert records[0]["weights"] == records[1]["weights"]
    assert len(records[0]["weights"]) == 3
    assert [len(record["earlier"]) for record in records] == [0, 0]  # one process of several writes it
    for file in alone.glob("clip_*"):
        torch.testing.assert_close(load_checkpoint(shared / file.name), load_checkpoint(file), rtol=1e-4, atol=1e-4)
