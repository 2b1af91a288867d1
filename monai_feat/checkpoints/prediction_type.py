# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a network was trained to predict, in the header of its weights."""

from __future__ import annotations

import os
from pathlib import Path

from monai_feat.checkpoints.storage import read_metadata

__all__ = ["prediction_metadata", "read_prediction_type"]

_KEY = "prediction_type"


def prediction_metadata(prediction_type: str) -> dict[str, str]:
    """Describe what a network predicts, such as ``"v_prediction"``, for the ``metadata`` of `save_checkpoint`."""
    return {_KEY: prediction_type}


def read_prediction_type(path: str | os.PathLike[str], usual: str) -> str:
    """Read from a file of weights what their network predicts.

    Args:
        path: a ``.safetensors`` file. Any other has no header, and one that is not there says nothing: to load the
            weights is what fails.
        usual: what networks predict whose file does not say.

    Returns:
        ``"epsilon"``, ``"sample"``, ``"v_prediction"`` or ``"flow_velocity"``, as it was written.

    Raises:
        CheckpointError: if the file is no ``.safetensors`` file in spite of its name.
    """
    if Path(path).suffix != ".safetensors" or not Path(path).is_file():
        return usual
    return read_metadata(path).get(_KEY, usual)
