# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
r"""Build a datalist for Auto3DSeg, with folds and a held-out test that keep patients together.

    monai-feat datalist clips --group-level 1 --folds 5 --test-share 0.2 --out datalist.json
    monai-feat datalist clips --group-regex "pat(\d+)_" --mask-suffix _mask --out datalist.json
    monai-feat datalist table.csv --group-column patient --class-column finding --out datalist.json
    monai-feat datalist EchoNet-Dynamic/FileList.csv --out datalist.json

A table may be a data set's own (EchoNet's ``FileList.csv``), and annotations of COCO or CVAT will do. Where it has a
column of the split, that is taken, unless ``--folds``, ``--test-share`` or ``--test-groups`` ask for another.

Exit codes: 0 written, 2 not written, with the reason.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from monai_feat.apps.next_step import doctor_command, gate_note, next_step
from monai_feat.data.clip_listing import Namer, list_folder, name_by_level, name_by_pattern, pair_masks
from monai_feat.data.clip_tables import TABLE_SUFFIXES, TableListing, list_table
from monai_feat.data.datalist import OWN_GROUP, ClipItem, Datalist, build_datalist, write_datalist
from monai_feat.data.folder_search.contents import search_folder
from monai_feat.files import check_folder

__all__ = ["main"]

_FOLDER_ONLY = ("group_level", "group_regex", "class_level", "class_regex", "masks", "mask_suffix")
_TABLE_ONLY = ("image_column", "mask_column", "group_column", "class_column", "split_column")
_FOLDS = 5
_NAMED = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        check_folder(Path(options.out).parent)
        datalist = _datalist(options)
        Path(options.out).parent.mkdir(parents=True, exist_ok=True)
        write_datalist(datalist, options.out)
    except (OSError, ValueError) as error:
        print(f"datalist: {error}", file=sys.stderr)
        return 2
    _tell(datalist, options)
    return 0


def _datalist(options: argparse.Namespace) -> Datalist:
    source = Path(options.source)
    is_table = source.suffix.lower() in TABLE_SUFFIXES
    unfit = [name for name in (_FOLDER_ONLY if is_table else _TABLE_ONLY) if getattr(options, name) is not None]
    if unfit:
        flags = ", ".join("--" + name.replace("_", "-") for name in unfit)
        raise ValueError(f"{flags}: cannot be used with {'a table' if is_table else 'a folder'} ({source})")
    if not is_table:
        return _split(_items_of_folder(source, options), options)
    listing = _listing(source, options)
    if listing.has_splits and options.folds is None and not (options.test_share or options.test_groups):
        return listing.datalist()
    return _split(listing.items, options)


def _split(items: Sequence[ClipItem], options: argparse.Namespace) -> Datalist:
    folds = _FOLDS if options.folds is None else options.folds
    return build_datalist(items, folds, options.test_share, options.test_groups, options.seed)


def _listing(table: Path, options: argparse.Namespace) -> TableListing:
    listing = list_table(
        table, options.image_column, options.mask_column, options.group_column, options.class_column,
        options.split_column,
    )  # fmt: skip
    if listing.missing:
        names = ", ".join(listing.missing[:_NAMED]) + (", …" if len(listing.missing) > _NAMED else "")
        said = f"{table}: {len(listing.missing)} of its names are not there ({names})"
        if options.missing == "error":
            raise FileNotFoundError(f"{said}; fetch them, or leave them out with --missing leave-out")
        print(f"{said}: left out", file=sys.stderr)
    return listing


def _items_of_folder(source: Path, options: argparse.Namespace) -> list[ClipItem]:
    contents = search_folder(source)
    print(contents.describe(), file=sys.stderr)
    groups, classes = (
        _namer(getattr(options, f"{what}_level"), getattr(options, f"{what}_regex")) for what in ("group", "class")
    )
    items = list_folder(contents, groups, classes)
    if options.masks is None and options.mask_suffix is None:
        return items
    return pair_masks(items, source, options.masks, options.mask_suffix or "")


def _namer(level: int | None, pattern: str | None) -> Namer | None:
    if level is not None:
        return name_by_level(level)
    return None if pattern is None else name_by_pattern(pattern)


def _tell(datalist: Datalist, options: argparse.Namespace) -> None:
    for side, number in sorted(Counter(side for side, _ in datalist.sides).items()):
        members = [item for where, item in datalist.sides if where == side]
        classes = ", ".join(
            f"{n} {name}" for name, n in sorted(Counter(i.category for i in members if i.category).items())
        )
        groups = len({item.group for item in members})
        print(f"{side:8}  {number:5} clips of {groups:4} groups" + (f"  ({classes})" if classes else ""))
    if all(item.group.startswith(OWN_GROUP) for _, item in datalist.sides):
        print("No groups were named: every clip is its own, and one patient may be on two sides.", file=sys.stderr)
    print(gate_note(len({item.group for item in datalist.testing})))
    print(next_step([options.out], doctor_command(options.out)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat datalist",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source", help="a folder of clips; a table with a header (.csv, .tsv); or COCO's or CVAT's annotations"
    )
    parser.add_argument("--out", required=True, help="the JSON file to write")
    parser.add_argument(
        "--folds", type=int, help=f"folds of the training clips (default: {_FOLDS}, or the split of the table)"
    )
    held = parser.add_mutually_exclusive_group()
    held.add_argument("--test-share", type=float, default=0.0, help="share of the clips to hold out, by group")
    held.add_argument("--test-groups", nargs="+", default=(), metavar="NAME", help="groups to hold out")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives another split")
    for what, kind in (("group", "patient or sequence"), ("class", "class, which folds are balanced for")):
        rule = parser.add_mutually_exclusive_group()
        rule.add_argument(f"--{what}-level", type=int, metavar="N", help=f"folder that names the {kind}: 1 outermost")
        rule.add_argument(f"--{what}-regex", metavar="RE", help=f"pattern in the path that names the {kind}")
        rule.add_argument(f"--{what}-column", metavar="NAME", help=f"column of the table that names the {kind}")
    parser.add_argument("--masks", metavar="FOLDER", help="folder of masks, laid out like the clips")
    parser.add_argument("--mask-suffix", metavar="TEXT", help="what a mask's name has beyond its clip's, as _mask")
    parser.add_argument(
        "--image-column", metavar="NAME", help="column of the clips (default: image, filename or alike)"
    )
    parser.add_argument("--mask-column", metavar="NAME", help="column of the masks")
    parser.add_argument("--split-column", metavar="NAME", help="column of the split (default: split, subset)")
    parser.add_argument(
        "--missing",
        choices=("error", "leave-out"),
        default="error",
        help="what to do about names of the table that no file has (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
