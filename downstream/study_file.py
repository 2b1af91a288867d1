# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Study files: YAML in which every key must be known and every value of the right kind."""

from __future__ import annotations

import difflib
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from monai_feat.bundle import shipped_bundles
from monai_feat.documents import read_yaml

from .study import Study, StudyError

__all__ = ["parse", "read_study"]

STUDIES = Path(__file__).with_name("studies")

T = TypeVar("T")


def read_study(path: str | os.PathLike[str], datalist: str | os.PathLike[str] | None = None) -> Study:
    """Read a study file. Relative paths in it start at its folder; the name of a shipped bundle stands for its folder.

    Args:
        path: the YAML file, or the name of a shipped study, such as ``ultrasound``.
        datalist: takes the place of ``data.datalist``, relative to the working directory.

    Raises:
        StudyError: a key is unknown or missing, or a value is not what it should be; says where.
        OSError: the file cannot be read.
    """
    path = _find_study(path)
    try:
        document = read_yaml(path)
    except ValueError as error:
        raise StudyError(str(error)) from None
    if datalist is not None and isinstance(document, dict) and isinstance(document.get("data"), dict):
        document["data"]["datalist"] = str(Path(datalist).resolve())
    try:
        study = parse(Study, document)
    except ValueError as error:
        raise StudyError(f"{path}: {error}") from None
    folder = path.parent.resolve()
    generator = _anchor(study.generator, folder)
    if (shipped := shipped_bundles().get(str(study.generator.bundle))) is not None:
        generator = replace(generator, bundle=shipped)
    return replace(study, data=_anchor(study.data, folder), generator=generator)


def _find_study(path: str | os.PathLike[str]) -> Path:
    shipped = {file.stem: file for file in sorted(STUDIES.glob("*.yaml"))}
    if os.fspath(path) in shipped:
        return shipped[os.fspath(path)]
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"{path}: no such file; expected a study as YAML, or the name of a shipped one: {', '.join(shipped)}"
        )
    return Path(path)


def parse(kind: type[T], document: Any, where: str = "") -> T:
    """Build a dataclass from a mapping whose keys are its fields, and so on for the dataclasses in it.

    Args:
        kind: the dataclass.
        document: what YAML gives.
        where: path of keys that leads here, for messages.

    Raises:
        StudyError: a key is unknown (names the closest, lists all) or missing, or a value is of another type.
    """
    if not isinstance(document, Mapping):
        raise StudyError(f"{where or 'the study'}: expected a mapping of keys, got {document!r}")
    known = {entry.name: entry for entry in fields(kind)}  # type: ignore[arg-type]
    prefix = f"{where}." if where else ""
    for key in document:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            hint = f" (did you mean {prefix}{close[0]!s}?)" if close else ""
            raise StudyError(f"unknown key {prefix}{key}{hint}; the known ones are: {', '.join(known)}")
    required = [name for name, entry in known.items() if entry.default is entry.default_factory is MISSING]
    if missing := [name for name in required if name not in document]:
        raise StudyError(f"{where or 'the study'}: missing {', '.join(missing)}")
    types_of = get_type_hints(kind)
    return kind(**{key: _convert(value, types_of[key], f"{prefix}{key}") for key, value in document.items()})


def _convert(value: Any, kind: Any, where: str) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (types.UnionType, typing.Union):
        (present,) = (option for option in inner if option is not types.NoneType)
        return None if value is None else _convert(value, present, where)
    if origin is Literal:
        if value not in inner:
            raise StudyError(f"{where}: expected one of {', '.join(map(str, inner))}; got {value!r}")
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise StudyError(f"{where}: expected a list, got {value!r}")
        return tuple(_convert(entry, inner[0], f"{where}[{i}]") for i, entry in enumerate(value))
    if is_dataclass(kind):
        return parse(typing.cast(Any, kind), value, where)
    return _scalar(value, kind, where)


def _scalar(value: Any, kind: type, where: str) -> Any:
    accepted: dict[type, tuple[type, ...]] = {float: (int, float), Path: (str,)}
    right = isinstance(value, accepted.get(kind, (kind,))) and (kind is bool or not isinstance(value, bool))
    if not right:
        raise StudyError(f"{where}: expected {kind.__name__}, got {value!r}")
    return kind(value)


def _anchor(section: T, folder: Path) -> T:
    paths = {entry.name: getattr(section, entry.name) for entry in fields(section)}  # type: ignore[arg-type]
    absolute = {name: (folder / value).resolve() for name, value in paths.items() if isinstance(value, Path)}
    return replace(section, **absolute)  # type: ignore[type-var]
