# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The writer of run records."""

from __future__ import annotations

import json
import math
import os
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import ignite.distributed as idist

from monai_feat import __version__
from monai_feat.files import file_sha256, read_json, write_json
from monai_feat.records.environment import code_state, hardware, packages
from monai_feat.records.resources import Meter
from monai_feat.records.schema import SCHEMA_VERSION, check_record

__all__ = ["RECORD", "RunRecord", "weights_used"]

RECORD = "record.json"
"""Name of the record in the folder of a run."""


class RunRecord:
    """The record of one run, ``record.json`` in the folder of its results: written when it begins and when it ends.

    A run that was killed leaves the first of the two, with the status ``begun``. Runs that go on in the same folder, or
    fill it side by side, keep what others have left, under ``earlier``. Of several processes, the first writes.

    Args:
        folder: of the run's results; made where it is missing.
        kind: of the run: ``autoencoder``, ``diffusion``, ``segmentation``, ``sampling``, ``scoring``, ``gate`` or
            ``study``.
        config: all that was set, overrides included. JSON values; others are written as text.
        seeds: by name.
        data: what was read, as `monai_feat.records.describe_source` says.
        weights: what was loaded, as `weights_used` says.
        command: that was given; empty where there was none.

    Raises:
        RecordError: the folder has a file of this name that is no record.

    Example:
        >>> import tempfile
        >>> record = RunRecord(tempfile.mkdtemp(), "scoring", {"size": 64}, seeds={"seed": 0})
        >>> record.begin()
        >>> record.finish({"distance": 1.5})["status"]
        'finished'
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        kind: str,
        config: Mapping[str, Any],
        seeds: Mapping[str, int | None] | None = None,
        data: Iterable[Mapping[str, Any]] = (),
        weights: Iterable[Mapping[str, Any]] = (),
        command: str = "",
    ) -> None:
        self.file = Path(folder) / RECORD
        self._meter = Meter()
        self._content: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "id": uuid.uuid4().hex,
            "kind": kind,
            "status": "begun",
            "started": _now(),
            "finished": None,
            "command": command,
            "version": __version__,
            "code": code_state(),
            "packages": packages(),
            "hardware": hardware(),
            "config": _plain(config),
            "seeds": dict(seeds or {}),
            "data": list(data),
            "weights": list(weights),
            "metrics": {},
            "results": [],
            "resources": None,
        }

    def begin(self) -> None:
        """Write what is known before the run; its time counts from here.

        Raises:
            RecordError: the folder has a file of this name that is no record.
            OSError: it cannot be written.
        """
        self._meter = Meter()
        self._write()

    def finish(self, metrics: Mapping[str, Any] | None = None, results: Iterable[str] = ()) -> dict[str, Any]:
        """Write what came out; return the whole record.

        Args:
            metrics: by name; a number that is not finite is written as text, for JSON has none.
            results: names or patterns of files in the folder, whose SHA-256 are written down.

        Raises:
            OSError: a file cannot be read, or the record not be written.
        """
        if idist.get_rank() == 0:
            files = sorted({file for pattern in results for file in self.file.parent.glob(pattern) if file.is_file()})
            self._content |= {
                "status": "finished",
                "finished": _now(),
                "metrics": _plain(metrics or {}),
                "results": [_result(file, self.file.parent) for file in files],
                "resources": self._meter.read(),
            }
            self._write()
        return self._content

    def _write(self) -> None:
        if idist.get_rank() == 0:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._content["earlier"] = self._earlier()
            write_json(self.file, check_record(self._content, self.file))

    def _earlier(self) -> list[dict[str, Any]]:
        """Other runs of this folder, in the order in which they began."""
        if not self.file.is_file():
            return []
        there = check_record(read_json(self.file), self.file)
        runs = [*there.pop("earlier"), there]
        return [run for run in runs if run["id"] != self._content["id"]]


def weights_used(role: str, path: str | os.PathLike[str]) -> dict[str, Any]:
    """Describe a file of weights that a run loads.

    Args:
        role: such as ``network``.
        path: the file; its folder is not told.

    Raises:
        OSError: it cannot be read.
    """
    return {"role": role, "name": Path(path).name, "sha256": file_sha256(path)}


def _result(file: Path, folder: Path) -> dict[str, Any]:
    return {"name": file.relative_to(folder).as_posix(), "bytes": file.stat().st_size, "sha256": file_sha256(file)}


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Copy values into what JSON can hold."""
    found: dict[str, Any] = json.loads(json.dumps(_finite(values), default=str))
    return found


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
