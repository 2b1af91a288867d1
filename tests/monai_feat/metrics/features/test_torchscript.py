# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import dataclasses
import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from monai_feat.files import file_sha256
from monai_feat.metrics.features.torchscript import is_torchscript, load_torchscript
from monai_feat.metrics.features.weights import PUBLISHED, WeightsError

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")


class Doubling(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)

    def forward(self, x: Tensor, double: bool = False) -> Tensor:
        x = self.norm(x)
        return 2 * x if double else x


@pytest.fixture
def path(tmp_path: Path) -> Path:
    torch.jit.script(Doubling()).save(tmp_path / "net.pt")
    return tmp_path / "net.pt"


def test_it_gives_what_the_network_gave(path: Path) -> None:
    x = torch.rand(4, 3)
    network = load_torchscript(path, ("double",), trust_script=True)
    expected = Doubling().eval()(x)
    torch.testing.assert_close(network(x), expected)
    torch.testing.assert_close(network(x, double=True), 2 * expected)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))])
def test_it_can_be_copied_and_pickled(path: Path, duplicate: object) -> None:
    network = load_torchscript(path, (), trust_script=True).eval()
    assert callable(duplicate)
    twin = duplicate(network)
    path.unlink()
    x = torch.rand(4, 3)
    assert torch.equal(twin(x, double=True), network(x, double=True))
    assert not twin.training
    assert len(list(twin.parameters())) == 2


def test_it_is_told_from_a_state_dict(path: Path, tmp_path: Path) -> None:
    torch.save(Doubling().state_dict(), tmp_path / "state.pth")
    (tmp_path / "text").write_text("no archive")
    assert is_torchscript(path)
    assert not is_torchscript(tmp_path / "state.pth")
    assert not is_torchscript(tmp_path / "text")


def test_another_network_is_refused(path: Path) -> None:
    with pytest.raises(WeightsError, match=r"is another network: forward\(self, x, double\) lacks rescale, resize"):
        load_torchscript(path, ("rescale", "double", "resize"), trust_script=True)


@pytest.mark.parametrize("left", [0, 100, 2000])
def test_a_truncated_file_is_one_line(path: Path, left: int) -> None:
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(WeightsError, match=f"cannot be read as TorchScript; it has {left} bytes and sha256") as raised:
        load_torchscript(path, (), trust_script=True)
    assert "\n" not in str(raised.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file, expected weights as TorchScript"):
        load_torchscript(tmp_path / "absent.pt", ())


class Overwriting(nn.Module):
    """Writes zeros over the file ``victim`` of the working folder."""

    def forward(self, x: Tensor) -> Tensor:
        victim = torch.from_file("victim", shared=True, size=4, dtype=torch.uint8).zero_()
        return x + victim.sum()


def test_a_program_that_overwrites_files_is_refused_before_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("victim").write_bytes(b"data")
    torch.jit.script(Overwriting()).save("hostile.pt")
    with pytest.raises(WeightsError, match=r"TorchScript program of unknown origin, sha256 [0-9a-f]{64}"):
        load_torchscript("hostile.pt", ())
    assert Path("victim").read_bytes() == b"data"
    load_torchscript("hostile.pt", (), trust_script=True)(torch.zeros(1))  # what the refusal is for
    assert Path("victim").read_bytes() == bytes(4)


def test_a_published_program_needs_no_trust(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = dataclasses.replace(PUBLISHED["i3d"], sha256=file_sha256(path))
    monkeypatch.setitem(PUBLISHED, "i3d", entry)
    assert load_torchscript(path, ())(torch.rand(2, 3)).shape == (2, 3)
