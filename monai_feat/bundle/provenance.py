# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a run was done with, to be written down beside its results."""

from __future__ import annotations

import copy
import os
from collections.abc import Sequence
from typing import Any

import monai
import torch

from monai_feat import __version__
from monai_feat.bundle.config_check import running_config
from monai_feat.files import file_sha256

__all__ = ["run_provenance"]


def run_provenance(weights: Sequence[str | os.PathLike[str]]) -> dict[str, Any]:
    """Describe the bundle run whose config this is an expression of.

    Args:
        weights: files of weights that are used.

    Returns:
        ``config``, as it was given, overrides included; ``weights``, the SHA-256 of each file by its path; and
        ``versions`` of what computes.

    Raises:
        RuntimeError: outside an expression of a config.
        OSError: a file cannot be read.
    """
    return {
        "config": copy.deepcopy(running_config()),
        "weights": {str(path): file_sha256(path) for path in weights},
        "versions": {"monai_feat": __version__, "monai": monai.__version__, "torch": torch.__version__},
    }
