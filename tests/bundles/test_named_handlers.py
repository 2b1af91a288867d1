# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Handlers have names: where one stands among the others matters to no overlay, and to nothing that is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser, run

from monai_feat.checkpoints import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
NOTHING = {"_target_": "monai_feat.handlers.EpochSeed", "_disabled_": True, "seed": 5}
STACKS = {  # what is laid over what
    "feat_endoscopy": (
        ("train",),
        ("train", "evaluate"),
        ("train", "diffusion"),
        ("train", "conditioned"),
        ("train", "multi_gpu_train"),
        ("train", "multi_gpu_train", "sharded_train"),
        ("train", "multi_gpu_train", "sharded_train", "diffusion"),
        ("train_autoencoder",),
        ("train_autoencoder", "adversarial"),
        ("train_autoencoder", "adversarial", "decoder"),
        ("train_autoencoder", "multi_gpu_train_autoencoder"),
        ("train_autoencoder", "adversarial", "multi_gpu_train_autoencoder"),
        ("inference",),
        ("inference", "multi_gpu_inference"),
    ),
    "video_segmentation": (("train",), ("train", "evaluate")),
}
STACKS["feat_ultrasound"] = STACKS["feat_endoscopy"]

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


def config(bundle: str, name: str) -> Path:
    return ROOT / "bundles" / bundle / "configs" / f"{name}.json"


def groups(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All dicts of named handlers in a config."""
    if "named_handlers" in content:
        yield content["named_handlers"]
    for value in content.values():
        if isinstance(value, dict):
            yield from groups(value)


def insert(handlers: dict[str, Any], position: int, name: str, handler: dict[str, Any]) -> None:
    items = list(handlers.items())
    handlers.clear()
    handlers.update([*items[:position], (name, handler), *items[position:]])


@pytest.mark.parametrize(
    ("bundle", "stack"),
    [(bundle, stack) for bundle, stacks in STACKS.items() for stack in stacks],
    ids=lambda value: value if isinstance(value, str) else "+".join(value),
)
def test_a_handler_at_any_position_changes_nothing_else(bundle: str, stack: tuple[str, ...], tmp_path: Path) -> None:
    overlays = [config(bundle, name) for name in stack[1:]]
    expected = ConfigParser.load_config_files([config(bundle, stack[0]), *overlays])
    base = json.loads(config(bundle, stack[0]).read_text())
    count = [len(group) for group in groups(base)]
    assert sum(count) > 2
    for place, length in enumerate(count):
        for position in range(length + 1):
            changed = json.loads(json.dumps(base))
            insert(list(groups(changed))[place], position, "nothing", NOTHING)
            (tmp_path / "base.json").write_text(json.dumps(changed))
            found = ConfigParser.load_config_files([tmp_path / "base.json", *overlays])
            assert list(groups(found))[place].pop("nothing") == NOTHING
            assert found == expected


def train(folder: Path, stack: tuple[str, ...], options: dict[str, Any], fill: bool) -> dict[str, Any]:
    """Train a little, with a handler that does nothing before and after each, or without, and return the weights."""
    content = json.loads(config("feat_ultrasound", stack[0]).read_text())
    if fill:
        for group in groups(content):
            for position in range(len(group), -1, -1):
                insert(group, position, f"nothing_{position}", NOTHING)
    (folder / "configs").mkdir(parents=True)
    for name in stack[1:]:
        (folder / "configs" / f"{name}.json").write_text(config("feat_ultrasound", name).read_text())
    (folder / "configs" / f"{stack[0]}.json").write_text(json.dumps(content))
    files = [str(folder / "configs" / f"{name}.json") for name in stack]
    run(config_file=files, logging_file=False, output_dir=str(folder), meta_file=None, **options)
    weights: dict[str, Any] = load_checkpoint(next(folder.glob("*.safetensors")))
    return weights


@pytest.mark.parametrize("stack", [("train_autoencoder", "adversarial"), ("train", "diffusion")], ids="+".join)
def test_trainings_keep_their_bits(stack: tuple[str, ...], tmp_path: Path) -> None:
    options: dict[str, Any] = {"num_clips": 2, "batch_size": 2, "max_epochs": 1, "frame_size": 32}
    options["bundle_root"] = str(ROOT / "bundles" / "feat_ultrasound")
    if stack[0] == "train":
        options |= {"num_frames": 2, "num_sampling_steps": 1, "num_val_clips": 1, "val_interval": 1}
    else:
        options["num_statistics_frames"] = 1
    without, filled = (train(tmp_path / str(fill), stack, options, fill) for fill in (False, True))
    torch.testing.assert_close(filled, without, rtol=0, atol=0)


def test_a_mistyped_name_is_an_error(tmp_path: Path) -> None:
    bundle = ROOT / "bundles" / "feat_ultrasound"
    with pytest.raises(KeyError, match="progres"):
        run(
            config_file=str(config("feat_ultrasound", "train")),
            logging_file=False,
            bundle_root=str(bundle),
            output_dir=str(tmp_path),
            **{"train::named_handlers::progres::_disabled_": True},
        )


def test_nothing_counts_handlers_or_transforms() -> None:
    counted = re.compile(r"(handlers|transforms)(::|#)[0-9]")
    folders = ("bundles", "docs", "downstream", "evaluation", "experiments", "monai_feat")
    kinds = (".json", ".md", ".py", ".yaml")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*") if path.suffix in kinds]
    assert len(files) > 100
    found = [path for path in (*files, ROOT / "README.md") if counted.search(path.read_text(encoding="utf-8"))]
    assert not found
