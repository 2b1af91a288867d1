# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Put the scores of several evaluations side by side, if they were made by one protocol.

    python -m evaluation.table first/report.json second/report.json

Writes a Markdown table. Exit codes: 0 written; 2 refused, for the protocols differ in what it then names.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from monai_feat.files import read_json
from monai_feat.visualize import format_number

from .reading.protocol import differing_fields

__all__ = ["main", "tabulate"]

_REFERENCES = {"held_out": "held-out", "train": "training"}
_SHOWN = 6


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.table", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reports", nargs="+", metavar="REPORT", help="report.json of an evaluation, or its folder")
    options = parser.parse_args(arguments)
    try:
        print(tabulate([_read(Path(path)) for path in options.reports]))
    except (OSError, ValueError) as error:
        print(f"table: {error}", file=sys.stderr)
        return 2
    return 0


def tabulate(reports: Sequence[Mapping[str, Any]]) -> str:
    """Return a Markdown table of all scores: a row for each, a column for each report.

    Args:
        reports: what `report.json` holds.

    Raises:
        ValueError: the reports have different fingerprints; names what differs.
    """
    for report in reports[1:]:
        if report["fingerprint"] != reports[0]["fingerprint"]:
            raise ValueError(_disagreement(reports[0], report))
    keys = {(s["metric"], s["reference"]): s["title"] for report in reports for s in report["scores"]}
    columns = [{(s["metric"], s["reference"]): s for s in report["scores"]} for report in reports]
    rows = [["score", "against", *(report["title"] for report in reports)]]
    rows.append(["---"] * len(rows[0]))
    rows += [
        [title, _REFERENCES[key[1]], *(_cell(column.get(key)) for column in columns)] for key, title in keys.items()
    ]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([*lines, "", f"Protocol {reports[0]['fingerprint']}; [low, high] is the interval."])


def _read(path: Path) -> Mapping[str, Any]:
    path = path / "report.json" if path.is_dir() else path
    report = read_json(path)
    if not isinstance(report, dict) or not {"fingerprint", "protocol", "scores", "title"} <= report.keys():
        raise ValueError(f"{path}: is not a report.json of monai-feat evaluate: name that file, or its folder")
    return report


def _disagreement(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    found = differing_fields(one["protocol"], other["protocol"])
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return (
        f"{one['title']} ({one['fingerprint']}) and {other['title']} ({other['fingerprint']}) were scored by different "
        f"protocols, and their numbers do not compare: {'; '.join(found[:_SHOWN])}{more}"
    )


def _cell(score: Mapping[str, Any] | None) -> str:
    if score is None or score["value"] is None:
        return ""
    value = format_number(score["value"])
    interval = score["interval"]
    if interval:
        value += f" [{format_number(interval['low'])}, {format_number(interval['high'])}]"
    return value if score["meaningful"] else f"({value})"


if __name__ == "__main__":
    sys.exit(main())
