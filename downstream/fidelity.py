# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Fidelity and memorisation of the synthetic clips of a study, by ``python -m evaluation`` in a process of its own."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from .study import Data, StudyError

__all__ = ["measure_fidelity"]

ROOT = Path(__file__).resolve().parents[1]  # the checkout, from which both studies are run
MEASURED, COPIES_FOUND = 0, 3  # exit codes


def measure_fidelity(real: Path, fake: Path, held_out: Path, data: Data, folder: Path) -> dict[str, Any]:
    """Compare synthetic clips with real ones, and look for copies of training clips.

    Args:
        real: datalist of the clips that the generator was trained on.
        fake: datalist of synthetic clips.
        held_out: datalist of clips of other patients.
        data: the form of the clips.
        folder: gets the page and its numbers, in ``evaluation``.

    Returns:
        ``command``, ``gate_passed``, and ``report``, the path of the numbers.

    Raises:
        StudyError: it could not be measured; says why.
    """
    out = folder / "evaluation"
    modality = data.modality if data.modality in ("endoscopy", "ultrasound") else "any"
    arguments = [real, fake, "--held-out", held_out, "--gate", "--out", out, "--num-frames", min(16, data.num_frames)]
    command = [sys.executable, "-m", "evaluation", *map(str, arguments), "--modality", modality, "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (MEASURED, COPIES_FOUND):
        raise StudyError(f"{shlex.join(command)} ended with {done.returncode}: {done.stderr.strip()[-2000:]}")
    report = out / "report.json"
    json.loads(report.read_text(encoding="utf-8"))  # whole
    return {"command": shlex.join(command), "gate_passed": done.returncode == MEASURED, "report": str(report)}
