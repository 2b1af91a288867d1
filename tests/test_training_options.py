# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a training may be told to do otherwise changes what it should, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigWorkflow
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ROOT / "bundles" / "feat_ultrasound"
TINY = {
    "device": "$torch.device('cpu')",
    "num_clips": 8,
    "batch_size": 4,
    "max_epochs": 1,
    "frame_size": 32,
    "num_frames": 4,
    "val_interval": None,
    "val_dataset_dir": None,
    "network_def::hidden_size": 32,
    "network_def::num_layers": 1,
}

pytestmark = pytest.mark.filterwarnings("ignore")


class Kept:
    """Counts the numbers that are kept for backward passes; those of the same iteration add up."""

    def __init__(self) -> None:
        self.numbers = 0

    def __call__(self, tensor: Tensor) -> Tensor:
        self.numbers += tensor.numel()
        return tensor


def train(folder: Path, **options: Any) -> tuple[dict[str, Tensor], float, int]:
    """Train two steps; return the weights, the last loss, and how many activations were kept in all."""
    workflow = ConfigWorkflow(
        str(BUNDLE / "configs" / "train.json"),
        logging_file=False,
        workflow_type="train",
        **{**TINY, "bundle_root": str(BUNDLE), "output_dir": str(folder), **options},
    )
    workflow.initialize()
    trainer, kept = workflow.parser.get_parsed_content("train::trainer"), Kept()
    with torch.autograd.graph.saved_tensors_hooks(kept, lambda tensor: tensor):
        trainer.run()
    network: nn.Module = workflow.parser.get_parsed_content("network")
    return dict(network.state_dict()), float(trainer.state.output[0]["loss"]), kept.numbers


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Tensor], float, int]:
    return train(tmp_path_factory.mktemp("plain"))


@pytest.mark.parametrize(
    "options",
    [{"network_def::use_checkpoint": True}, {"batch_size": 2, "accumulation_steps": 2}],
    ids=["checkpointing", "accumulation"],
)
def test_less_is_kept_and_the_weights_are_the_same(
    plain: tuple[dict[str, Tensor], float, int], options: dict[str, Any], tmp_path: Path
) -> None:
    """Accumulated, each of four batches keeps half of what each of two whole ones does."""
    weights, _, kept = train(tmp_path, **options)
    batches = 2 * options.get("accumulation_steps", 1)
    assert kept / batches < 0.6 * plain[2] / 2
    torch.testing.assert_close(weights, plain[0], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_compilation_changes_no_number(plain: tuple[dict[str, Tensor], float, int], tmp_path: Path) -> None:
    """By a backend that needs no compiler; names of weights stay those of the plain network."""
    options = {"compile": True, "train::trainer::compile_kwargs": {"backend": "aot_eager"}}
    weights, loss, _ = train(tmp_path, **options)
    torch.testing.assert_close(weights, plain[0], rtol=1e-4, atol=1e-5)
    assert loss == pytest.approx(plain[1], rel=1e-4)
    torch._dynamo.reset()


def test_half_precision_trains_nearly_the_same(plain: tuple[dict[str, Tensor], float, int], tmp_path: Path) -> None:
    weights, loss, _ = train(tmp_path, precision="bfloat16")
    assert loss != plain[1]
    assert loss == pytest.approx(plain[1], rel=0.02)
    assert {weight.dtype for weight in weights.values()} == {torch.float32}


def test_clipping_shortens_the_step_that_is_too_long(
    plain: tuple[dict[str, Tensor], float, int], tmp_path: Path
) -> None:
    """With Adam the length of a single gradient does not matter, that of several relative to each other does."""
    optimizer = {"_target_": "torch.optim.SGD", "params": "$@network.parameters()", "lr": 1.0, "weight_decay": 0.0}
    start = train(tmp_path / "start", learning_rate=0.0)[0]
    lengths = []
    for norm in (1e-3, 2e-3, 1e6):
        options = {"max_grad_norm": norm, "warmup_steps": 1, "train::optimizer": optimizer}
        weights, _, _ = train(tmp_path / str(norm), **options)
        lengths.append(torch.cat([(weights[key] - start[key]).flatten() for key in start]).norm().item())
    assert lengths[0] <= 2e-3 * 1.001
    assert lengths[0] < lengths[1] <= 4e-3 * 1.001 < lengths[2]
