# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Prepared frames of files on disk, so that a second run, or another training on the same clips, reads nothing again.

A cache is a `TensorCache`. What is cached is known by the files (path, bytes and time of change of each), the numbers
of the frames, and all that is done to them; so a cache never has to be emptied by hand, and may be at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from monai.transforms import Randomizable
from torch import Tensor

from monai_feat import __version__
from monai_feat.data.frame_preparation import FramePreparation
from monai_feat.data.readers.clip_address import split_address
from monai_feat.data.readers.frame_folder import list_stills
from monai_feat.data.tensor_cache import TensorCache, TensorCacheError

__all__ = ["FrameCache", "describe_transform"]

CACHE_BYTES = 2 * 2**30
_LAYOUT = f"monai-feat frames 1 {__version__}"
_DETACHED_HEADERS = (".mhd", ".nhdr", ".hdr")  # their pixels are in another file of the same name
_PLAIN = (str, int, float, bool, type(None))


class FrameCache:
    """Frames by what they are made of.

    A cache must never stop a run: where the folder cannot be written, one warning says so, and nothing is kept. Nor is
    anything of a preparation that cannot be described, such as a transform that draws at random.

    Args:
        folder: where frames are kept; made when the first are.
        preparation: what is done to frames.
        most_bytes: what all files together may take; the oldest make room.
    """

    def __init__(
        self, folder: str | os.PathLike[str], preparation: FramePreparation, most_bytes: int = CACHE_BYTES
    ) -> None:
        self.folder, self.most_bytes = Path(folder), most_bytes
        self._described = _describe_preparation(preparation)
        self._cache = None if self._described is None else self._opened()

    def key(self, path: Path, mask: Path | None, wanted: Sequence[int]) -> str | None:
        """Return what frames of a file are known by; None where nothing is kept."""
        if self._cache is None:
            return None
        files = [_identity(file) for file in (path, mask) if file is not None]
        text = json.dumps([_LAYOUT, self._described, files, list(wanted)])
        return hashlib.sha256(text.encode()).hexdigest()

    def get(self, key: str | None) -> Tensor | None:
        """Return the frames of a key, or None where they are not there."""
        if self._cache is None or key is None or key not in self._cache:
            return None
        return self._cache.get(key)

    def put(self, frames: Mapping[str, Tensor]) -> None:
        """Keep frames under their keys."""
        if self._cache is None:
            return
        with self._warned():
            for key, tensor in frames.items():
                self._cache.put(key, tensor)

    def close(self) -> None:
        """Write what is not written yet, and make room."""
        if self._cache is None:
            return
        with self._warned():
            self._cache.flush()
        self._make_room()

    def _opened(self) -> TensorCache | None:
        with self._warned():
            return TensorCache(self.folder)
        return None

    def _warned(self) -> _Warned:
        return _Warned(self)

    def _make_room(self) -> None:
        files = sorted(self.folder.glob("*.safetensors"), key=lambda file: file.stat().st_mtime)
        taken = sum(file.stat().st_size for file in files)
        for file in files:
            if taken <= self.most_bytes:
                return
            taken -= file.stat().st_size
            with suppress(FileNotFoundError):  # another process was faster
                file.unlink()


class _Warned:
    """Ends the use of a cache that cannot be written with a warning."""

    def __init__(self, cache: FrameCache) -> None:
        self.cache = cache

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> bool:
        """Take an error of the cache for a warning."""
        if not isinstance(error, TensorCacheError):
            return False
        warnings.warn(f"read clips are not kept, and are read again next time: {error}", stacklevel=3)
        self.cache._cache = None
        return True


def describe_transform(transform: object) -> Any:
    """Describe a transform by its class and public settings, as values of JSON.

    Raises:
        TypeError: something in it cannot be described, such as a generator of random numbers or a local function.
    """
    if isinstance(transform, _PLAIN):
        return transform
    if isinstance(transform, Mapping):
        return {str(key): describe_transform(value) for key, value in transform.items()}
    if isinstance(transform, (list, tuple)):
        return [describe_transform(value) for value in transform]
    parts = getattr(transform, "transforms", None)  # MONAI's Compose, which carries much else
    if parts is not None:
        return [_name(type(transform)), describe_transform(list(parts))]
    if isinstance(transform, Randomizable):
        raise TypeError(f"{type(transform).__qualname__} draws at random")
    if callable(transform) and hasattr(transform, "__qualname__"):
        return _name(transform)
    settings = {key: value for key, value in vars(transform).items() if not key.startswith("_")}
    return [_name(type(transform)), describe_transform(settings)]


def _name(thing: Any) -> str:
    if "<" in thing.__qualname__:  # a lambda, or made inside a function: its name does not tell what it does
        raise TypeError(f"{thing.__qualname__} cannot be described")
    return f"{thing.__module__}.{thing.__qualname__}"


def _describe_preparation(preparation: FramePreparation) -> Any:
    legend = None if preparation.legend is None else {str(key): value for key, value in preparation.legend.items()}
    how = (preparation.shape, preparation.fit, preparation.label_channels, legend)
    try:
        return [how, describe_transform(preparation.preprocessing)]
    except (TypeError, AttributeError):
        return None


def _identity(path: Path) -> list[Any]:
    """The files of a clip, with bytes and time of the last change in nanoseconds, and which clip of them."""
    path, choices = split_address(path)
    files = [(str(file.absolute()), (status := file.stat()).st_size, status.st_mtime_ns) for file in _files(path)]
    return [*files, sorted(choices.items())]


def _files(path: Path) -> list[Path]:
    if not path.is_file():
        return list_stills(path)
    if path.suffix.lower() in _DETACHED_HEADERS:
        return sorted(file for file in path.parent.iterdir() if file.stem == path.stem)
    return [path]
