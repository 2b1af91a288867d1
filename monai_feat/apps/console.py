# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What commands have in common: settings as ``NAME=VALUE``, errors in one line, no chatter of other packages."""

from __future__ import annotations

import argparse
import logging
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import yaml

from monai_feat.bundle import ConfigKeyError, find_cause
from monai_feat.checkpoints import CheckpointError
from monai_feat.handlers import NonFiniteGradientError

__all__ = ["DONE", "NOT_DONE", "quieten", "run_plainly", "setting"]

DONE, NOT_DONE = 0, 2
_TALKERS = ("monai.bundle.scripts", "monai.bundle.workflows")
_PLAIN = (CheckpointError, ConfigKeyError, NonFiniteGradientError, OSError, ValueError)


def run_plainly(name: str, work: Callable[[], Any]) -> int:
    """Run a command's work and return its exit code; what people can act on ends in one line that says what is wrong.

    Args:
        name: of the command, before the message.
        work: what it does.

    Raises:
        Exception: anything else, with its traceback: it is a mistake of ours.
    """
    quieten()
    try:
        work()
    except Exception as error:
        cause = find_cause(error)
        if not isinstance(cause, _PLAIN):
            raise
        print(f"{name}: {' '.join(str(cause).split())}", file=sys.stderr)
        return NOT_DONE
    return DONE


def quieten() -> None:
    """Keep warnings and logs of MONAI and Ignite from the screen."""
    warnings.filterwarnings("ignore", module=r"(monai|ignite)(\.|$)")
    logging.getLogger("monai").setLevel(logging.WARNING)
    for name in _TALKERS:  # MONAI gives each a level of its own
        logging.getLogger(name).setLevel(logging.ERROR)


def setting(text: str) -> tuple[str, Any]:
    """Read ``NAME=VALUE``, the value as YAML; for the ``type`` of an argument of argparse."""
    name, found, value = text.partition("=")
    if not found:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    parsed = yaml.safe_load(value)
    if isinstance(parsed, str):
        with suppress(ValueError):  # YAML takes 1e-3 for a word
            parsed = float(parsed)
    return name, parsed
