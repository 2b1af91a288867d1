# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Files: written whole or not at all, read with errors that name them, hashed in blocks, and compared key by key."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

__all__ = [
    "DOCUMENT_BYTES",
    "KeyDifferences",
    "check_folder",
    "compare_keys",
    "describe_changes",
    "file_sha256",
    "first_few",
    "read_json",
    "read_text",
    "remove_leftovers",
    "replacing",
    "replacing_folder",
    "temporary_name",
    "write_json",
    "write_text",
]

SHOWN_NAMES = 5
DOCUMENT_BYTES = 2**24
"""Bytes of the longest text, JSON or table that is read as a whole: a list of some 100 000 clips."""
_BLOCK = 2**20
_SURROGATE = re.compile("[\ud800-\udfff]")  # what Python makes of bytes that are not UTF-8
_TEMPORARY = ".*.tmp"


def check_folder(folder: str | os.PathLike[str], room: int = 0) -> None:
    """Refuse a folder that could not be written, before there is work to be lost.

    A file is made where the folder is, or would be, and removed again: what may be written, nothing else tells.

    Args:
        folder: where results will go; neither it nor the folders above it need exist.
        room: bytes that they will take.

    Raises:
        OSError: there is a file in the way, no permission, or too little room; says what to do.
    """
    folder = Path(folder).absolute()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir():
        raise NotADirectoryError(
            f"{folder}: cannot be made, for {there} is a file; name another folder for the results"
        )
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise PermissionError(
            f"{folder}: cannot be written ({error.strerror}); name another folder for the results"
        ) from error
    free = shutil.disk_usage(there).free
    if free < room:
        raise OSError(
            f"{folder}: about {room / 2**20:.0f} MiB will be written, and {free / 2**20:.0f} MiB are free; make room, "
            "or name a folder on another disk"
        )


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write that takes the place of `path` when the block ends well, and vanishes when it does not.

    The bytes go to a hidden file in the same folder and are flushed to the disk before it takes its name, and so is the
    folder after it: at any moment, a power failure included, `path` is the previous file or the new one. Only a killed
    process can leave the hidden file behind; see `remove_leftovers`.

    Raises:
        OSError: the file cannot be written; what was there before is kept.
    """
    path = Path(path)
    temporary = temporary_name(path)
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


@contextmanager
def replacing_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A folder to fill that takes the place of `path` when the block ends well, and vanishes when it does not.

    Raises:
        OSError: it cannot be written; what was there before is kept.
    """
    path = Path(path)
    temporary, earlier = temporary_name(path), temporary_name(path)
    temporary.mkdir()
    try:
        yield temporary
        if path.exists():
            path.replace(earlier)
        temporary.replace(path)
    except BaseException:
        if earlier.exists() and not path.exists():
            earlier.replace(path)
        raise
    finally:
        for folder in (temporary, earlier):
            shutil.rmtree(folder, ignore_errors=True)
    _sync_folder(path.parent)


def temporary_name(path: Path) -> Path:
    """Return a hidden name beside `path` that nothing else has."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")


def remove_leftovers(folder: Path, older_than: float = 0.0) -> None:
    """Delete the hidden files that killed processes have left in a folder.

    Args:
        folder: where `replacing` has written.
        older_than: seconds without a change, so that what another process is writing stays.
    """
    for path in folder.glob(_TEMPORARY):
        with suppress(FileNotFoundError):  # it has taken its name meanwhile, or another process was faster
            if time.time() - path.stat().st_mtime >= older_than:
                path.unlink()


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write text as UTF-8, with the line breaks that it has, in the place of what was there before.

    Raises:
        OSError: the file cannot be written; what was there before is kept.
    """
    with replacing(path) as file:
        file.write(text.encode("utf-8"))


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Write JSON for people to read, in the place of what was there before.

    Names of files that are not UTF-8 are written as escapes, which `read_json` undoes.

    Raises:
        OSError: the file cannot be written; what was there before is kept.
        TypeError: JSON cannot hold the content.
    """
    text = json.dumps(content, indent=1, ensure_ascii=False)
    is_unicode = text.isascii() or not _SURROGATE.search(text)
    write_text(path, (text if is_unicode else json.dumps(content, indent=1)) + "\n")


def read_text(path: str | os.PathLike[str], most_bytes: int = DOCUMENT_BYTES) -> str:
    """Return the text of a UTF-8 file, with or without a byte order mark.

    Args:
        path: the file.
        most_bytes: refuse a longer one; what is parsed takes many times its bytes.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not UTF-8, is too long, or is a pipe or a device, which may never end.
    """
    try:
        status = Path(path).stat()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file, seen from {Path.cwd()}; check the path") from None
    if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
        raise ValueError(f"{path}: is a pipe, a socket or a device, not a file")
    if status.st_size > most_bytes:
        raise ValueError(f"{path}: has {status.st_size} bytes; expected a document of at most {most_bytes}")
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected text in UTF-8: {error}; save it as UTF-8") from error


def read_json(path: str | os.PathLike[str]) -> Any:
    """Return what a JSON file holds.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is not JSON, too long or nested too deeply; names the line and the column where it is not JSON.
    """
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}: expected JSON: {error}; is the file complete?") from error
    except RecursionError:
        raise ValueError(f"{path}: is nested too deeply, expected a document that monai-feat wrote") from None
    except ValueError as error:  # a number of more digits than Python takes
        raise ValueError(str(error) if str(path) in str(error) else f"{path}: {error}") from error


def file_sha256(*paths: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of the bytes of a file, or of several one after another, 64 hexadecimal digits.

    Raises:
        OSError: a file cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        with Path(path).open("rb") as file:
            while block := file.read(_BLOCK):  # never through a memory map: all of it would count as memory in use
                digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True)
class KeyDifferences:
    """How one mapping differs from another; false where it does not.

    Attributes:
        missing: keys that were expected and not given.
        unexpected: keys that were given and not expected.
        changed: keys of both, with another value.
    """

    missing: list[str]
    unexpected: list[str]
    changed: list[str]

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.changed)


def compare_keys(expected: Mapping[str, Any], given: Mapping[str, Any]) -> KeyDifferences:
    """Compare two mappings key by key, in the order that each has.

    Example:
        >>> compare_keys({"seed": 0, "steps": 10}, {"seed": 1, "size": 64})
        KeyDifferences(missing=['steps'], unexpected=['size'], changed=['seed'])
    """
    return KeyDifferences(
        missing=[key for key in expected if key not in given],
        unexpected=[key for key in given if key not in expected],
        changed=[key for key in expected if key in given and expected[key] != given[key]],
    )


def describe_changes(there: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Tell what is set otherwise than in a folder that is there already; nothing where all is equal.

    What one of the two does not set counts as None.

    Example:
        >>> describe_changes({"seed": 0, "steps": 10}, {"seed": 1, "steps": 10})
        'seed: 0 there, 1 now'
    """
    keys = sorted(key for key in there.keys() | now.keys() if there.get(key) != now.get(key))
    return "; ".join(f"{key}: {there.get(key)} there, {now.get(key)} now" for key in keys)


def first_few(names: Sequence[str], shown: int = SHOWN_NAMES) -> str:
    """List names for a message: the first few, and how many more there are.

    Example:
        >>> first_few(["a", "b", "c"], shown=2)
        'a, b, … (1 more)'
    """
    more = f", … ({len(names) - shown} more)" if len(names) > shown else ""
    return ", ".join(map(str, names[:shown])) + more


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
