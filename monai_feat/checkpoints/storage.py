# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints that are written whole or not at all, and read without running code."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import safetensors
import safetensors.torch
import torch

from monai_feat.files import replacing

__all__ = ["CheckpointError", "load_checkpoint", "read_metadata", "save_checkpoint"]

BUNDLE_HINT = "; a bundle that is run from another folder needs --bundle_root FOLDER"
TORCH_SUFFIXES = (".pt", ".pth")
# Exact types: a subclass would be pickled by name, and weights_only would refuse the file when it is needed most.
_LEAVES = (torch.Tensor, torch.nn.Parameter, type(None), bool, int, float, str)
_MAPPINGS = (dict, OrderedDict, Counter)
_SEQUENCES = (list, tuple, torch.Size)


class CheckpointError(RuntimeError):
    """A checkpoint could not be saved, read, or fitted to a network; the message says which file and why."""


def save_checkpoint(
    state: Mapping[str, Any], path: str | os.PathLike[str], metadata: Mapping[str, str] | None = None
) -> Path:
    """Write ``state`` to ``path`` so that the file there is at any moment the previous checkpoint or the new one.

    A full disk, an exception or a crash leaves the previous checkpoint as it was; only a killed process can leave a
    hidden temporary file behind. See :func:`monai_feat.files.replacing`.

    Args:
        state: for ``.safetensors`` a flat dict of tensors; for ``.pt`` and ``.pth`` tensors, None, bool, int, float,
            str, and dicts, lists and tuples of them, nested to any depth.
        path: where to write; the suffix chooses the format. Missing folders are made.
        metadata: strings to keep in the header of a ``.safetensors`` file.

    Returns:
        The path that was written.

    Raises:
        CheckpointError: if ``state`` holds something else (named by its key path), or the file cannot be written.
    """
    path = Path(path)
    if path.suffix == ".safetensors":
        write = _safetensors_writer(state, metadata)
    elif path.suffix in TORCH_SUFFIXES:
        write = _torch_writer(state, metadata)
    else:
        raise CheckpointError(f"{path}: unknown suffix {path.suffix!r}; use .safetensors, {', '.join(TORCH_SUFFIXES)}")
    _write_atomically(path, write, needed=sum(tensor.nbytes for tensor in _tensors(state)))
    return path


def load_checkpoint(path: str | os.PathLike[str], map_location: str | torch.device = "cpu") -> dict[str, Any]:
    """Read a checkpoint that holds tensors and primitives only; nothing in the file is ever executed.

    Args:
        path: a ``.safetensors`` file, or a file of ``torch.save`` under any other suffix.
        map_location: device of the tensors that are returned.

    Returns:
        What the file holds, a dict.

    Raises:
        FileNotFoundError: if there is no such file.
        CheckpointError: if the file is truncated, damaged, no checkpoint, or holds other objects than tensors and
            primitives.
    """
    path = _existing_file(path)
    if path.suffix == ".safetensors":
        try:
            return safetensors.torch.load_file(path, device=str(map_location))
        except safetensors.SafetensorError as error:
            raise CheckpointError(_unreadable(path, error)) from error
    state = _torch_load(path, map_location)
    if not isinstance(state, dict):
        raise CheckpointError(f"{path}: holds a {_type_name(state)}, expected a dict of tensors")
    return state


def read_metadata(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the strings in the header of a ``.safetensors`` file, without reading its tensors.

    Raises:
        FileNotFoundError: if there is no such file.
        CheckpointError: if it is no ``.safetensors`` file.
    """
    path = _existing_file(path)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except safetensors.SafetensorError as error:
        raise CheckpointError(_unreadable(path, error)) from error


def _safetensors_writer(state: Mapping[str, Any], metadata: Mapping[str, str] | None) -> Callable[[BinaryIO], None]:
    for key, value in state.items():
        if type(value) not in (torch.Tensor, torch.nn.Parameter):
            raise CheckpointError(
                f"cannot save {key!r}: it is a {_type_name(value)}; a .safetensors file holds a flat dict of tensors, "
                "nested states go to .pt"
            )
    strings = dict(metadata or {})
    for key, text in strings.items():
        if not isinstance(text, str):
            raise CheckpointError(f"cannot save metadata {key!r}: it is a {_type_name(text)}, expected a string")

    def write(file: BinaryIO) -> None:
        file.write(_in_order(safetensors.torch.save(_unshared(state), metadata=strings or None)))

    return write


def _in_order(saved: bytes) -> bytes:
    """Sort the metadata, which safetensors writes in another order each time: equal weights are equal files."""
    length = int.from_bytes(saved[:8], "little")
    header = json.loads(saved[8 : 8 + length])
    if len(header.get("__metadata__", {})) < 2:
        return saved
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of eight bytes
    return len(text).to_bytes(8, "little") + text + saved[8 + length :]


def _torch_writer(state: Mapping[str, Any], metadata: Mapping[str, str] | None) -> Callable[[BinaryIO], None]:
    if metadata:
        raise CheckpointError("metadata belongs in a .safetensors file; in a .pt file make it an entry of the state")
    foreign = next(_foreign_objects(state, ""), None)
    if foreign is not None:
        where, value = foreign
        raise CheckpointError(
            f"cannot save {where!r}: it is a {_type_name(value)}; a checkpoint holds tensors, None, bool, int, float, "
            "str, and dicts, lists and tuples of them"
        )

    def write(file: BinaryIO) -> None:
        torch.save(state, file)

    return write


def _write_atomically(path: Path, write: Callable[[BinaryIO], None], needed: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CheckpointError(f"{path}: not saved: cannot make its folder: {error.strerror}") from error
    try:
        with replacing(path) as file:
            write(file)
    except Exception as error:
        raise CheckpointError(_not_saved(path, error, needed)) from error


def _torch_load(path: Path, map_location: str | torch.device) -> Any:
    if zipfile.is_zipfile(path):
        _check_records(path)
    try:
        return torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # the unpickler meets foreign bytes with every kind of exception
        objects = _unsafe_objects(path)
        if objects:
            raise CheckpointError(
                f"{path}: holds objects other than tensors and primitives ({', '.join(objects)}); not loaded, since "
                "unpickling them may run code"
            ) from error
        raise CheckpointError(_unreadable(path, error)) from error


def _check_records(path: Path) -> None:
    """Compare the checksums, which torch does not: a flipped bit would load without a word."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except Exception as error:  # a damaged directory of the archive can break the parser anywhere
        raise CheckpointError(_unreadable(path, error)) from error
    if damaged is not None:
        raise CheckpointError(f"{path}: damaged: record {damaged} does not match its checksum; fetch or save it again")


def _unsafe_objects(path: Path) -> list[str]:
    try:
        return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))
    except Exception:  # not a checkpoint at all, or of the format before torch 1.6
        return []


def _existing_file(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if not path.is_file():
        seen = f"no such checkpoint, seen from {Path.cwd()}{BUNDLE_HINT}"
        wrong = "is a folder, expected a file" if path.is_dir() else seen
        raise FileNotFoundError(f"{path}: {wrong}; check the path")
    return path


def _foreign_objects(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    if type(value) in _MAPPINGS:
        for key, item in value.items():
            inner = f"{where}.{key}" if where else str(key)
            if type(key) not in (str, int):
                yield f"key {inner}", key
            yield from _foreign_objects(item, inner)
    elif type(value) in _SEQUENCES:
        for index, item in enumerate(value):
            yield from _foreign_objects(item, f"{where}[{index}]")
    elif type(value) not in _LEAVES:
        yield where or "the state", value


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _tensors(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _tensors(item)


def _unshared(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Copy the tensors that are views or tied: safetensors takes one dense block of memory for each name."""
    seen: set[int] = set()
    dense = {}
    for key, tensor in state.items():
        tensor = tensor.detach().contiguous()
        whole = tensor.untyped_storage().nbytes() == tensor.nbytes
        dense[key] = tensor if whole and tensor.data_ptr() not in seen else tensor.clone()
        seen.add(tensor.data_ptr())
    return dense


def _not_saved(path: Path, error: Exception, needed: int) -> str:
    free = shutil.disk_usage(path.parent).free
    previous = " The previous checkpoint at this path is intact." if path.is_file() else ""
    return (
        f"{path}: not saved: {_first_reason(error)}. It needs about {_size(needed)}; {_size(free)} are free in "
        f"{path.parent}, a quota aside.{previous}"
    )


def _unreadable(path: Path, error: Exception) -> str:
    return (
        f"{path}: truncated, damaged or not a checkpoint ({_size(path.stat().st_size)}): {_first_reason(error)}; fetch "
        "or save it again, or name another file"
    )


def _first_reason(error: BaseException) -> str:
    """Return the operating system's own words where they are hidden behind a library's, else the first sentence."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    sentences = str(error).strip().splitlines()
    return sentences[0].split(". ")[0].rstrip(".") if sentences else type(error).__name__


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB" if count >= 2**20 else f"{count} bytes"


def _type_name(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
