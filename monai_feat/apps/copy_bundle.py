# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Copy a shipped bundle, with its weights, to a folder of your own: to change its configs, or to hand it on.

    monai-feat bundle                               # lists the shipped bundles
    monai-feat bundle feat_ultrasound               # into ./feat_ultrasound
    monai-feat bundle feat_ultrasound --out heart

Exit codes: 0 copied, 2 not, with the reason.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from monai_feat.apps.console import run_plainly
from monai_feat.bundle import copy_bundle, shipped_bundles
from monai_feat.files import read_json

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    return run_plainly("bundle", _list if options.bundle is None else lambda: _copy(options))


def _list() -> None:
    for name, folder in shipped_bundles().items():
        print(f"{name:20}  {read_json(folder / 'configs' / 'metadata.json')['task']}")
    print("Next: monai-feat bundle NAME copies one")


def _copy(options: argparse.Namespace) -> None:
    folder = copy_bundle(options.bundle, options.out or Path(options.bundle).name)
    print(f"Wrote {folder}; docs/README.md in it says what its configs do.")
    print(f"Next: cd {shlex.quote(str(folder))} && python -m monai.bundle run --config_file configs/inference.json")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat bundle", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", nargs="?", metavar="BUNDLE", help="which; all are listed where it is missing")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="a new folder (default: the bundle's name)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
