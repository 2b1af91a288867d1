# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Compare variants of a training at equal budget: mixers, objectives, sizes, whatever a config can say.

    monai-feat compare STUDY.yaml --out runs/mixers

Every variant is trained with every seed, on the same clips with the same noise, and measured on the same held-out ones.
What was done is kept: the same command goes on where it was stopped. It writes ``report.md`` and ``report.json``, which
docs/alternatives.md explains, with a study file. Exit codes: 0 done, 2 not, with the reason.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from monai_feat.apps.compare.jobs import run_jobs
from monai_feat.apps.compare.report import describe, write_report
from monai_feat.apps.compare.study_file import read_study
from monai_feat.apps.console import run_plainly

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    return run_plainly("compare", lambda: _compare(options.study, options.out))


def _compare(file: Path, out: Path) -> None:
    study = read_study(file)
    found = run_jobs(study, out)
    write_report(study, found, out)
    print("\n".join(["", *describe(study, found), "", f"Wrote {out / 'report.md'} and {out / 'report.json'}."]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", type=Path, metavar="STUDY.yaml", help="what is compared")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="where trainings and reports go")
    return parser
