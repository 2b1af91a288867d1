# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Copy the clips of a datalist or a folder without metadata, without text in their pixels, and under new names.

    monai-feat clean datalist.json --out shared
    monai-feat clean clips --out shared --key ~/keys/shared.key.json

Writes ``clips``, ``masks``, ``datalist.json``, ``masked.json`` (how many regions were blackened) and ``report``, the
doctor's second look at the copies. The key file leads new names back to old ones: keep it apart, and never share it.
With the same key, the same clip gets the same name. Dates are dropped.

Exit codes: 0 the doctor's second look finds nothing that identifies; 1 it does, or a clip could not be copied;
2 nothing was written. Finding nothing is no proof: look at the copies yourself before you share them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from monai_feat.apps.doctor import open_source, source_parser, write_report
from monai_feat.doctor.cleaning import Cleaned, clean_datalist
from monai_feat.doctor.diagnosis import IDENTIFYING, Diagnosis
from monai_feat.doctor.examination import examine
from monai_feat.doctor.pseudonyms import Pseudonyms
from monai_feat.doctor.text_detection import choose_detector
from monai_feat.files import check_folder

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    out: Path = options.out
    key: Path = options.key or out.with_name(f"{out.absolute().name}.key.json")
    try:
        cleaned, diagnosis = _clean(options.source, out, key, options)
    except (OSError, ValueError) as error:
        print(f"clean: {error}", file=sys.stderr)
        return 2
    _tell(cleaned, diagnosis, out, key)
    is_left = any(finding.kind in IDENTIFYING for finding in diagnosis.findings)
    return 1 if is_left or cleaned.left_out else 0


def _clean(source: Path, out: Path, key: Path, options: argparse.Namespace) -> tuple[Cleaned, Diagnosis]:
    if key.absolute().is_relative_to(out.absolute()):
        raise ValueError(f"{key}: the key must not lie among the copies; name another place with --key")
    for folder in (out, key.parent):
        check_folder(folder)
    detector = choose_detector(options.text_detector)
    datalist, account = open_source(source)
    if account and not options.quiet:
        print(account)
    names = Pseudonyms.read(key)
    cleaned = clean_datalist(datalist, out, names, detector, progress=not options.quiet)
    if not cleaned.datalist.sides:
        reasons = "; ".join(dict.fromkeys(cleaned.left_out.values()))
        raise ValueError(f"{source}: none of {len(cleaned.left_out)} clips can be read ({reasons})")
    names.write(key)
    diagnosis = examine(cleaned.datalist, progress=not options.quiet, detector=detector)
    write_report(diagnosis, out / "report", "Second look at the copies")
    return cleaned, diagnosis


def _tell(cleaned: Cleaned, diagnosis: Diagnosis, out: Path, key: Path) -> None:
    regions = sum(cleaned.masked.values())
    print(f"{len(cleaned.datalist.sides)} clips copied to {out}; {regions} regions of text blackened in "
          f"{len(cleaned.masked)} of them.")  # fmt: skip
    for name, reason in cleaned.left_out.items():
        print(f"{name}: not copied: {reason}", file=sys.stderr)
    print(f"The doctor's second look: {diagnosis.about_identifiers}")
    print(f"{key} leads the new names back to the old ones: keep it apart. Look at {out / 'report' / 'doctor.html'}.")


def _parser() -> argparse.ArgumentParser:
    parser = source_parser("clean", __doc__, out="folder of the copies, new or empty")
    parser.add_argument("--key", type=Path, help="key file, read where it exists (default: OUT.key.json beside OUT)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
