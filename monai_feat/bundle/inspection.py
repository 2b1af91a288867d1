# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a bundle would do, read without running any of it: configs are programs.

MONAI evaluates every string of a config that begins with ``$``, and calls whatever ``_target_`` names.
"""

from __future__ import annotations

import ast
import configparser
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import yaml

from monai_feat.files import read_json, read_text

__all__ = ["ALARMING", "Finding", "Kind", "inspect_bundle"]

Kind: TypeAlias = Literal["code", "pickle", "link", "target", "download", "unusual expression", "place", "expression"]
"""What a bundle may hold: Python files; files that torch.load or pickle read, which may be programs; links that lead
out of it; components outside the trusted packages; addresses and calls that fetch; expressions that reach further than
those of a config need to; keys that name where files go; all other expressions."""
ALARMING: tuple[Kind, ...] = ("code", "pickle", "link", "target", "download", "unusual expression")
"""Kinds that a plain bundle of weights and configs has none of."""

TRUSTED = ("monai", "monai_feat", "torch", "ignite")
_IMPORTS = {*TRUSTED, "math", "pathlib"}
_CONFIGS, _PICKLES = (".json", ".yaml", ".yml"), (".pt", ".pth", ".pkl", ".pickle", ".ts", ".ckpt")
_WITHOUT_PROGRAMS = "metadata.json"
_REFERENCE = re.compile(r"[@%](?:::|#)*\w+(?:(?:::|#)\w+)*")
_FETCHES = re.compile(
    r"download|urlopen|urlretrieve|requests\.|hf_hub|torch\.hub|load_state_dict_from_url|socket", re.I
)
_ADDRESS = re.compile(r"\b(?:https?|ftp|s3|gs|hf)://")
_PLACES = re.compile(r"(?:output|save|log|cache|metrics|clip_cache)_?(?:dir|folder|path|file)|filename|save_path", re.I)
_UNUSUAL_NAMES = {
    "__import__",
    "breakpoint",
    "compile",
    "eval",
    "exec",
    "getattr",
    "globals",
    "locals",
    "open",
    "setattr",
}
_UNUSUAL_CALLS = {"load", "system", "popen", "unlink", "rmtree", "remove", "write_text", "write_bytes", "fork", "kill"}


class Finding(NamedTuple):
    """Something that a bundle holds.

    Attributes:
        kind: what it is.
        file: in which file, seen from the bundle.
        key: under which key; empty for a whole file.
        content: the expression, the target, the address or the place.
    """

    kind: Kind
    file: str
    key: str
    content: str


def inspect_bundle(folder: str | os.PathLike[str]) -> list[Finding]:
    """List what would run, be fetched or be written, the alarming first; nothing is evaluated or imported.

    Args:
        folder: of the bundle.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: a config cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; expected that of a bundle")
    files = sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    found = [finding for file in files for finding in _of_file(file, folder)]
    return sorted(found, key=lambda finding: get_args(Kind).index(finding.kind))


def _of_file(file: Path, folder: Path) -> Iterator[Finding]:
    name, suffix = file.relative_to(folder).as_posix(), file.suffix.lower()
    if file.is_symlink() and not file.resolve().is_relative_to(folder.resolve()):
        yield Finding("link", name, "", str(file.resolve()))
    elif suffix in _PICKLES:
        yield Finding("pickle", name, "", f"{file.stat().st_size} bytes")
    elif suffix == ".py":
        yield Finding("code", name, "", f"{file.stat().st_size} bytes")
    elif suffix == ".conf":
        yield from _of_logging(file, name)
    elif suffix in _CONFIGS and file.name != _WITHOUT_PROGRAMS and file.is_file():
        for key, value in _entries(_read(file)):
            yield from _of_entry(name, key, value)


def _read(file: Path) -> Any:
    if file.suffix.lower() == ".json":
        return read_json(file)
    try:
        return yaml.safe_load(read_text(file))
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: expected YAML: {' '.join(str(error).split())}") from error


def _of_logging(file: Path, name: str) -> Iterator[Finding]:
    """Handlers of a logging config: Python evaluates their arguments, and they write files."""
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(read_text(file))
    except configparser.Error as error:
        raise ValueError(f"{file}: expected a logging config: {' '.join(str(error).split())}") from error
    for section in parser.sections():
        for key, value in parser.items(section):
            if key in ("args", "kwargs"):
                yield Finding("expression" if _is_literal(value) else "unusual expression", name, section, value)


def _entries(content: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string of a config by its path; keys may be expressions, too, and are yielded likewise."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            if str(key).startswith("$"):
                yield path, str(key)
            yield from _entries(value, f"{path}::{key}" if path else str(key))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from _entries(value, f"{path}::{number}" if path else str(number))
    elif isinstance(content, str):
        yield path, content


def _of_entry(file: str, key: str, value: str) -> Iterator[Finding]:
    last = key.rpartition("::")[2]
    is_expression = value.startswith("$")
    if last == "_target_" and value.partition(".")[0] not in TRUSTED:
        yield Finding("target", file, key, value)
    if (
        _ADDRESS.search(value)
        or (is_expression and _FETCHES.search(value))
        or (last == "_target_" and _FETCHES.search(value))
    ):
        yield Finding("download", file, key, value)
    if is_expression:
        yield Finding("unusual expression" if _is_unusual(value[1:]) else "expression", file, key, value)
    if _PLACES.fullmatch(last):
        yield Finding("place", file, key, value)


def _is_unusual(expression: str) -> bool:
    """Whether an expression imports from elsewhere, uses what reaches around imports, or is none that Python knows."""
    try:
        tree = ast.parse(_REFERENCE.sub("_", expression).strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return any(map(_reaches_out, ast.walk(tree)))


def _reaches_out(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] not in _IMPORTS for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").partition(".")[0] not in _IMPORTS
    if isinstance(node, ast.Name):
        return node.id in _UNUSUAL_NAMES
    if isinstance(node, ast.Attribute):
        is_hidden = node.attr.startswith("__") and node.attr not in ("__name__", "__version__")
        return is_hidden or node.attr in _UNUSUAL_CALLS
    return False


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text.replace("sys.stdout", "0").replace("sys.stderr", "0"))
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
        return False
    return True
