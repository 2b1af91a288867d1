# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""List what a bundle would run, fetch and write, before any of it is run.

    monai-feat inspect feat_ultrasound      # a shipped bundle
    monai-feat inspect "their bundle"       # a folder

Configs of MONAI bundles are programs: every "$" begins an expression of Python, and "_target_" names what is called.
This command reads them, and evaluates and imports nothing. It cannot say that a bundle is harmless; it says what to
look at.

Exit codes: 0 nothing but configs, weights in safetensors and usual expressions; 1 there is more, listed first; 2 not
read, with the reason.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import groupby

from monai_feat.bundle import ALARMING, find_bundle, inspect_bundle
from monai_feat.bundle.inspection import Finding

__all__ = ["main"]

PLAIN, LOOK, NOT_READ = 0, 1, 2
TITLES = {
    "code": "Python files, which an expression may import",
    "pickle": "Files of torch or pickle, which may be programs: load them with weights_only=True alone",
    "link": "Links that lead out of the bundle",
    "target": "Components outside monai, monai_feat, torch and ignite",
    "download": "Addresses, and calls that fetch",
    "unusual expression": "Expressions that reach further than a config needs to",
    "place": "Keys that say where files go",
    "expression": "All other expressions",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        found = inspect_bundle(find_bundle(options.bundle))
    except (OSError, ValueError) as error:
        print(f"inspect: {error}", file=sys.stderr)
        return NOT_READ
    for kind, findings in groupby(found, key=lambda finding: finding.kind):
        _tell(kind, list(findings), options.all)
    alarming = sum(finding.kind in ALARMING for finding in found)
    print(f"{alarming} of {len(found)} findings are more than configs of weights need; nothing was run.")
    return LOOK if alarming else PLAIN


def _tell(kind: str, findings: list[Finding], everything: bool) -> None:
    print(f"{TITLES[kind]}: {len(findings)}")
    if kind == "expression" and not everything:
        print("  --all lists them\n")
        return
    for finding in findings:
        where = f"{finding.file}: {finding.key}" if finding.key else finding.file
        print(f"  {where}: {finding.content}")
    print()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat inspect", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="its folder, or the name of a shipped one")
    parser.add_argument("--all", action="store_true", help="list the usual expressions, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
