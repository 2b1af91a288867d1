# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

from monai_feat.checkpoints import CheckpointError, check_weights, load_weights, save_checkpoint
from monai_feat.conditions import ClassCondition, MaskCondition, ScalarCondition
from monai_feat.networks.nets import FEAT, FEAT_PRESETS


def network(width: int = 4, depth: int = 3) -> torch.nn.Sequential:
    return torch.nn.Sequential(*[torch.nn.Linear(width, width) for _ in range(depth)])


@pytest.mark.parametrize("name", ["a.pt", "a.safetensors"])
def test_weights_arrive(tmp_path: Path, name: str) -> None:
    source, target = network(), network().double()
    load_weights(target, save_checkpoint(source.state_dict(), tmp_path / name))
    torch.testing.assert_close(target[2].weight, source[2].weight.double())  # the network keeps its dtype


def test_entry_of_a_training_checkpoint(tmp_path: Path) -> None:
    source, target = network(), network()
    path = save_checkpoint({"network": source.state_dict(), "trainer": {"epoch": 1}}, tmp_path / "a.pt")
    load_weights(target, path, entry="network")
    torch.testing.assert_close(target.state_dict(), source.state_dict())
    with pytest.raises(CheckpointError, match=r"holds the entries network, trainer\. Name the one with the weights"):
        load_weights(target, path)
    with pytest.raises(CheckpointError, match="no state dict under 'ema'; it holds network, trainer"):
        load_weights(target, path, entry="ema")


def test_parts_that_are_exchangeable_may_be_missing_but_only_as_a_whole(tmp_path: Path) -> None:
    grown = torch.nn.ModuleDict({"old": network(), "more": torch.nn.ModuleDict({"new": network()})})
    before = {key: tensor.clone() for key, tensor in grown["more"].state_dict().items()}
    old = {f"old.{key}": tensor + 1 for key, tensor in grown["old"].state_dict().items()}
    path = save_checkpoint(old, tmp_path / "old.pt")
    with pytest.raises(CheckpointError, match=r"6 missing: more\.new\.0\.weight"):
        load_weights(grown, path)
    load_weights(grown, path, exchangeable="more")
    torch.testing.assert_close(grown["more"].state_dict(), before, rtol=0, atol=0)
    torch.testing.assert_close(grown["old"][0].weight, old["old.0.weight"], rtol=0, atol=0)

    half = save_checkpoint(old | {"more.new.0.weight": torch.zeros(4, 4)}, tmp_path / "half.pt")
    with pytest.raises(CheckpointError, match=r"5 missing: more\.new\.0\.bias"):
        load_weights(grown, half, exchangeable="more")
    del old["old.0.bias"]
    with pytest.raises(CheckpointError, match=r"1 missing: old\.0\.bias"):
        load_weights(grown, save_checkpoint(old, tmp_path / "less.pt"), exchangeable="more")


def test_conditions_of_weights_are_kept_where_the_network_has_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    depth, view, mask = ScalarCondition("depth", 0, 10), ClassCondition("view", 2), MaskCondition()
    trained, other, plain = (
        FEAT(**FEAT_PRESETS["pico"], conditions=each) for each in ([depth, view], [view, mask], [])
    )
    torch.nn.init.ones_(trained.conditioning.blocks["view"].table.weight)
    path = save_checkpoint(trained.state_dict(), tmp_path / "feat.safetensors")
    load_weights(other, path, exchangeable="conditioning.blocks")
    assert "left out depth, which this network does not have" in caplog.text
    assert other.conditioning.blocks["view"].table.weight.eq(1).all()
    load_weights(plain, path, exchangeable="conditioning.blocks")
    x, t = torch.randn(1, 4, 2, 8, 8), torch.tensor([500.0])
    torch.testing.assert_close(plain(x, t), trained(x, t), rtol=0, atol=0)  # of which nothing is asked


def test_what_a_module_has_against_a_tensor_is_told(tmp_path: Path) -> None:
    conditions = [[ScalarCondition("depth", 0, most)] for most in (10.0, 20.0)]
    trained, other = (FEAT(**FEAT_PRESETS["pico"], conditions=each) for each in conditions)
    with pytest.raises(CheckpointError, match="depth was trained for 0 to 10, and is defined here for 0 to 20"):
        load_weights(other, save_checkpoint(trained.state_dict(), tmp_path / "feat.safetensors"))


def test_other_architecture_in_a_few_lines(tmp_path: Path) -> None:
    path = save_checkpoint(torch.nn.LSTM(4, 4, num_layers=30).state_dict(), tmp_path / "a.pt")
    target = network(depth=100)
    before = {key: tensor.clone() for key, tensor in target.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_weights(target, path)
    message = str(caught.value)
    assert "does not fit Sequential: this checkpoint is of another architecture (0 of 200 tensors agree)" in message
    assert "200 missing: 0.weight, 0.bias, 1.weight, 1.bias, 2.weight, … (195 more)" in message
    assert "120 unexpected: weight_ih_l0" in message
    assert len(message.splitlines()) == 3
    torch.testing.assert_close(target.state_dict(), before, atol=0, rtol=0)


def test_each_kind_of_difference_is_named() -> None:
    expected = network().state_dict()
    given = dict(expected) | {"1.bias": torch.zeros(7), "extra": torch.zeros(1)}
    del given["0.bias"]
    with pytest.raises(CheckpointError) as caught:
        check_weights(expected, given, source="file.pt", target="Sequential")
    message = str(caught.value)
    assert "file.pt: does not fit Sequential: some tensors differ (4 of 6 tensors agree)" in message
    assert "1 missing: 0.bias" in message
    assert "1 unexpected: extra" in message
    assert "1 of another shape: 1.bias (7,) instead of (4,)" in message


def test_equal_keys_and_shapes_pass() -> None:
    check_weights(network().state_dict(), network().state_dict(), source="file.pt", target="Sequential")
