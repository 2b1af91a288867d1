# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Building blocks of FEAT; activations are ``(B, T, H, W, C)`` throughout."""

from __future__ import annotations

from .adaptive_norm import AdaptiveBlock, AdaptiveModulation, LayerScaledAdaptiveBlock, modulate
from .depthwise_conv import FrameDepthwiseConv, TemporalDepthwiseConv
from .embeddings import PatchEmbedding, ScaledSiLU, TimestepEmbedding, unpatchify
from .gated_feed_forward import GatedFeedForward
from .level_skip import LevelConditionedSkip

__all__ = [
    "AdaptiveBlock",
    "AdaptiveModulation",
    "FrameDepthwiseConv",
    "GatedFeedForward",
    "LayerScaledAdaptiveBlock",
    "LevelConditionedSkip",
    "PatchEmbedding",
    "ScaledSiLU",
    "TemporalDepthwiseConv",
    "TimestepEmbedding",
    "modulate",
    "unpatchify",
]
