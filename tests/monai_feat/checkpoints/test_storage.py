# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
import errno
import os
import resource
import signal
import stat
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from safetensors.torch import load_file, save_file

from monai_feat.checkpoints import CheckpointError, load_checkpoint, read_metadata, save_checkpoint, storage

FORMATS = ["a.pt", "a.safetensors"]


def nested_state() -> dict[str, Any]:
    """What a training leaves: weights, an optimiser with state, counters."""
    network = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    return {
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "trainer": OrderedDict(epoch=3, rate=0.5, name="x", best=None, done=False, betas=(0.9, 0.99)),
    }


def test_nested_state_returns_as_it_was(tmp_path: Path) -> None:
    state = nested_state()
    loaded = load_checkpoint(save_checkpoint(state, tmp_path / "new" / "a.pt"))
    assert loaded["trainer"] == state["trainer"]
    assert loaded["optimizer"]["param_groups"] == state["optimizer"]["param_groups"]
    torch.testing.assert_close(loaded["network"], state["network"], atol=0, rtol=0)
    torch.testing.assert_close(loaded["optimizer"]["state"], state["optimizer"]["state"], atol=0, rtol=0)


def test_safetensors_is_the_plain_format(tmp_path: Path) -> None:
    base = torch.randn(4, 6)
    state = {"tied": base, "tied_too": base, "view": base[1], "transposed": base.T, "half": base.half()}
    path = save_checkpoint(state, tmp_path / "a.safetensors", metadata={"hidden_size": "32"})
    torch.testing.assert_close(load_file(path), state, atol=0, rtol=0)
    torch.testing.assert_close(load_checkpoint(path), state, atol=0, rtol=0)
    assert read_metadata(path) == {"hidden_size": "32"}


def test_file_of_others_without_metadata(tmp_path: Path) -> None:
    save_file({"a": torch.ones(2)}, tmp_path / "a.safetensors")
    assert read_metadata(tmp_path / "a.safetensors") == {}


@pytest.mark.parametrize("name", FORMATS)
def test_others_may_read_the_file(tmp_path: Path, name: str) -> None:
    previous = os.umask(0o022)
    try:
        path = save_checkpoint({"a": torch.ones(2)}, tmp_path / name)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": {"b": [1, np.float64(2)]}}, r"'a.b\[1\]': it is a numpy.float64"),
        ({"args": argparse.Namespace(lr=1)}, r"'args': it is a argparse.Namespace"),
        ({"image": MetaTensor(torch.ones(2))}, r"'image': it is a monai.*MetaTensor"),
        ({"net": torch.nn.Linear(1, 1)}, r"'net': it is a torch.*Linear"),
        ({"a": {(1, 2): 3}}, r"'key a.\(1, 2\)': it is a tuple"),
    ],
)
def test_foreign_objects_are_named_before_anything_is_written(tmp_path: Path, state: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        save_checkpoint(state, tmp_path / "a.pt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "state", "metadata", "message"),
    [
        ("a.safetensors", {"net": {"w": torch.ones(1)}}, None, "'net': it is a dict"),
        ("a.safetensors", {"w": torch.ones(1)}, {"depth": 4}, "metadata 'depth': it is a int, expected a string"),
        ("a.pt", {"w": torch.ones(1)}, {"depth": "4"}, "metadata belongs in a .safetensors file"),
        ("a.ckpt", {"w": torch.ones(1)}, None, "unknown suffix '.ckpt'"),
    ],
)
def test_what_a_format_cannot_hold(tmp_path: Path, name: str, state: Any, metadata: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        save_checkpoint(state, tmp_path / name, metadata)


class FullDisk:
    """A file that takes some bytes and then no more, as a full disk does."""

    def __init__(self, file: BinaryIO, room: int) -> None:
        self.file, self.room = file, room

    def write(self, data: Any) -> int:
        self.file.write(bytes(data)[: self.room])
        self.room -= len(data)
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


@pytest.mark.parametrize("name", FORMATS)
def test_previous_checkpoint_survives_a_full_disk(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_checkpoint({"a": torch.ones(300)}, tmp_path / name)
    before = path.read_bytes()
    atomically = storage._write_atomically

    def on_full_disk(path: Path, write: Any, needed: int) -> None:
        atomically(path, lambda file: write(FullDisk(file, room=1000)), needed)

    monkeypatch.setattr(storage, "_write_atomically", on_full_disk)
    with pytest.raises(CheckpointError) as caught:
        save_checkpoint({"a": torch.zeros(2**20)}, path)
    message = str(caught.value)
    assert str(path) in message
    assert "No space left on device" in message
    assert "4.0 MiB" in message
    assert "previous checkpoint at this path is intact" in message
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", FORMATS)
def test_previous_checkpoint_survives_a_limit_of_the_system(tmp_path: Path, name: str) -> None:
    path = save_checkpoint({"a": torch.ones(300)}, tmp_path / name)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    try:
        with pytest.raises(CheckpointError, match="File too large"):
            save_checkpoint({"a": torch.zeros(2**18)}, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_first_save_that_fails_claims_no_previous_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "save", raise_no_space)
    with pytest.raises(CheckpointError) as caught:
        save_checkpoint({"a": torch.ones(1)}, tmp_path / "a.pt")
    assert "intact" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_paths_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="cannot make its folder: Not a directory"):
        save_checkpoint({"a": torch.ones(1)}, tmp_path / "file" / "new" / "a.pt")
    (tmp_path / "folder.pt").mkdir()
    with pytest.raises(CheckpointError, match="not saved: Is a directory"):
        save_checkpoint({"a": torch.ones(1)}, tmp_path / "folder.pt")


def raise_no_space(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_final_name_only_ever_bears_a_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_checkpoint({"a": torch.ones(3)}, tmp_path / "a.pt")
    before, seen = path.read_bytes(), []
    synchronise = os.fsync

    def look_then_synchronise(descriptor: int) -> None:
        seen.append((path.read_bytes() == before, len(list(tmp_path.iterdir()))))
        synchronise(descriptor)

    monkeypatch.setattr(os, "fsync", look_then_synchronise)
    save_checkpoint({"a": torch.zeros(3)}, path)
    # Until the bytes are on the disk the old file stands beside the temporary one; then the folder is synchronised.
    assert seen == [(True, 2), (False, 1)]
    assert load_checkpoint(path)["a"].sum() == 0


def test_interrupt_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint({"a": torch.ones(1)}, tmp_path / "a.pt")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kept", [0, 5, 700, -50], ids=["empty", "5 bytes", "700 bytes", "all but 50 bytes"])
def test_truncated_file_is_one_line(tmp_path: Path, name: str, kept: int) -> None:
    path = save_checkpoint({"a": torch.ones(300)}, tmp_path / name)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match="truncated, damaged or not a checkpoint") as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("content", [b"just some text\n" * 50, b"\x89PNG\r\n\x1a\n" + bytes(500)], ids=["text", "png"])
def test_foreign_file_is_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="not a checkpoint") as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)


def test_flipped_bit_is_found(tmp_path: Path) -> None:
    path = save_checkpoint({"a": torch.ones(3000)}, tmp_path / "a.pt")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="does not match its checksum"):
        load_checkpoint(path)


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    torch.save({"args": argparse.Namespace(lr=1)}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=r"argparse\.Namespace.*may run code"):
        load_checkpoint(tmp_path / "a.pt")


def test_old_format_of_torch_still_loads(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(3)}, tmp_path / "a.bin", _use_new_zipfile_serialization=False)
    assert load_checkpoint(tmp_path / "a.bin")["a"].sum() == 3


def test_file_that_is_no_dict(tmp_path: Path) -> None:
    torch.save([torch.ones(1)], tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="holds a list, expected a dict"):
        load_checkpoint(tmp_path / "a.pt")


@pytest.mark.parametrize("read", [load_checkpoint, read_metadata])
def test_absent_file_and_folder(tmp_path: Path, read: Any) -> None:
    with pytest.raises(FileNotFoundError, match="no such checkpoint"):
        read(tmp_path / "a.safetensors")
    with pytest.raises(FileNotFoundError, match="is a folder"):
        read(tmp_path)


def test_equal_weights_are_equal_files_whatever_the_order_of_their_metadata(tmp_path: Path) -> None:
    metadata = {f"key {number}": "é" * number for number in range(8)}
    for name, strings in (("a", metadata), ("b", dict(reversed(metadata.items())))):
        save_checkpoint({"w": torch.arange(3.0)}, tmp_path / f"{name}.safetensors", strings)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    assert read_metadata(tmp_path / "a.safetensors") == metadata
    assert load_checkpoint(tmp_path / "a.safetensors")["w"].tolist() == [0, 1, 2]
