# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What stands in the three places of a layer of FEAT: mixers over space, over time, and of channels, by name.

Each is one file, registered by `register_mixer`; networks know none by itself.
"""

from __future__ import annotations

from .channel_attention import ChannelAttention
from .depthwise_pyramid import DepthwisePyramid
from .frequency_excitation import FrequencyExcitation
from .gated_recurrence import GatedRecurrence
from .guided_mixing import GuidedMixing
from .haar import HaarMixing
from .no_mixing import NoMixing
from .registry import MixerChoice, build_mixer, mixer_names, register_mixer
from .slot import Axis, Slot
from .softmax import SoftmaxMixing
from .spectral import SpectralMixing
from .squeeze_excitation import SqueezeExcitation
from .weighted_key_value import SpatialWeightedKeyValue, TemporalWeightedKeyValue, WeightedKeyValue

__all__ = [
    "Axis",
    "ChannelAttention",
    "DepthwisePyramid",
    "FrequencyExcitation",
    "GatedRecurrence",
    "GuidedMixing",
    "HaarMixing",
    "MixerChoice",
    "NoMixing",
    "Slot",
    "SoftmaxMixing",
    "SpatialWeightedKeyValue",
    "SpectralMixing",
    "SqueezeExcitation",
    "TemporalWeightedKeyValue",
    "WeightedKeyValue",
    "build_mixer",
    "mixer_names",
    "register_mixer",
]
