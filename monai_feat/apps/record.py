# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Pack runs with their records into one file, and verify such a file.

    monai-feat record export samples report --licence https://creativecommons.org/licenses/by/4.0/ --out crate.zip
    monai-feat record verify crate.zip

A crate (RO-Crate, Process Run Crate) holds the record of each run, its results, and the weights that it loaded, but no
clips of patients: of these, records have digests. Every program that reads zip files or RO-Crates opens it.

Verify compares every file with its record, and samples again, on the CPU, what was sampled by the config of a shipped
bundle.
Exit codes: 0 done, or all agrees; 1 something differs, by name; 2 not done, with the reason.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from monai_feat.apps.console import DONE, quieten, run_plainly
from monai_feat.apps.verification import verify_run
from monai_feat.records import RecordError
from monai_feat.records.crate import export_crate, unpack_crate

__all__ = ["main"]

DIFFERS, NOT_DONE = 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    if options.work == "export":
        return run_plainly("record", lambda: _export(options))
    quieten()
    try:
        return _verify(options.crate)
    except (OSError, RecordError, ValueError) as error:
        print(f"record: {' '.join(str(error).split())}", file=sys.stderr)
        return NOT_DONE


def _export(options: argparse.Namespace) -> None:
    left_out = export_crate(options.runs, options.out, options.licence)
    for name in left_out:
        print(f"{name}: not found, or too large; the record has its SHA-256")
    print(f"Wrote {options.out}")
    print(f"Next: monai-feat record verify {options.out}")


def _verify(crate: Path) -> int:
    with tempfile.TemporaryDirectory() as place:
        checks = []
        for run in unpack_crate(crate, place):
            for check in verify_run(run):
                checks.append(check)
                print(f"{check.standing:11}  {run.name}/{check.name}: {check.note}", flush=True)
    counts = {standing: sum(check.standing == standing for check in checks) for standing in ("same", "near", "differs")}
    print(", ".join(f"{count} {standing}" for standing, count in counts.items()))
    return DIFFERS if counts["differs"] else DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat record", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    work = parser.add_subparsers(dest="work", required=True, metavar="export|verify")
    export = work.add_parser("export", help="pack runs")
    export.add_argument("runs", metavar="RUN", type=Path, nargs="+", help="a folder with a record.json")
    export.add_argument("--licence", required=True, metavar="ADDRESS", help="under which results are handed on")
    export.add_argument("--out", required=True, type=Path, metavar="CRATE.zip", help="the file")
    verify = work.add_parser("verify", help="compare with records, and sample again")
    verify.add_argument("crate", type=Path, metavar="CRATE.zip", help="what was exported")
    return parser


if __name__ == "__main__":
    sys.exit(main())
