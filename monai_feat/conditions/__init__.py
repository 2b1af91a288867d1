# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a network can be asked for: classes, numbers, first frames, mask sequences; each with its own bounds.

A condition is a description, without weights. It says what values it takes, which block embeds them, where training
takes them from, and how a prompt is read; each kind is one file, registered by `register_condition`. Networks, training
and sampling know no kind by itself. −1 stands for "none" in the values of all (`NONE`).
"""

from __future__ import annotations

from monai_feat.conditions.class_label import ClassCondition, ClassEmbedding
from monai_feat.conditions.condition import Condition, Draws, PromptClips, check_names, describe_conditions, is_index
from monai_feat.conditions.context import NONE, Context, map_context
from monai_feat.conditions.embedding import ConditionEmbedding
from monai_feat.conditions.first_frames import FirstFramesCondition, FirstFramesEmbedding
from monai_feat.conditions.mask import MaskCondition, MaskEmbedding
from monai_feat.conditions.registry import (
    condition_kinds,
    conditions_from_json,
    conditions_to_json,
    register_condition,
)
from monai_feat.conditions.scalar import ScalarCondition, ScalarEmbedding
from monai_feat.conditions.training import drop_conditions, training_context

__all__ = [
    "NONE",
    "ClassCondition",
    "ClassEmbedding",
    "Condition",
    "ConditionEmbedding",
    "Context",
    "Draws",
    "FirstFramesCondition",
    "FirstFramesEmbedding",
    "MaskCondition",
    "MaskEmbedding",
    "PromptClips",
    "ScalarCondition",
    "ScalarEmbedding",
    "check_names",
    "condition_kinds",
    "conditions_from_json",
    "conditions_to_json",
    "describe_conditions",
    "drop_conditions",
    "is_index",
    "map_context",
    "register_condition",
    "training_context",
]
