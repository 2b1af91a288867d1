# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import os
import pickle
import re
import urllib.error
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from monai_feat.metrics.features import weights
from monai_feat.metrics.features.weights import (
    PUBLISHED,
    PublishedWeights,
    WeightsError,
    fetch_weights,
    load_strictly,
    load_tensors,
    weights_folder,
    weights_sha256,
)

CONTENT = bytes(range(256)) * 8


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MONAI_FEAT_WEIGHTS", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PublishedWeights:
    """A published file whose server is this machine's disk."""
    served = tmp_path / "served" / "toy.pt"
    served.parent.mkdir()
    served.write_bytes(CONTENT)
    digest = hashlib.sha256(CONTENT).hexdigest()
    published = PublishedWeights(served.as_uri(), digest, len(CONTENT), "none", "a test")
    monkeypatch.setitem(PUBLISHED, "toy", published)
    return published


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("published", PUBLISHED.values(), ids=PUBLISHED)
def test_the_table_is_complete(published: PublishedWeights) -> None:
    assert re.fullmatch("[0-9a-f]{64}", published.sha256)
    assert published.url.startswith("https://")
    assert Path(published.file).suffix in (".pt", ".pth")
    assert published.bytes > 1e7
    assert published.licence
    assert published.source


def test_hub_names_hold_the_beginning_of_the_hash() -> None:
    published = PUBLISHED["inception_state_dict"]
    assert published.sha256.startswith(Path(published.file).stem.split("-")[-1])


def test_a_path_is_used_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").write_bytes(b"anything")
    assert fetch_weights(tmp_path / "mine.pt") == tmp_path / "mine.pt"


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(FileNotFoundError, match=r"no weights file resnet, .* i3d, inception, .* video_mae"):
        fetch_weights("resnet")


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MONAI_FEAT_WEIGHTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert weights_folder() == tmp_path / "hub" / "checkpoints"
    monkeypatch.setenv("MONAI_FEAT_WEIGHTS", str(tmp_path / "elsewhere"))
    assert weights_folder() == tmp_path / "elsewhere"


def test_a_download_is_kept(toy: PublishedWeights, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fetch_weights("toy")
    assert path == cache / "toy.pt"
    assert path.read_bytes() == CONTENT
    assert names_in(cache) == ["toy.pt"]
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("downloaded again"))
    assert fetch_weights("toy") == path


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [(CONTENT[:-5], "it has 2043 bytes, expected 2048"), (b"!" + CONTENT[1:], "it has sha256 [0-9a-f]{64}, expected")],
)
def test_a_bad_download_is_not_kept(toy: PublishedWeights, cache: Path, sent: bytes, complaint: str) -> None:
    Path(toy.url.removeprefix("file://")).write_bytes(sent)
    with pytest.raises(WeightsError, match=f"toy.pt: {complaint}") as raised:
        fetch_weights("toy")
    assert toy.sha256 in str(raised.value)
    assert "\n" not in str(raised.value)
    assert names_in(cache) == []


@pytest.mark.parametrize("content", [CONTENT[:-5], b"!" + CONTENT[1:]])
def test_a_bad_file_in_the_cache_is_not_used(toy: PublishedWeights, cache: Path, content: bytes) -> None:
    cache.mkdir()
    (cache / "toy.pt").write_bytes(content)
    with pytest.raises(WeightsError, match=f"{cache / 'toy.pt'}: is not the published toy.pt: .*{toy.sha256}"):
        fetch_weights("toy")
    assert (cache / "toy.pt").read_bytes() == content


def test_without_a_network_one_line_tells_what_to_do(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(FileNotFoundError) as raised:
        fetch_weights("i3d")
    for part in ("i3d_torchscript.pt", str(cache), "dropbox.com", PUBLISHED["i3d"].sha256, "MONAI_FEAT_WEIGHTS"):
        assert part in str(raised.value)
    assert "\n" not in str(raised.value)
    assert names_in(cache) == []


def test_a_hash_is_that_of_the_content_and_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    assert weights_sha256(path) == hashlib.sha256(CONTENT).hexdigest()
    monkeypatch.setattr(weights, "file_sha256", lambda _: pytest.fail("read again"))
    assert weights_sha256(str(path)) == hashlib.sha256(CONTENT).hexdigest()


def test_a_hash_follows_a_change(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    weights_sha256(path)
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(1, 1))
    assert weights_sha256(path) == hashlib.sha256(CONTENT[::-1]).hexdigest()


@pytest.mark.parametrize("wrapper", [None, "model", "module"])
def test_tensors_of_pickle_and_safetensors_agree(tmp_path: Path, wrapper: str | None) -> None:
    state = nn.Linear(3, 2).state_dict()
    torch.save(state if wrapper is None else {wrapper: state, "epoch": 3}, tmp_path / "a.pth")
    save_file(state, tmp_path / "a.safetensors")
    for read in (load_tensors(tmp_path / "a.pth"), load_tensors(tmp_path / "a.safetensors")):
        assert read.keys() == state.keys()
        assert all(torch.equal(read[name], value) for name, value in state.items())


class _Bomb:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (os.mkdir, ("exploded",))


def test_nothing_in_a_file_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": _Bomb()}, "bomb.pth")
    Path("bare.pth").write_bytes(pickle.dumps(_Bomb(), protocol=2))
    for name in ("bomb.pth", "bare.pth"):
        with pytest.raises(WeightsError, match=f"{name}: cannot be read as a state dict"):
            load_tensors(name)
    assert not Path("exploded").exists()


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
@pytest.mark.parametrize("left", [0, 100, 1000])
def test_a_truncated_file_is_one_line(tmp_path: Path, name: str, left: int) -> None:
    state = nn.Linear(30, 20).state_dict()
    torch.save(state, tmp_path / "a.pth")
    save_file(state, tmp_path / "a.safetensors")
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:left])
    with pytest.raises(WeightsError, match=f"cannot be read as a state dict; it has {left} bytes and sha256") as raised:
        load_tensors(tmp_path / name)
    assert "\n" not in str(raised.value)


def test_a_truncated_published_file_names_what_was_expected(tmp_path: Path) -> None:
    path = tmp_path / PUBLISHED["video_mae"].file
    path.write_bytes(b"PK")
    with pytest.raises(
        WeightsError, match=f"it has 2 bytes .* 2023804201 bytes and sha256 {PUBLISHED['video_mae'].sha256}"
    ):
        load_tensors(path)


def test_other_content_is_refused(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"epoch": 3}, tmp_path / "epoch.pth")
    with pytest.raises(WeightsError, match="expected a dict of tensors, got list"):
        load_tensors(tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="got a dict with epoch"):
        load_tensors(tmp_path / "epoch.pth")
    with pytest.raises(FileNotFoundError):
        load_tensors(tmp_path / "absent.pth")


def test_weights_in_half_precision_are_loaded_in_single(tmp_path: Path) -> None:
    state = {name: value.half() for name, value in nn.Linear(3, 2).state_dict().items()}
    with torch.device("meta"):
        network = nn.Linear(3, 2)
    load_strictly(network, state, "file")
    assert network.weight.dtype == torch.float32
    assert torch.equal(network.weight, state["weight"].float())


def test_every_difference_is_listed() -> None:
    state = {"weight": torch.zeros(2, 4), "scale": torch.zeros(1)}
    with pytest.raises(WeightsError) as raised:
        load_strictly(nn.Linear(3, 2), state, "file.pth")
    assert str(raised.value) == (
        "file.pth: does not fit Linear: 1 missing: bias; 1 unused: scale; "
        "1 of another shape: weight (2, 4) instead of (2, 3)"
    )
