# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Moments of clips' latents on disk: encoded once for all runs, read through a memory map.

A cache is a folder of folders, ``<hash of the autoencoder>/<hash of the content>.safetensors``. A file, called a shard,
holds one tensor for each of its clips: mean and log-variance, ``(2, C, T, H, W)``, under the hash of the clip's pixels.
What is written never changes, there is no index beside the shards, and a shard takes its name when it is whole: so a
process may be killed at any time and any number of them may read and write. Any file or folder may be deleted.
"""

from __future__ import annotations

import hashlib
import os
import time
import uuid
import warnings
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from monai.utils import convert_to_tensor
from torch import Tensor, nn

__all__ = ["LatentCache", "LatentCacheError", "autoencoder_digest", "clip_digest"]

LAYOUT = "monai-feat latents 1"  # hashed with the autoencoder: another layout would never meet files of this one
SHARD_BYTES = 32 * 2**20
SHARD_SECONDS = 60.0  # what a kill can cost
LEFTOVER_SECONDS = 24 * 3600.0
_BLOCK = 2**20


class LatentCacheError(RuntimeError):
    """A shard could not be written; the message says which, and why."""


def clip_digest(clip: Tensor) -> str:
    """Hash a clip's pixels, their shape and number type with SHA-256; meta data do not count.

    Args:
        clip: any tensor, on any device.

    Returns:
        64 hexadecimal digits.
    """
    dense: Tensor = convert_to_tensor(clip, track_meta=False).detach().cpu().contiguous()
    digest = hashlib.sha256(f"{dense.dtype} {tuple(dense.shape)} ".encode())
    digest.update(dense.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def autoencoder_digest(autoencoder: nn.Module) -> str:
    """Hash a network's weights, buffers, the class of every module in it and their settings with SHA-256.

    The settings are the public attributes, such as the groups of a normalisation, which change what a network computes
    without a trace in its weights. The code of the classes does not count.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(LAYOUT.encode())
    for name, module in autoencoder.named_modules():
        settings = {key: _setting(value) for key, value in vars(module).items() if not key.startswith("_")}
        kind = f"{type(module).__module__}.{type(module).__qualname__}"
        digest.update(repr((name, kind, sorted(settings.items()))).encode())
    for name, tensor in chain(autoencoder.named_parameters(), autoencoder.named_buffers()):
        digest.update(repr((name, clip_digest(tensor))).encode())
    return digest.hexdigest()


def _setting(value: object) -> object:
    """Describe an attribute so that equal ones are described the same in every process."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        return tuple(_setting(item) for item in value)
    if isinstance(value, Tensor):
        return clip_digest(value)
    return str(getattr(value, "__qualname__", type(value).__qualname__))


class LatentCache:
    """Means and log-variances of the latents that one autoencoder, as it is now, gives to clips.

    Shards are mapped into memory: an entry is read from the disk when it is asked for. The first time that a cache is
    asked whether it has an entry of a shard, the whole shard is compared with the hash that is its name; a damaged one
    is reported by a warning and deleted, and its clips count as missing.

    Args:
        cache_dir: where all caches are; made if it is missing. ``~`` is the home folder.
        autoencoder: decides which of them this one is, see `autoencoder_digest`.

    Raises:
        LatentCacheError: when the folder cannot be made.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cache = LatentCache(folder, nn.Identity())
        ...     cache.add("a clip's hash", torch.zeros(4, 2, 8, 8), torch.ones(4, 2, 8, 8))
        ...     cache.flush()
        ...     again = LatentCache(folder, nn.Identity())
        ...     "a clip's hash" in again, again["a clip's hash"][1].mean()
        (True, tensor(1.))
    """

    def __init__(self, cache_dir: str | os.PathLike[str], autoencoder: nn.Module) -> None:
        self.folder = Path(cache_dir).expanduser() / autoencoder_digest(autoencoder)[:32]
        self._shard_of: dict[str, Path] = {}
        self._open: dict[Path, Any] = {}
        self._whole: set[Path] = set()
        self._pending: dict[str, Tensor] = {}
        self._pending_since = 0.0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LatentCacheError(f"{self.folder}: cannot be made: {error.strerror}; choose another folder") from error
        self._remove_leftovers()
        self.refresh()

    def __len__(self) -> int:
        return len(self._shard_of.keys() | self._pending.keys())

    def __contains__(self, key: str) -> bool:
        if key in self._pending:
            return True
        path = self._shard_of.get(key)
        return path is not None and (path in self._whole or self._verify(path))

    def __getitem__(self, key: str) -> tuple[Tensor, Tensor]:
        if key in self._pending:
            mean, log_variance = self._pending[key]
        elif key in self._shard_of:
            mean, log_variance = self._file(self._shard_of[key]).get_tensor(key)
        else:
            raise KeyError(f"{self.folder} holds no latents of the clip with hash {key!r}")
        return mean, log_variance

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_open": {}}  # a map belongs to its process

    def add(self, key: str, mean: Tensor, log_variance: Tensor) -> None:
        """Take the moments of a clip, each ``(C, T, H, W)``, and write a shard when there is enough for one.

        Raises:
            LatentCacheError: when it cannot be written.
        """
        if not self._pending:
            self._pending_since = time.monotonic()
        self._pending[key] = torch.stack([mean, log_variance]).detach().cpu()
        size = sum(moments.nbytes for moments in self._pending.values())
        if size >= SHARD_BYTES or time.monotonic() - self._pending_since >= SHARD_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what was added since the last shard, and take in what other processes have written.

        Raises:
            LatentCacheError: when it cannot be written.
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
            whole = _file_digest(path) == path.stem
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
        warnings.warn(f"{path}: damaged, and deleted; its clips are encoded anew", stacklevel=5)
        self._forget(path)
        aside = _temporary(path)
        try:
            path.rename(aside)
        except FileNotFoundError:
            return
        if _file_digest(aside) == path.stem:
            aside.replace(path)
        else:
            aside.unlink()

    def _write(self, path: Path, content: bytes) -> None:
        temporary = _temporary(path)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise LatentCacheError(
                f"{path}: not written ({len(content) / 2**20:.1f} MiB): {error.strerror}; all shards before it are kept"
            ) from error

    def _remove_leftovers(self) -> None:
        """Delete what killed processes have left, once it is too old to be in the making."""
        for path in self.folder.glob(".*.tmp"):
            with suppress(FileNotFoundError):  # it was in the making after all, or another process was faster
                if time.time() - path.stat().st_mtime > LEFTOVER_SECONDS:
                    path.unlink()


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


def _file_digest(path: Path) -> str:
    """SHA-256 of a file, read in blocks: through the map, all of it would count as memory in use."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
