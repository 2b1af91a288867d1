# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Bundles: the shipped ones; what configs call: checks of keys, folders of runs and samples, records of runs."""

from __future__ import annotations

from monai_feat.bundle.clip_reading import ClipReading, raw_config
from monai_feat.bundle.config_check import (
    ConfigKeyError,
    check_config,
    check_counts,
    find_unused_keys,
    running_config,
)
from monai_feat.bundle.failures import end_with_cause, find_cause
from monai_feat.bundle.inspection import ALARMING, inspect_bundle
from monai_feat.bundle.model_file import write_model_file
from monai_feat.bundle.output import claim_output_dir, epoch_of, find_checkpoint
from monai_feat.bundle.recording import record_run
from monai_feat.bundle.sample_folder import SampleFolder
from monai_feat.bundle.sampling import sample_bundle
from monai_feat.bundle.shipped import copy_bundle, find_bundle, shipped_bundles
from monai_feat.bundle.training_source import save_training_source, training_source

__all__ = [
    "ALARMING",
    "ClipReading",
    "ConfigKeyError",
    "SampleFolder",
    "check_config",
    "check_counts",
    "claim_output_dir",
    "copy_bundle",
    "end_with_cause",
    "epoch_of",
    "find_bundle",
    "find_cause",
    "find_checkpoint",
    "find_unused_keys",
    "inspect_bundle",
    "raw_config",
    "record_run",
    "running_config",
    "sample_bundle",
    "save_training_source",
    "shipped_bundles",
    "training_source",
    "write_model_file",
]
