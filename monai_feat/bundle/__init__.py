# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a bundle's configs call: checks of keys, folders of runs and of samples, and what they were made with."""

from __future__ import annotations

from monai_feat.bundle.config_check import ConfigKeyError, check_config, find_unused_keys, running_config
from monai_feat.bundle.failures import end_with_cause, find_cause
from monai_feat.bundle.output import claim_output_dir, epoch_of, find_checkpoint
from monai_feat.bundle.provenance import run_provenance
from monai_feat.bundle.sample_folder import SampleFolder
from monai_feat.bundle.sampling import sample_bundle

__all__ = [
    "ConfigKeyError",
    "SampleFolder",
    "check_config",
    "claim_output_dir",
    "end_with_cause",
    "epoch_of",
    "find_cause",
    "find_checkpoint",
    "find_unused_keys",
    "run_provenance",
    "running_config",
    "sample_bundle",
]
