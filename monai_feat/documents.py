# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Configs, YAML and CSV that somebody has written or downloaded: read within bounds, with errors that name the file."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from monai_feat.files import read_json, read_text

__all__ = ["Table", "read_config", "read_table", "read_yaml"]

# Settings of a study or an algorithm are a hundredth of this; PyYAML reads about 100 kB in a second.
_YAML_BYTES = 1 << 18
_YAML_DEPTH = 64
# Entries of the document with every alias in its place.
_YAML_ENTRIES = 100_000
_COLUMNS, _CELLS = 1 << 12, 1 << 22


@dataclass(frozen=True)
class Table:
    """A table with a line of names.

    Attributes:
        columns: names of the columns, in order.
        rows: cells by column, without blanks around them; empty where a line is shorter.
        lines: number of the line of the file at which each row ends, from 1.
    """

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    lines: tuple[int, ...]


def read_table(path: str | os.PathLike[str], delimiter: str = ",") -> Table:
    """Read a CSV file in UTF-8, with or without a byte order mark; blank lines are left out.

    Args:
        path: the file.
        delimiter: what separates cells.

    Raises:
        ValueError: names the file and the line: it is not UTF-8, too long, has no line of names or one with a name
            twice, a line with more cells than names, or quotes that are not closed.
        OSError: the file cannot be read.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=""), delimiter=delimiter, strict=True)
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    try:
        columns = tuple(name.strip() for name in next(reader, []))
        if not any(columns):
            raise ValueError("expected a line of names")
        if len(columns) > _COLUMNS:
            raise ValueError(f"expected at most {_COLUMNS} columns, got {len(columns)}")
        if twice := sorted(name for name, number in Counter(columns).items() if number > 1 and name):
            raise ValueError(f"two columns are named {', '.join(twice)}")
        for cells in _cells(reader, len(columns)):
            rows.append(dict(zip(columns, cells, strict=True)))
            lines.append(reader.line_num)
    except (csv.Error, ValueError) as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}") from None
    return Table(columns, tuple(rows), tuple(lines))


def read_yaml(path: str | os.PathLike[str]) -> Any:
    """Read a YAML file of plain values.

    Raises:
        ValueError: names the file: it is not UTF-8 or not YAML, longer than 256 kB, nested more than 64 deep, contains
            itself, or grows to more than 100 000 entries by its aliases.
        OSError: the file cannot be read.
    """
    text = read_text(path, _YAML_BYTES)
    try:
        _check_growth(yaml.compose(text, yaml.SafeLoader))
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"{path}: is not YAML ({' '.join(str(error).split())[:300]})") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a bundle's config, JSON or YAML, within the bounds of `read_json` and `read_yaml`; MONAI's parser has none.

    Raises:
        ValueError: names the file: it is damaged, too long, too deep, or no mapping of keys to values.
        OSError: the file cannot be read.
    """
    content = read_json(path) if Path(path).suffix.lower() == ".json" else read_yaml(path)
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a config, keys with values, got {type(content).__name__}")
    return content


def _cells(reader: Iterator[list[str]], width: int) -> Iterator[list[str]]:
    """Cells of the lines that have any, as many as there are columns."""
    number = 0
    for line in reader:
        cells = [cell.strip() for cell in line]
        if not any(cells):
            continue
        if any(cells[width:]):
            raise ValueError(f"expected {width} cells, got {len(cells)}")
        if (number := number + width) > _CELLS:
            raise ValueError(f"expected at most {_CELLS} cells in all")
        yield (cells + [""] * width)[:width]


def _check_growth(root: yaml.Node | None) -> None:
    """Refuse a document that is deep, endless, or large once its aliases are filled in."""
    sizes: dict[int, int] = {}

    def size_of(node: yaml.Node, above: tuple[int, ...]) -> int:
        if id(node) in above:
            raise ValueError("an entry contains itself")
        if len(above) >= _YAML_DEPTH:
            raise ValueError(f"expected at most {_YAML_DEPTH} levels of nesting")
        if id(node) not in sizes:
            inside = (*above, id(node))
            sizes[id(node)] = 1 + sum(size_of(child, inside) for child in _children(node))
        return sizes[id(node)]

    if root is not None and (entries := size_of(root, ())) > _YAML_ENTRIES:
        raise ValueError(f"grows to {entries:.1e} entries by its aliases; expected at most {_YAML_ENTRIES}")


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from (key, value)
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value
