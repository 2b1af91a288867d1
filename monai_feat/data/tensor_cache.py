# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Tensors on disk under hashes of what they were computed from: computed once for all runs, read through a memory map.

A cache is a folder of files, ``<hash of the content>.safetensors``, called shards, of any number of tensors each. What
is written never changes, there is no index beside the shards, and a shard takes its name when it is whole: so a process
may be killed at any time and any number of them may read and write. Any file may be deleted.
"""

from __future__ import annotations

import hashlib
import os
import time
import warnings
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from monai_feat.files import file_sha256, remove_leftovers, replacing, temporary_name

__all__ = ["TensorCache", "TensorCacheError"]

SHARD_BYTES = 32 * 2**20
SHARD_SECONDS = 60.0  # what a kill can cost
LEFTOVER_SECONDS = 24 * 3600.0  # older ones are in nobody's making


class TensorCacheError(RuntimeError):
    """A shard could not be written; the message says which, and why."""


class TensorCache:
    """Tensors under string keys, in one folder.

    Shards are mapped into memory: a tensor is read from the disk when it is asked for. The first time that a cache is
    asked whether it has a tensor of a shard, the whole shard is compared with the hash that is its name; a damaged one
    is reported by a warning and deleted, and its tensors count as missing.

    Args:
        folder: where the shards are; made if it is missing.

    Raises:
        TensorCacheError: when the folder cannot be made.

    Example:
        >>> import tempfile, torch
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cache = TensorCache(folder)
        ...     cache.put("a clip's hash", torch.ones(3))
        ...     cache.flush()
        ...     TensorCache(folder).get("a clip's hash")
        tensor([1., 1., 1.])
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self._shard_of: dict[str, Path] = {}
        self._open: dict[Path, Any] = {}
        self._whole: set[Path] = set()
        self._pending: dict[str, Tensor] = {}
        self._pending_since = 0.0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TensorCacheError(f"{self.folder}: cannot be made: {error.strerror}; choose another folder") from error
        remove_leftovers(self.folder, LEFTOVER_SECONDS)
        self.refresh()

    def __len__(self) -> int:
        return len(self._shard_of.keys() | self._pending.keys())

    def __contains__(self, key: str) -> bool:
        if key in self._pending:
            return True
        path = self._shard_of.get(key)
        return path is not None and (path in self._whole or self._verify(path))

    def get(self, key: str) -> Tensor:
        """Return the tensor that was put under a key.

        Raises:
            KeyError: when there is none.
        """
        if key in self._pending:
            return self._pending[key]
        if key not in self._shard_of:
            raise KeyError(f"{self.folder} holds nothing under {key!r}")
        tensor: Tensor = self._file(self._shard_of[key]).get_tensor(key)
        return tensor

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}}  # a map belongs to its process

    def put(self, key: str, tensor: Tensor) -> None:
        """Take a tensor, and write a shard when there is enough for one.

        Raises:
            TensorCacheError: when it cannot be written.
        """
        if not self._pending:
            self._pending_since = time.monotonic()
        self._pending[key] = tensor.detach().cpu().contiguous()
        size = sum(pending.nbytes for pending in self._pending.values())
        if size >= SHARD_BYTES or time.monotonic() - self._pending_since >= SHARD_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was added since the last shard, and take in what other processes have written.

        Raises:
            TensorCacheError: when it cannot be written.
        """
        if self._pending:
            content = safetensors.torch.save(self._pending)
            path = self.folder / f"{hashlib.sha256(content).hexdigest()}.safetensors"
            self._write(path, content)
            self._forget(path)  # it may have taken the place of a damaged one
            self._index(path)
            self._whole.add(path)
            self._pending = {}
        self.refresh()

    def refresh(self) -> None:
        """Take in the shards that other processes have written."""
        for path in sorted(self.folder.glob("*.safetensors")):
            if path not in self._open:
                self._index(path)

    def _file(self, path: Path) -> Any:
        if path not in self._open:
            self._open[path] = safetensors.safe_open(path, framework="pt")
        return self._open[path]

    def _index(self, path: Path) -> None:
        try:
            keys = self._file(path).keys()
        except FileNotFoundError:  # damaged, and another process was faster to delete it
            return
        except safetensors.SafetensorError:
            self._give_up(path)
        else:
            self._shard_of.update(dict.fromkeys(keys, path))

    def _verify(self, path: Path) -> bool:
        try:
            whole = file_sha256(path) == path.stem
        except FileNotFoundError:
            self._forget(path)
            return False
        if whole:
            self._open.pop(path, None)  # what is mapped may be a damaged one that another process has replaced
            self._whole.add(path)
        else:
            self._give_up(path)
        return whole

    def _forget(self, path: Path) -> None:
        self._open.pop(path, None)
        self._shard_of = {key: shard for key, shard in self._shard_of.items() if shard != path}

    def _give_up(self, path: Path) -> None:
        """Delete a damaged shard, unless another process has just replaced it by a whole one."""
        warnings.warn(f"{path}: damaged, and deleted; what it held is computed anew", stacklevel=5)
        self._forget(path)
        aside = temporary_name(path)
        try:
            path.rename(aside)
        except FileNotFoundError:
            return
        if file_sha256(aside) == path.stem:
            aside.replace(path)
        else:
            aside.unlink()

    def _write(self, path: Path, content: bytes) -> None:
        try:
            with replacing(path) as file:
                file.write(content)
        except OSError as error:
            raise TensorCacheError(
                f"{path}: not written ({len(content) / 2**20:.1f} MiB): {error.strerror}; all shards before it are kept"
            ) from error
