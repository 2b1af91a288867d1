# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""MONAI's checkpoint handlers, made safe against a full disk and clear about a checkpoint of another network."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events
from ignite.handlers import Checkpoint, DiskSaver
from monai.handlers.checkpoint_loader import CheckpointLoader
from monai.handlers.checkpoint_saver import CheckpointSaver

from monai_feat.checkpoints.storage import CheckpointError, load_checkpoint, save_checkpoint
from monai_feat.checkpoints.weights import check_weights
from monai_feat.files import remove_leftovers

__all__ = ["AtomicDiskSaver", "SafeCheckpointLoader", "SafeCheckpointSaver"]


class AtomicDiskSaver(DiskSaver):
    """Save with :func:`monai_feat.checkpoints.save_checkpoint`, and delete the old only once the new is on the disk.

    Ignite's ``Checkpoint`` asks to remove the oldest file before it saves the newest one, so that with one checkpoint
    kept a full disk costs both. Here removals wait for the next save that succeeds, which takes room for one file more.

    Args:
        dirname: folder of the checkpoints; made if missing.
        filename: fixed name for the file; None for the name that ``Checkpoint`` chooses.
    """

    def __init__(self, dirname: str | os.PathLike[str], filename: str | None = None) -> None:
        super().__init__(dirname=Path(dirname), require_empty=False)
        self.filename = filename
        self._outdated: set[Path] = set()

    def __call__(self, checkpoint: Mapping[str, Any], filename: str, metadata: Mapping[str, Any] | None = None) -> None:
        """Write the checkpoint on the saving rank, then delete what it replaces; ``metadata`` is Ignite's own note."""
        if idist.get_rank() != self.save_on_rank:
            return
        written = save_checkpoint(checkpoint, self.dirname / (self.filename or filename))
        for path in self._outdated - {written}:
            path.unlink(missing_ok=True)
        self._outdated.clear()

    def remove(self, filename: str) -> None:
        """Mark a file for deletion after the next save."""
        self._outdated.add(self.dirname / (self.filename or filename))


class SafeCheckpointSaver(CheckpointSaver):
    """MONAI's ``CheckpointSaver`` (same arguments) that writes with :class:`AtomicDiskSaver` and saves its trainer too.

    The engine it is attached to is saved as ``trainer``, and its gradient scaler, with mixed precision, as ``scaler``:
    a config cannot name the trainer among the objects to save, because the trainer is built from its handlers. MONAI
    1.6.1 writes over the previous file in place and deletes the previous final checkpoint first; a full disk or a crash
    while saving then leaves neither.

    With ``epoch_level=False`` it saves at the end of every epoch too, and there after all other handlers that come
    before it, such as validation. Of what a training saved before it was resumed, ``n_saved`` files are kept, not more.

    Args:
        arguments: of ``CheckpointSaver``.
        metadata: what the networks say about themselves, see `monai_feat.checkpoints.Description`; kept in every file.
        options: of ``CheckpointSaver``.
    """

    def __init__(self, *arguments: Any, metadata: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if metadata is not None:
            self.save_dict["metadata"] = _Constant(metadata)

    def attach(self, engine: Engine) -> None:
        """Replace the writers behind the final, best and regular checkpoints, then attach to ``engine``."""
        self.save_dict.update(_engine_parts(engine))
        engine.add_event_handler(Events.STARTED, self._add_scaler)
        for checkpoint in (self._final_checkpoint, self._key_metric_checkpoint, self._interval_checkpoint):
            if checkpoint is not None:
                stock = checkpoint.save_handler
                checkpoint.save_handler = AtomicDiskSaver(stock.dirname, getattr(stock, "filename", None))
        super().attach(engine)
        if self._interval_checkpoint is not None and not self.epoch_level:
            engine.add_event_handler(Events.EPOCH_COMPLETED, self.interval_completed)

    def interval_completed(self, engine: Engine) -> None:
        """Save, but at the last iteration of an epoch wait until the epoch is complete."""
        ends = engine.state.epoch_length and engine.state.iteration % engine.state.epoch_length == 0
        if ends and engine.last_event_name == Events.ITERATION_COMPLETED:
            return
        self._adopt_earlier_files()
        super().interval_completed(engine)

    def _add_scaler(self, engine: Engine) -> None:
        """Save the scaler, which MONAI's trainers make when they start."""
        self.save_dict.update(_engine_parts(engine))

    def _adopt_earlier_files(self) -> None:
        """Count the files of before a resume among those that are kept, and clear up after a kill while saving."""
        checkpoint = self._interval_checkpoint
        if checkpoint is None or checkpoint._saved or idist.get_rank() != 0:
            return
        state = self.save_dict["trainer"].state
        now = state.epoch if self.epoch_level else state.iteration
        pattern = re.compile(rf"(?:.*_)?{checkpoint.score_name}=(\d+)\.{checkpoint.ext}")
        folder = Path(self.save_dir)
        found = ((int(match[1]), match[0]) for file in folder.glob("*") if (match := pattern.fullmatch(file.name)))
        checkpoint._saved = [Checkpoint.Item(*item) for item in sorted(found) if item[0] < now]
        while checkpoint.n_saved is not None and len(checkpoint._saved) > checkpoint.n_saved:
            checkpoint.save_handler.remove(checkpoint._saved.pop(0).filename)
        remove_leftovers(folder)


class SafeCheckpointLoader(CheckpointLoader):
    """MONAI's ``CheckpointLoader`` (same arguments) that says in a few lines what is wrong with a file.

    The engine it is attached to, and its gradient scaler, are restored as :class:`SafeCheckpointSaver` saves them. With
    ``strict``, the default, networks are compared with the file before anything is loaded into any object.
    """

    def attach(self, engine: Engine) -> None:
        """Restore ``engine`` too, when it starts."""
        self.load_dict.update(_engine_parts(engine))
        super().attach(engine)

    def __call__(self, engine: Engine) -> None:
        """Check the file, then load it.

        Raises:
            FileNotFoundError: if there is no such file.
            CheckpointError: if it is damaged, foreign, of another architecture, or of epochs of another length.
        """
        if "trainer" in self.load_dict:
            self.load_dict.update(_engine_parts(engine))  # MONAI's trainers make their scaler when they start
        checkpoint = load_checkpoint(self.load_path)
        if len(self.load_dict) == 1 and not checkpoint.keys() & self.load_dict.keys():
            checkpoint = dict.fromkeys(self.load_dict, checkpoint)  # the file is the one object's state itself
        self._check_entries(checkpoint)
        if self.strict:
            self._check_networks(checkpoint)
            self._check_epochs(checkpoint, engine)
        if self.map_location is None:  # torch would want the device from which the objects were saved
            self.map_location = "cpu"  # type: ignore[assignment]
        super().__call__(engine)

    def _check_epochs(self, checkpoint: dict[str, Any], engine: Engine) -> None:
        """Refuse to go on with other epochs: Ignite would count by the old ones, and show some clips more often."""
        there = checkpoint.get("trainer", {}).get("epoch_length")
        if "trainer" in self.load_dict and there is not None and there != engine.state.epoch_length:
            raise CheckpointError(
                f"{self.load_path}: its epochs have {there} batches, those of this training "
                f"{engine.state.epoch_length}: go on with the same data and the same batch size, or start another "
                "training from its weights"
            )

    def _check_entries(self, checkpoint: dict[str, Any]) -> None:
        absent = [name for name in self.load_dict if name not in checkpoint]
        if absent:
            raise CheckpointError(
                f"{self.load_path}: no checkpoint of this training: it lacks {', '.join(absent)}; it holds "
                f"{', '.join(list(checkpoint)[:5])}. A file of weights alone starts a training, but cannot resume one"
            )

    def _check_networks(self, checkpoint: dict[str, Any]) -> None:
        for name, target in self.load_dict.items():
            network = _unwrapped(target)
            if isinstance(network, torch.nn.Module):
                state = checkpoint[name]
                check_weights(network.state_dict(), state, source=self.load_path, target=type(network).__name__)


class _Constant:
    """An object to save that does not change."""

    def __init__(self, state: Mapping[str, str]) -> None:
        self._state = dict(state)

    def state_dict(self) -> dict[str, str]:
        return self._state


def _engine_parts(engine: Engine) -> dict[str, Any]:
    scaler = getattr(engine, "scaler", None)
    return {"trainer": engine} if scaler is None else {"trainer": engine, "scaler": scaler}


def _unwrapped(target: Any) -> Any:
    wrappers = (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)
    return target.module if isinstance(target, wrappers) else target
