# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Datalists: which clips train, in which fold they validate, which are held out; no group is on two sides.

The file is Auto3DSeg's: ``{"training": [{"image", "label", "fold"}], "testing": [...]}``. MONAI takes every string in
an item for a path and joins it with the data root, so groups and classes are integers there, and two tables beside the
lists, ``groups`` and ``classes``, say what they stand for. Paths are relative to the file's own folder: hand it
to Auto3DSeg as ``dataroot``.

A *group* is what must not be torn apart: a patient, or a sequence where patients are unknown. A *side* is a fold, the
held-out test, or the training items without a fold, which always train and never validate (synthetic clips).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from monai_feat.data.folds import assign_folds, hold_out
from monai_feat.files import read_json, write_json

__all__ = [
    "OWN_GROUP",
    "ClipItem",
    "Datalist",
    "DatalistError",
    "build_datalist",
    "find_leaks",
    "inspect_datalist",
    "parse_datalist",
    "read_datalist",
    "validate_datalist",
    "write_datalist",
]

OWN_GROUP = "file:"
"""Beginning of the group of a clip whose patient nobody has named; the clip's path follows."""
_SHOWN, _LONGEST_SHOWN = 8, 160  # complaints, and letters of one value
_KNOWN_KEYS = ("image", "label", "fold", "group", "class")


class DatalistError(ValueError):
    """A datalist that cannot be used as it is; the message says what is wrong with which items."""


@dataclass(frozen=True)
class ClipItem:
    """One clip of a datalist.

    Attributes:
        image: the clip's file.
        label: the file of its mask, if it has one.
        group: name of the patient or sequence; empty where it is unknown.
        category: name of its class, which folds are balanced for; empty where it has none.
        fold: number of the fold in which it validates; None for one that is held out or always trains.
        flags: further integers of the item, such as ``{"synthetic": 1}``.
    """

    image: Path
    label: Path | None = None
    group: str = ""
    category: str = ""
    fold: int | None = None
    flags: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Datalist:
    """Training and held-out clips.

    Attributes:
        training: clips that train, and validate in their fold.
        testing: clips that are held out.
        complaints: what is wrong in the file with entries that are left out, or with the names of groups and classes.
    """

    training: tuple[ClipItem, ...]
    testing: tuple[ClipItem, ...] = ()
    complaints: tuple[str, ...] = ()

    @property
    def sides(self) -> list[tuple[str, ClipItem]]:
        """Every item with the name of its side: ``fold 0``, ``always training``, ``testing``."""
        trained = [("always training" if i.fold is None else f"fold {i.fold}", i) for i in self.training]
        return trained + [("testing", item) for item in self.testing]


def build_datalist(
    items: Sequence[ClipItem],
    num_folds: int = 5,
    test_share: float = 0.0,
    test_groups: Iterable[str] = (),
    seed: int = 0,
) -> Datalist:
    """Split clips by group into a held-out test and folds, balanced for their classes.

    Args:
        items: clips; one with an empty group is a group of its own, named by its file.
        num_folds: folds of the training clips, at least 1.
        test_share: share of the clips to hold out, in [0, 1); met as closely as whole groups allow.
        test_groups: names of groups to hold out, instead of a share.
        seed: decides between splits that are equally good.

    Raises:
        DatalistError: there is no item, a named group does not exist, or a group would be on two sides.
        ValueError: there are fewer groups than sides, or an argument is out of range.
    """
    if not items:
        raise DatalistError("expected at least one clip, got none")
    named = [item if item.group else replace(item, group=_own_group(item.image)) for item in items]
    groups, categories = [item.group for item in named], [item.category for item in named]
    held = set(test_groups)
    if held and test_share:
        raise ValueError(f"expected a test share or test groups, not both; got {test_share} and {sorted(held)}")
    if unknown := held - set(groups):
        raise DatalistError(f"test groups {sorted(unknown)} are in no item; the known ones are {sorted(set(groups))}")
    if test_share:
        held = hold_out(groups, categories, test_share, seed)
    rest = [item for item in named if item.group not in held]
    if not rest:
        raise DatalistError("every group is held out, expected some to train with: hold out fewer")
    folds = assign_folds([item.group for item in rest], [item.category for item in rest], num_folds, seed)
    datalist = Datalist(
        tuple(replace(item, fold=fold) for item, fold in zip(rest, folds, strict=True)),
        tuple(replace(item, fold=None) for item in named if item.group in held),
    )
    validate_datalist(datalist)
    return datalist


def find_leaks(datalist: Datalist) -> dict[str, list[str]]:
    """Names of the groups that are on more than one side, each with its sides in order."""
    sides: dict[str, set[str]] = {}
    for side, item in datalist.sides:
        if item.group:
            sides.setdefault(item.group, set()).add(side)
    return {group: sorted(found) for group, found in sorted(sides.items()) if len(found) > 1}


def validate_datalist(datalist: Datalist) -> None:
    """Refuse a datalist that leaks or lists a file twice.

    Raises:
        DatalistError: names every group on two sides and every file that is listed twice.
    """
    complaints = [f"group {group!r} is on {' and '.join(sides)}" for group, sides in find_leaks(datalist).items()]
    seen: set[Path] = set()
    for _, item in datalist.sides:
        if item.image in seen:
            complaints.append(f"{item.image} is listed twice")
        seen.add(item.image)
    if complaints:
        raise DatalistError("the datalist cannot be used:\n  " + "\n  ".join(complaints))


def write_datalist(datalist: Datalist, path: str | os.PathLike[str]) -> None:
    """Write a valid datalist as JSON; the file appears under its name only when it is complete.

    Raises:
        DatalistError: the datalist is not valid (see `validate_datalist`).
        OSError: the file cannot be written.
    """
    validate_datalist(datalist)
    path = Path(path)
    root = path.parent.resolve()
    training, testing = (
        tuple(_relative_group(item, root) for item in side) for side in (datalist.training, datalist.testing)
    )
    datalist = Datalist(training, testing)
    items = [item for _, item in datalist.sides]
    groups = {name: i for i, name in enumerate(sorted({item.group for item in items if item.group}))}
    classes = {name: i for i, name in enumerate(sorted({item.category for item in items if item.category}))}
    document = {
        "training": [_to_json(item, root, groups, classes) for item in datalist.training],
        "testing": [_to_json(item, root, groups, classes) for item in datalist.testing],
        "groups": {str(number): name for name, number in groups.items()},
        "classes": {str(number): name for name, number in classes.items()},
    }
    write_json(path, document)


def read_datalist(path: str | os.PathLike[str]) -> Datalist:
    """Read a datalist and refuse it if it leaks.

    Raises:
        DatalistError: the file is not a datalist, or the datalist is not valid.
        OSError: the file cannot be read.
    """
    datalist = parse_datalist(path)
    validate_datalist(datalist)
    return datalist


def parse_datalist(path: str | os.PathLike[str]) -> Datalist:
    """Read a datalist of ours or of Auto3DSeg without judging its split; for training use `read_datalist`.

    Raises:
        DatalistError: the file is not a datalist, or an entry is not as it should be.
        OSError: the file cannot be read.
    """
    datalist = inspect_datalist(path)
    if datalist.complaints:
        raise DatalistError(f"{path}: " + "; ".join(datalist.complaints[:_SHOWN]))
    return datalist


def inspect_datalist(path: str | os.PathLike[str]) -> Datalist:
    """Read a datalist as far as it can be read, and say in `Datalist.complaints` what is wrong with the rest.

    Raises:
        DatalistError: the file is not a datalist at all.
        OSError: the file cannot be read.
    """
    path = Path(path)
    try:
        document = read_json(path)
    except ValueError as error:
        raise DatalistError(str(error)) from None
    if not isinstance(document, dict) or not isinstance(document.get("training"), list):
        raise DatalistError(f'{path}: expected {{"training": [...], "testing": [...]}}, got something else')
    complaints: list[str] = []
    tables = [_names(document.get(key), key, complaints) for key in ("groups", "classes")]
    training, testing = (_items(document.get(key), key, path, tables, complaints) for key in ("training", "testing"))
    return Datalist(training, tuple(replace(item, fold=None) for item in testing), tuple(complaints))


def _names(table: Any, key: str, complaints: list[str]) -> dict[str, str]:
    """The names that numbers stand for; what is not a name is left out."""
    if table is None:
        return {}
    if not isinstance(table, dict):
        complaints.append(f'{key}: expected {{"0": "name", …}}, got {_short(table)}')
        return {}
    wrong = {number: name for number, name in table.items() if not isinstance(name, str)}
    complaints.extend(f"{key}: {number} stands for {_short(name)}, expected a name" for number, name in wrong.items())
    return {number: name for number, name in table.items() if number not in wrong}


def _items(
    entries: Any, key: str, path: Path, tables: Sequence[Mapping[str, str]], complaints: list[str]
) -> tuple[ClipItem, ...]:
    """The entries of a list that are as they should be."""
    if not isinstance(entries, list | None):
        complaints.append(f"{key}: expected a list, got {_short(entries)}")
        return ()
    items = []
    for number, entry in enumerate(entries or ()):
        wrong = _wrong_with(entry)
        if wrong:
            complaints.append(f"{key} item {number}: {wrong}")
        else:
            items.append(_from_json(entry, path, *tables))
    return tuple(items)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def path_of(item: Mapping[str, Any], key: str) -> Path:
    """Return the path that a dict of a datalist holds under a key.

    Raises:
        DatalistError: when it holds none; names the clip, and the keys that there are.
    """
    if not isinstance(item.get(key), str | os.PathLike):
        raise DatalistError(f"{item.get('image', 'an item')}: has no path under {key!r}; it holds {sorted(item)}")
    return Path(item[key])


def _own_group(image: Path) -> str:
    return f"{OWN_GROUP}{image.as_posix()}"


def _to_json(item: ClipItem, root: Path, groups: Mapping[str, int], classes: Mapping[str, int]) -> dict[str, Any]:
    entry: dict[str, Any] = {"image": _to_text(item.image, root)}
    if item.label is not None:
        entry["label"] = _to_text(item.label, root)
    if item.fold is not None:
        entry["fold"] = item.fold
    if item.group:
        entry["group"] = groups[item.group]
    if item.category:
        entry["class"] = classes[item.category]
    return {**entry, **item.flags}


def _relative_group(item: ClipItem, root: Path) -> ClipItem:
    """The item with the group that is its own file named like the file."""
    is_own = item.group == _own_group(item.image)
    return replace(item, group=f"{OWN_GROUP}{_to_text(item.image, root)}") if is_own else item


def _to_text(file: Path, root: Path) -> str:
    file = file.parent.resolve() / file.name
    try:
        return Path(os.path.relpath(file, root)).as_posix()
    except ValueError:  # another drive
        return file.as_posix()


def _from_text(text: str, folder: Path) -> Path:
    if ".." not in Path(text).parts:
        return folder / text
    return Path(os.path.normpath(folder.resolve() / text))  # `_to_text` went up from there


def _wrong_with(entry: Any) -> str:
    """What is wrong with an entry; empty where nothing is."""
    if not isinstance(entry, dict) or not isinstance(entry.get("image"), str):
        return f'expected {{"image": "path", ...}}, got {_short(entry)}'
    if not isinstance(label := entry.get("label"), str | None):
        return f"expected the path of one mask as label, got {_short(label)}"
    wrong = {key: value for key, value in entry.items() if key not in ("image", "label") and not isinstance(value, int)}
    return f"expected integers, got {_short(wrong)}; strings are taken for paths by MONAI" if wrong else ""


def _from_json(entry: Mapping[str, Any], path: Path, groups: Mapping[str, str], classes: Mapping[str, str]) -> ClipItem:
    label = entry.get("label")
    numbers = {key: value for key, value in entry.items() if key not in ("image", "label")}
    return ClipItem(
        image=_from_text(entry["image"], path.parent),
        label=None if label is None else _from_text(label, path.parent),
        group=_name(numbers.get("group"), groups),
        category=_name(numbers.get("class"), classes),
        fold=numbers.get("fold"),
        flags={key: value for key, value in numbers.items() if key not in _KNOWN_KEYS},
    )


def _name(number: int | None, table: Mapping[str, str]) -> str:
    return "" if number is None else table.get(str(number), str(number))
