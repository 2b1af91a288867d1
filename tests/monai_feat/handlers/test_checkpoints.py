# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import errno
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Engine, Events
from monai.handlers import CheckpointSaver

from monai_feat.checkpoints import CheckpointError, load_checkpoint, save_checkpoint
from monai_feat.handlers import AtomicDiskSaver, SafeCheckpointLoader, SafeCheckpointSaver


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


def test_the_trainer_is_saved_and_restored_without_being_named(tmp_path: Path) -> None:
    """A config cannot name the trainer among the objects: it is built from its handlers."""
    counts = [0, 0]

    def train_for(epochs: int, run: int, resume: bool) -> tuple[Engine, torch.nn.Module]:
        network = torch.nn.Linear(2, 2)

        def step(engine: Engine, _: Any) -> None:
            counts[run] += 1
            torch.nn.init.constant_(network.weight, engine.state.iteration)

        engine = Engine(step)
        SafeCheckpointSaver(str(tmp_path), {"network": network}, save_interval=1, n_saved=1).attach(engine)
        if resume:
            SafeCheckpointLoader(str(tmp_path / "checkpoint_epoch=2.pt"), {"network": network}).attach(engine)
        engine.run([0, 0, 0], max_epochs=epochs)
        return engine, network

    train_for(2, run=0, resume=False)
    engine, network = train_for(5, run=1, resume=True)
    assert counts == [6, 9]
    assert (engine.state.epoch, engine.state.iteration) == (5, 15)
    assert network.weight.unique().tolist() == [15]
    state = load_checkpoint(tmp_path / "checkpoint_epoch=5.pt")
    assert sorted(state) == ["network", "trainer"]
    assert state["trainer"]["iteration"] == 15


def run_saving(folder: Path, iterations: int, start: int = 0, length: int = 5, **how: Any) -> Engine:
    """Train for so many iterations from the start, and stop there as a kill would, without another word."""

    def step(engine: Engine, _: Any) -> None:
        if engine.state.iteration > iterations:
            raise KeyboardInterrupt

    engine = Engine(step)
    SafeCheckpointSaver(str(folder), {"network": torch.nn.Linear(2, 2)}, epoch_level=False, **how).attach(engine)
    if start:
        engine.load_state_dict({"iteration": start, "epoch_length": length, "max_epochs": 9})
    with contextlib.suppress(KeyboardInterrupt):
        engine.run([0] * length, max_epochs=9)
    return engine


def numbers(folder: Path) -> list[int]:
    return sorted(int(name.removeprefix("checkpoint_iteration=").removesuffix(".pt")) for name in readable(folder))


def test_iterations_and_the_ends_of_epochs_are_saved(tmp_path: Path) -> None:
    run_saving(tmp_path, 12, save_interval=2, n_saved=None)
    assert numbers(tmp_path) == [2, 4, 5, 6, 8, 10, 12]


def test_the_end_of_an_epoch_is_saved_after_its_validation(tmp_path: Path) -> None:
    """Killed while it validates, a training validates again."""
    engine = Engine(lambda *_: None)

    def validate() -> None:
        assert not list(tmp_path.glob("*.pt"))
        raise KeyboardInterrupt

    engine.add_event_handler(Events.EPOCH_COMPLETED, validate)
    how: dict[str, Any] = {"epoch_level": False, "save_interval": 4}
    SafeCheckpointSaver(str(tmp_path), {"network": torch.nn.Linear(2, 2)}, **how).attach(engine)
    with pytest.raises(KeyboardInterrupt):
        engine.run([0] * 4)


def test_no_more_files_are_kept_after_a_resume(tmp_path: Path) -> None:
    for start, stop in ((0, 4), (4, 8), (8, 11)):
        (tmp_path / ".checkpoint_iteration=4.pt.0.tmp").touch()  # what a kill while saving leaves
        run_saving(tmp_path, stop, start, save_interval=2, n_saved=2)
    assert numbers(tmp_path) == [8, 10]
    assert len(list(tmp_path.iterdir())) == 2


def test_files_of_a_later_iteration_stay_where_a_training_goes_on_from_an_earlier_one(tmp_path: Path) -> None:
    run_saving(tmp_path, 12, save_interval=2, n_saved=2)
    run_saving(tmp_path, 6, start=2, save_interval=2, n_saved=1)
    assert numbers(tmp_path) == [6, 10, 12]


@pytest.mark.filterwarnings("ignore")
def test_the_loss_scaler_is_saved_and_restored(tmp_path: Path) -> None:
    """MONAI's trainers make it only when they start."""

    def train(resume: bool) -> torch.amp.GradScaler:
        scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        engine = Engine(lambda *_: scaler.update(8.0) if not resume else None)
        engine.scaler = None  # type: ignore[attr-defined]
        network = torch.nn.Linear(2, 2)
        engine.add_event_handler(Events.STARTED, lambda: setattr(engine, "scaler", scaler))
        SafeCheckpointSaver(str(tmp_path), {"network": network}, save_interval=1).attach(engine)
        if resume:
            SafeCheckpointLoader(str(tmp_path / "checkpoint_epoch=1.pt"), {"network": network}).attach(engine)
        scaler.scale(torch.ones(()))
        engine.run([0], max_epochs=2 if resume else 1)
        return scaler

    assert train(resume=False).get_scale() == train(resume=True).get_scale() == 8.0


def test_epochs_of_another_length_are_refused(tmp_path: Path) -> None:
    run_saving(tmp_path, 5, save_interval=5)
    engine, network = Engine(lambda *_: None), torch.nn.Linear(2, 2)
    SafeCheckpointLoader(str(tmp_path / "checkpoint_iteration=5.pt"), {"network": network}).attach(engine)
    with pytest.raises(CheckpointError, match="its epochs have 5 batches, those of this training 3"):
        engine.run([0] * 3, max_epochs=9)


def test_a_checkpoint_of_a_gpu_is_read_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_checkpoint({"network": torch.nn.Linear(2, 2).state_dict()}, tmp_path / "a.pt")
    places, stock = [], torch.load

    def spy(*args: Any, map_location: Any = None, **options: Any) -> Any:
        places.append(str(map_location))
        return stock(*args, map_location=map_location, **options)

    monkeypatch.setattr(torch, "load", spy)
    SafeCheckpointLoader(str(path), {"network": torch.nn.Linear(2, 2)})(Engine(lambda engine, batch: None))
    assert set(places) == {"cpu"}


def test_loader_says_that_weights_alone_cannot_resume(tmp_path: Path) -> None:
    path = save_checkpoint(torch.nn.Linear(2, 2).state_dict(), tmp_path / "weights.safetensors")
    engine = Engine(lambda engine, batch: None)
    SafeCheckpointLoader(str(path), {"network": torch.nn.Linear(2, 2)}).attach(engine)
    with pytest.raises(CheckpointError, match="lacks network, trainer; it holds bias, weight"):
        engine.run([0], max_epochs=1)


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
