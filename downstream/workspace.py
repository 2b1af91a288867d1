# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a study: the prepared clips, one folder for each job, and what says that a job is done."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from monai_feat.files import describe_changes, read_json, write_json

from .study import Study, StudyError

__all__ = ["Workspace"]

DATALIST = "datalist.json"
SYNTHETIC_DATALIST = "synthetic.json"
DONE = "done.json"
SCORES = "scores.csv"


class Workspace:
    """Where a study's files are.

    Args:
        root: folder of the study; made when something is written.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root).resolve()

    @property
    def clips(self) -> Path:
        """Folder of the real clips as every arm sees them."""
        return self.root / "clips"

    @property
    def report(self) -> Path:
        """Folder of the report."""
        return self.root / "report"

    def job(self, identifier: str) -> Path:
        """Folder of a job."""
        return self.root / "jobs" / identifier

    def is_done(self, identifier: str) -> bool:
        """Whether a job has been finished."""
        return (self.job(identifier) / DONE).is_file()

    def finished(self, identifier: str) -> dict[str, Any]:
        """Read what a finished job has left.

        Raises:
            StudyError: it is not finished.
        """
        if not self.is_done(identifier):
            raise StudyError(f"job {identifier} is not done: run it first, with --job {identifier}")
        found: dict[str, Any] = read_json(self.job(identifier) / DONE)
        return found

    def finish(self, identifier: str, result: Mapping[str, Any]) -> None:
        """Mark a job as done."""
        self.job(identifier).mkdir(parents=True, exist_ok=True)
        write_json(self.job(identifier) / DONE, result)

    def claim(self, study: Study) -> None:
        """Write down whose folder this is, so that results of two studies never mix.

        Raises:
            StudyError: another study was begun here; names what differs.
        """
        described = json.loads(json.dumps(asdict(study), default=str))
        file = self.root / "study.json"
        if not file.is_file():
            self.root.mkdir(parents=True, exist_ok=True)
            write_json(file, described)
            return
        if changes := describe_changes(read_json(file), described):
            raise StudyError(f"{self.root} holds another study ({changes}); name a new folder with --out")
