# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Run records: what a run was done with, on what data, by which machine, and what came out; one schema, one writer."""

from __future__ import annotations

from monai_feat.records.data import (
    DataEntry,
    GroupNumbers,
    describe_entries,
    describe_procedural,
    describe_source,
)
from monai_feat.records.environment import code_state, hardware, packages
from monai_feat.records.record import RECORD, RunRecord, weights_used
from monai_feat.records.resources import Meter
from monai_feat.records.schema import SCHEMA_VERSION, RecordError, check_record, read_record

__all__ = [
    "RECORD",
    "SCHEMA_VERSION",
    "DataEntry",
    "GroupNumbers",
    "Meter",
    "RecordError",
    "RunRecord",
    "check_record",
    "code_state",
    "describe_entries",
    "describe_procedural",
    "describe_source",
    "hardware",
    "packages",
    "read_record",
    "weights_used",
]
