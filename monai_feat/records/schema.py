# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The form of a run record: ``record_schema.json``, a JSON Schema with a version."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from monai_feat.files import read_json

__all__ = ["SCHEMA_VERSION", "RecordError", "check_record", "read_record"]

SCHEMA_VERSION = 1
SCHEMA_FILE = Path(__file__).with_name("record_schema.json")


class RecordError(ValueError):
    """A file that is no run record, or one of another version."""


def check_record(content: Any, where: str | os.PathLike[str]) -> dict[str, Any]:
    """Return a record as it is, once the schema has passed it.

    Args:
        content: what may be a record.
        where: its file, for the message.

    Raises:
        RecordError: it is none; says which entry is wrong.
    """
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version != SCHEMA_VERSION:
        raise RecordError(f"{where}: expected a run record with schema_version {SCHEMA_VERSION}, got {version!r}")
    errors = list(_validator().iter_errors(content))
    if errors:  # where a part is wrong, the whole around it counts as unevaluated, too
        error = min(errors, key=lambda found: (found.validator == "unevaluatedProperties", -len(found.absolute_path)))
        raise RecordError(
            f"{where}: {error.json_path}: {error.message[:200]}; expected a record as monai-feat wrote it"
        )
    found: dict[str, Any] = content
    return found


def read_record(file: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a run record.

    Raises:
        FileNotFoundError: there is no such file.
        RecordError: it is no record, or of another version.
        ValueError: it is not JSON.
    """
    return check_record(read_json(file), file)


@functools.cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(read_json(SCHEMA_FILE))
