# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Look at all clips of a datalist or a folder and report what would spoil a study, or who is named in it.

    monai-feat doctor datalist.json --out report
    monai-feat doctor clips --out report --strict

Writes ``doctor.json`` and ``doctor.html``. Exit codes: 0 nothing was found that matters, 1 something was (see
``--fail-on``), or, with ``--strict``, something was not looked at; 2 the doctor could not run. Finding nothing is no
proof: the report says what was not looked at. It never contains the values of metadata, but its pictures show what the
clips show, so keep it where the clips are kept.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from monai_feat.apps.next_step import gate_note, next_step, train_command
from monai_feat.data.datalist import ClipItem, Datalist, inspect_datalist
from monai_feat.data.folder_search.contents import search_folder
from monai_feat.data.source_names import items_of
from monai_feat.doctor.diagnosis import KINDS, Diagnosis
from monai_feat.doctor.examination import examine
from monai_feat.doctor.fingerprint import NEAR
from monai_feat.doctor.page import render_page
from monai_feat.doctor.text_detection import DetectorChoice, choose_detector
from monai_feat.files import check_folder, write_text

__all__ = ["main", "open_source", "source_parser", "write_report"]


def write_report(diagnosis: Diagnosis, folder: str | os.PathLike[str], title: str) -> None:
    """Write ``doctor.json`` and ``doctor.html`` into a folder, which is made where it is missing."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    report = json.dumps(diagnosis.to_json(), indent=1, ensure_ascii=False)
    write_text(folder / "doctor.json", report + "\n")
    write_text(folder / "doctor.html", render_page(diagnosis, title))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        check_folder(options.out)
        datalist, account = open_source(options.source)
        detector = choose_detector(options.text_detector)
        diagnosis = examine(datalist, options.max_frames, options.threshold, not options.quiet, account, detector)
        write_report(diagnosis, options.out, f"Doctor: {options.source.name}")
    except (OSError, ValueError) as error:
        print(f"doctor: {error}", file=sys.stderr)
        return 2
    if not options.quiet:
        _tell(diagnosis, options.out)
        if datalist.testing:
            print(gate_note(len({item.group for item in datalist.testing})))
        print(next_step([options.out / "doctor.html"], train_command(options.source)))
    failing = diagnosis.count("error") + (diagnosis.count("warning") if options.fail_on == "warning" else 0)
    return 1 if failing or (options.strict and diagnosis.unseen) else 0


def open_source(source: Path) -> tuple[Datalist, str]:
    """Return a datalist or one side of it, or the clips of a folder and the account of its files."""
    if source.is_file():
        return inspect_datalist(source), ""
    if (items := items_of(source)) is not None:
        return Datalist(items), ""
    contents = search_folder(source)
    return Datalist(tuple(ClipItem(clip, mask) for clip, mask in contents.pairs.items())), contents.describe()


def _tell(diagnosis: Diagnosis, folder: Path) -> None:
    if diagnosis.account:
        print(diagnosis.account)
    for kind, number in Counter(finding.kind for finding in diagnosis.findings).items():
        severity, meaning = KINDS[kind]
        print(f"{severity:8} {number:5}  {meaning}")
    print(diagnosis.about_identifiers)
    print(f"{folder / 'doctor.json'} lists all.")


def source_parser(command: str, description: str | None, out: str) -> argparse.ArgumentParser:
    """Return a parser of what every command asks that looks at clips: which, where to write, by which detector.

    Args:
        command: name of the command.
        description: what it does.
        out: what ``--out`` is, for the help.
    """
    parser = argparse.ArgumentParser(
        prog=f"monai-feat {command}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="a datalist as JSON, ours or Auto3DSeg's, or a folder of clips")
    parser.add_argument("--out", type=Path, required=True, help=out)
    parser.add_argument(
        "--text-detector",
        choices=get_args(DetectorChoice),
        default="auto",
        help="auto: rapidocr where it is installed (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing but what went wrong")
    return parser


def _parser() -> argparse.ArgumentParser:
    parser = source_parser("doctor", __doc__, out="folder of the report")
    parser.add_argument(
        "--max-frames", type=int, default=1000, help="frames decoded of each clip (default: %(default)s)"
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=NEAR,
        help="share of hash bits in which near-duplicates may differ (default: %(default)s)",
    )
    parser.add_argument(
        "--fail-on",
        choices=("error", "warning"),
        default="error",
        help="least severity that gives exit code 1 (default: %(default)s)",
    )
    parser.add_argument("--strict", action="store_true", help="exit code 1 also where something was not looked at")
    return parser


if __name__ == "__main__":
    sys.exit(main())
