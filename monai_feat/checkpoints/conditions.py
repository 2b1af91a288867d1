# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a network was trained to be asked for, in the header of its weights."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from monai_feat.checkpoints.storage import CheckpointError, read_metadata
from monai_feat.conditions import Condition, conditions_from_json, conditions_to_json

__all__ = ["conditions_metadata", "read_conditions"]

_KEY = "conditions"


def conditions_metadata(conditions: Sequence[Condition]) -> dict[str, str]:
    """Describe conditions for the ``metadata`` of `save_checkpoint`; an unconditional network has none.

    Example:
        >>> conditions_metadata([ClassCondition("view", 3)])
        {'conditions': '[{"kind": "ClassCondition", "name": "view", "num_classes": 3}]'}
    """
    return {_KEY: json.dumps(conditions_to_json(conditions))} if conditions else {}


def read_conditions(path: str | os.PathLike[str]) -> list[Condition]:
    """Read from a file of weights what their network was trained to be asked for.

    Args:
        path: a ``.safetensors`` file. Any other has no header, and one that is not there no conditions: to load the
            weights is what fails.

    Returns:
        The conditions, in the network's order; none for an unconditional network.

    Raises:
        CheckpointError: if the file is no ``.safetensors`` file in spite of its name, or describes other conditions
            than are known here.
    """
    if Path(path).suffix != ".safetensors" or not Path(path).is_file():
        return []
    try:
        return conditions_from_json(json.loads(read_metadata(path).get(_KEY, "[]")))
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: cannot tell what its network was trained to be asked for ({error}); a newer version may have "
            "written it"
        ) from error
