# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from monai_feat.checkpoints import CheckpointError, save_checkpoint
from monai_feat.importers import UNUSED_PUBLISHED_PARAMETERS, import_feat_checkpoint
from monai_feat.networks.nets import FEAT


def published(D: int = 8, heads: int = 2, width: int = 12, channels: int = 3, patch: int = 2) -> dict[str, Tensor]:
    """Random weights of two layers under the published names, written out by hand."""
    linears = {
        "x_embedder.proj": (D, channels, patch, patch),
        "t_embedder.mlp.0": (D, 256),
        "t_embedder.mlp.2": (D, D),
        "final_layer.adaLN_modulation.1": (2 * D, D),
        "final_layer.linear": (patch * patch * 2 * channels, D),
        "res_conv": (2 * channels, channels, 1, 1),
    }
    shapes: dict[str, tuple[int, ...]] = {}
    for block in ("blocks.0", "blocks.1", "blocks.2", "blocks.3", "restormers.0", "restormers.1"):
        linears[f"{block}.adaLN_modulation.1"] = (6 * D, D)
        shapes[f"{block}.ffn.project_in.weight"] = (2 * width, D, 1, 1)
        shapes[f"{block}.ffn.dwconv.weight"] = (2 * width, 1, 3, 3)
        shapes[f"{block}.ffn.project_out.weight"] = (D, width, 1, 1)
    for index in range(4):
        scans = 2 if index % 2 == 0 else 1
        for name in ("gamma1", "gamma2", "ln1.weight", "ln1.bias", "ln2.weight", "ln2.bias"):
            shapes[f"blocks.{index}.{name}"] = (D,)
        for name in ("key", "value", "receptance", "output"):
            shapes[f"blocks.{index}.att.{name}.weight"] = (D, D)
        shapes |= {f"blocks.{index}.att.{name}": (scans, D) for name in ("spatial_decay", "spatial_first")}
        shapes[f"blocks.{index}.att.alpha"] = (2, D)
        shapes[f"blocks.{index}.att.dwconv1d.weight"] = (D, 1, 3)
        shapes[f"blocks.{index}.att.dwconv2d.weight"] = (D, 1, 3, 3)
    for index in range(2):
        for name in ("norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias"):
            shapes[f"restormers.{index}.{name}"] = (D,)
        shapes[f"restormers.{index}.attn.temperature"] = (heads, 1, 1)
        shapes[f"restormers.{index}.attn.alpha"] = (64,)
        shapes[f"restormers.{index}.attn.qkv.weight"] = (3 * D, D, 1, 1)
        shapes[f"restormers.{index}.attn.qkv_dwconv.weight"] = (3 * D, 1, 3, 3)
        shapes[f"restormers.{index}.attn.project_out.weight"] = (D, D, 1, 1)
    for name, shape in linears.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return {name: 0.2 * torch.randn(shape) for name, shape in shapes.items()}


def unused(name: str) -> bool:
    return any(re.fullmatch(pattern, name) for pattern in UNUSED_PUBLISHED_PARAMETERS)


def prefixed(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in state.items()}


def assert_same_weights(one: FEAT, other: FEAT) -> None:
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)


def test_hand_written_names_are_the_published_ones(golden: Path) -> None:
    official = load_file(golden / "feat_official_state_dict.safetensors")
    ours = published(D=32, heads=2, width=128, channels=4)
    assert {name: value.shape for name, value in official.items()} == {name: v.shape for name, v in ours.items()}


def test_sizes_are_inferred(tmp_path: Path) -> None:
    network = import_feat_checkpoint(save_checkpoint(published(), tmp_path / "a.safetensors"))
    assert not network.training
    assert (network.in_channels, network.out_channels, network.patch_size) == (3, 6, 2)
    assert len(network.layers) == 2
    assert network.layers[0].channel.mixing.num_heads == 2
    assert all(p.requires_grad and p.device.type == "cpu" for p in network.parameters())
    assert network(torch.randn(1, 3, 2, 4, 6), 10).shape == (1, 6, 2, 4, 6)


def test_every_used_tensor_arrives_once(tmp_path: Path) -> None:
    state = published()
    network = import_feat_checkpoint(save_checkpoint(state, tmp_path / "a.safetensors"))
    given = torch.cat([value.flatten() for name, value in state.items() if not unused(name)])
    held = torch.cat([value.flatten() for value in network.state_dict().values()])
    torch.testing.assert_close(held.sort().values, given.sort().values, rtol=0, atol=0)
    fused = network.layers[1].temporal.mixing.key_value_receptance.weight
    parts = [state[f"blocks.3.att.{part}.weight"] for part in ("key", "value", "receptance")]
    torch.testing.assert_close(fused, torch.cat(parts), rtol=0, atol=0)


@pytest.mark.parametrize("width", [9, 120])
def test_feed_forward_widths_that_are_no_round_multiple(tmp_path: Path, width: int) -> None:
    network = import_feat_checkpoint(save_checkpoint(published(D=88, width=width), tmp_path / "a.safetensors"))
    assert network.layers[0].spatial.feed_forward.project_out.in_features == width


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
@pytest.mark.parametrize("entries", [(), ("ema", "model"), ("model", "ema"), ("model",)], ids=str)
@pytest.mark.parametrize("suffix", [".pt", ".ckpt"])
def test_published_layouts(tmp_path: Path, prefix: str, entries: tuple[str, ...], suffix: str) -> None:
    state = published()
    expected = import_feat_checkpoint(save_checkpoint(state, tmp_path / "expected.safetensors"))
    others = {name: torch.zeros_like(value) for name, value in state.items()}
    content: dict[str, Any] = prefixed(state, prefix)
    if entries:
        preferred = "ema" if "ema" in entries else "model"
        content = {entry: prefixed(state if entry == preferred else others, prefix) for entry in entries}
        content["opt"] = {"state": {}, "param_groups": [{"lr": 1e-4}]}
    torch.save(content, tmp_path / f"a{suffix}")
    assert_same_weights(import_feat_checkpoint(tmp_path / f"a{suffix}"), expected)


def test_unused_parameters_may_be_absent(tmp_path: Path) -> None:
    state = published()
    lean = {name: value for name, value in state.items() if not unused(name)}
    assert set(state) - set(lean) == {
        "blocks.0.att.dwconv1d.weight",
        "blocks.2.att.dwconv1d.weight",
        "restormers.0.attn.alpha",
        "restormers.1.attn.alpha",
    }
    assert_same_weights(
        import_feat_checkpoint(save_checkpoint(state, tmp_path / "whole.pt")),
        import_feat_checkpoint(save_checkpoint(lean, tmp_path / "lean.pt")),
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_dtype_of_the_file_is_kept(tmp_path: Path, dtype: torch.dtype) -> None:
    state = {name: value.to(dtype) for name, value in published().items()}
    network = import_feat_checkpoint(save_checkpoint(state, tmp_path / "a.safetensors"))
    assert {value.dtype for value in network.state_dict().values()} == {dtype}


@pytest.mark.parametrize(
    "missing",
    [
        "blocks.2.att.value.weight",
        "blocks.3.att.dwconv1d.weight",
        "restormers.1.attn.temperature",
        "t_embedder.mlp.0.bias",
        "blocks.0.gamma2",
    ],
)
def test_a_missing_key_is_named_as_in_the_file(tmp_path: Path, missing: str) -> None:
    state = published()
    del state[missing]
    with pytest.raises(CheckpointError, match=rf"a\.pt: does not fit a published FEAT(.|\n)*1 missing: {missing}$"):
        import_feat_checkpoint(save_checkpoint(prefixed(state, "module."), tmp_path / "a.pt"))


@pytest.mark.parametrize("extra", ["pos_embed", "blocks.1.att.bias", "restormers.0.attn.alphas", "blocks.4.gamma1"])
def test_an_extra_key_is_named(tmp_path: Path, extra: str) -> None:
    state = published() | {extra: torch.zeros(3)}
    with pytest.raises(CheckpointError, match=rf"1 unexpected: {extra}$"):
        import_feat_checkpoint(save_checkpoint(state, tmp_path / "a.pt"))


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("blocks.1.att.key.weight", (8, 7), r"blocks\.1\.att\.key\.weight \(8, 7\) instead of \(8, 8\)"),
        ("blocks.1.ffn.project_out.weight", (12, 8, 1, 1), r"project_out\.weight \(12, 8\) instead of \(8, 12\)"),
        ("blocks.1.att.spatial_decay", (2, 8), r"blocks\.1\.att\.spatial_decay \(2, 8\) instead of \(1, 8\)"),
        ("final_layer.linear.bias", (), r"final_layer\.linear\.bias \(\) instead of \(24,\)"),
    ],
)
def test_another_shape_is_named(tmp_path: Path, name: str, shape: tuple[int, ...], message: str) -> None:
    state = published() | {name: torch.zeros(shape)}
    with pytest.raises(CheckpointError, match=rf"1 of another shape: .*{message}"):
        import_feat_checkpoint(save_checkpoint(state, tmp_path / "a.pt"))


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("restormers.0.attn.temperature", (3, 1, 1), "are not those of a FEAT: num_heads must divide"),
        ("x_embedder.proj.weight", (8, 12), "is not a published FEAT checkpoint: it has no x_embedder.proj.weight"),
    ],
)
def test_shapes_that_make_no_network(tmp_path: Path, name: str, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        import_feat_checkpoint(save_checkpoint(published() | {name: torch.zeros(shape)}, tmp_path / "a.pt"))


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_another_network_is_no_feat_checkpoint(tmp_path: Path, suffix: str) -> None:
    path = save_checkpoint(torch.nn.Linear(3, 4).state_dict(), tmp_path / f"a{suffix}")
    message = r"is not a published FEAT checkpoint: it has no x_embedder\.proj\.weight, res"
    with pytest.raises(CheckpointError, match=message):
        import_feat_checkpoint(path)


def test_an_entry_under_another_name_is_no_feat_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not a published FEAT checkpoint"):
        import_feat_checkpoint(save_checkpoint({"network": published()}, tmp_path / "a.pt"))


def test_names_that_differ_by_their_prefix_only_are_an_error(tmp_path: Path) -> None:
    state = published()
    with pytest.raises(CheckpointError, match="holds some tensors twice"):
        import_feat_checkpoint(save_checkpoint(state | prefixed(state, "module."), tmp_path / "a.pt"))


class Options:
    """Stands for OmegaConf's containers, which keep their values in their state."""

    def __init__(self, **values: Any) -> None:
        self.values = values
        self.flags = defaultdict(list), int

    def __setstate__(self, state: object) -> None:
        raise AssertionError("options were unpickled")


def test_training_options_beside_the_weights_are_not_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = published()
    expected = import_feat_checkpoint(save_checkpoint(state, tmp_path / "expected.pt"))
    package, module = ModuleType("omegaconf"), ModuleType("omegaconf.dictconfig")
    foreign = type("DictConfig", (Options,), {"__module__": module.__name__})
    module.DictConfig = foreign  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:  # the class as the training machine knows it
        patch.setitem(sys.modules, package.__name__, package)
        patch.setitem(sys.modules, module.__name__, module)
        options = {"args": foreign(lr=1e-4), "more": argparse.Namespace(lr=1e-4)}
        torch.save({"model": state, "ema": state, **options}, tmp_path / "a.pt")
    trusted = set(torch.serialization.get_safe_globals())
    assert_same_weights(import_feat_checkpoint(tmp_path / "a.pt"), expected)
    assert set(torch.serialization.get_safe_globals()) == trusted


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (HARM,)


HARM = Path("harm.txt")


def test_pickled_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"ema": published(), "args": Harmful()}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="holds objects other than tensors and primitives"):
        import_feat_checkpoint(tmp_path / "a.pt")
    assert not HARM.exists()


def test_damaged_and_absent_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such checkpoint"):
        import_feat_checkpoint(tmp_path / "absent.pt")
    path = save_checkpoint(published(), tmp_path / "a.safetensors")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="truncated, damaged or not a checkpoint"):
        import_feat_checkpoint(path)
