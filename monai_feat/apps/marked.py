# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Tell synthetic files by the mark in their metadata.

    monai-feat marked clip.mp4 sheet.png
    monai-feat marked samples             # all files of a folder and the folders below that can carry a mark

One line for each file. A file without a mark may still be synthetic: a program that writes a file anew can lose it, and
whoever samples can leave it out. Exit codes: 0 all are marked, 1 some are not, 2 some cannot be read, with the reason.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from monai_feat.marks import MARKED_SUFFIXES, find_mark

__all__ = ["main"]

ALL_MARKED, SOME_UNMARKED, UNREADABLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    codes = [_tell(file) for path in options.paths for file in _files(path)]
    if not codes:
        print(f"marked: no file there can carry a mark; looked for {', '.join(MARKED_SUFFIXES)}", file=sys.stderr)
        return UNREADABLE
    return max(codes)


def _tell(file: Path) -> int:
    try:
        mark = find_mark(file)
    except (OSError, ValueError) as error:
        print(f"marked: {error}", file=sys.stderr)
        return UNREADABLE
    if mark is None:
        print(f"{file}: no mark")
        return SOME_UNMARKED
    print(f"{file}: synthetic, by {mark.generator}")
    return ALL_MARKED


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from sorted(file for file in path.rglob("*") if file.name.lower().endswith(MARKED_SUFFIXES))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat marked", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", metavar="FILE", type=Path, nargs="+", help="a file, or a folder of files")
    return parser


if __name__ == "__main__":
    sys.exit(main())
