# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine
from monai.handlers import CheckpointSaver

from monai_feat.checkpoints import (
    AtomicDiskSaver,
    CheckpointError,
    SafeCheckpointLoader,
    SafeCheckpointSaver,
    load_checkpoint,
    save_checkpoint,
)


def full_disk(state: Any, file: Any) -> None:
    """Write the beginning, then fail as a full disk does."""
    if isinstance(file, Path):
        with file.open("wb") as opened:
            full_disk(state, opened)
    file.write(b"PK")
    raise OSError(errno.ENOSPC, "No space left on device")


def train(
    folder: Path, patch: pytest.MonkeyPatch, saver: type[CheckpointSaver], full_from: int | None = None, **how: Any
) -> None:
    """Train for one epoch and then for two more, saving as asked; from epoch ``full_from`` on the disk is full."""

    def step(engine: Engine, _: Any) -> None:
        if engine.state.epoch == full_from:
            patch.setattr(torch, "save", full_disk)

    engine = Engine(step)
    state = {"network": torch.nn.Linear(2, 2), "trainer": engine}
    saver(save_dict=state, save_dir=str(folder), **how).attach(engine)
    engine.run([0], max_epochs=1)
    engine.run([0], max_epochs=3)


def readable(folder: Path) -> list[str]:
    names = []
    for file in sorted(folder.iterdir()):
        try:
            load_checkpoint(file)
        except CheckpointError:
            continue
        names.append(file.name)
    return names


@pytest.mark.parametrize("saver", [CheckpointSaver, SafeCheckpointSaver])
def test_only_the_safe_saver_keeps_a_checkpoint_on_a_full_disk(
    tmp_path: Path, saver: type[CheckpointSaver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stock saver is here to show that the safe one is still needed; should it pass one day, use it."""
    with pytest.raises((OSError, CheckpointError), match="No space left"):
        train(tmp_path, monkeypatch, saver, full_from=2, save_interval=1, n_saved=1)
    assert readable(tmp_path) == (["checkpoint_epoch=1.pt"] if saver is SafeCheckpointSaver else [])


def test_fixed_final_name_survives_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CheckpointError, match="previous checkpoint at this path is intact"):
        train(tmp_path, monkeypatch, SafeCheckpointSaver, full_from=2, save_final=True, final_filename="final.pt")
    assert readable(tmp_path) == ["final.pt"]
    assert len(list(tmp_path.iterdir())) == 1


def test_old_checkpoints_go_once_the_new_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(tmp_path, monkeypatch, SafeCheckpointSaver, save_interval=1, n_saved=2)
    assert readable(tmp_path) == ["checkpoint_epoch=2.pt", "checkpoint_epoch=3.pt"]


def test_disk_saver_catches_up_with_removals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saver = AtomicDiskSaver(tmp_path)
    saver({"a": 1}, "1.pt")
    saver.remove("1.pt")
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full_disk)
        with pytest.raises(CheckpointError):
            saver({"a": 2}, "2.pt")
    assert readable(tmp_path) == ["1.pt"]
    saver({"a": 3}, "3.pt")
    assert readable(tmp_path) == ["3.pt"]


def test_training_resumes_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train(tmp_path, monkeypatch, SafeCheckpointSaver, save_interval=1, n_saved=1)
    network, engine = torch.nn.Linear(2, 2), Engine(lambda engine, batch: None)
    path = str(tmp_path / "checkpoint_epoch=3.pt")
    SafeCheckpointLoader(path, {"network": network, "trainer": engine}).attach(engine)
    engine.run([0], max_epochs=4)
    assert engine.state.iteration == 4
    torch.testing.assert_close(network.state_dict(), load_checkpoint(path)["network"], atol=0, rtol=0)


@pytest.mark.parametrize("bare", [True, False])
def test_loader_names_another_architecture(tmp_path: Path, bare: bool) -> None:
    state = torch.nn.LSTM(2, 2).state_dict()
    path = save_checkpoint(state if bare else {"network": state}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="another architecture"):
        SafeCheckpointLoader(str(path), {"network": torch.nn.Linear(2, 2)})(Engine(lambda engine, batch: None))


def test_loader_takes_a_bare_state_dict(tmp_path: Path) -> None:
    source, target = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    path = save_checkpoint(source.state_dict(), tmp_path / "a.pt")
    SafeCheckpointLoader(str(path), {"network": target})(Engine(lambda engine, batch: None))
    torch.testing.assert_close(target.state_dict(), source.state_dict())


def test_loader_names_a_damaged_file(tmp_path: Path) -> None:
    path = save_checkpoint({"network": torch.nn.Linear(2, 2).state_dict()}, tmp_path / "a.pt")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="truncated"):
        SafeCheckpointLoader(str(path), {"network": torch.nn.Linear(2, 2)})(Engine(lambda engine, batch: None))
