# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Schedulers whose respaced chains keep the right variance; rectified flow is MONAI's `RFlowScheduler`."""

from __future__ import annotations

from monai_feat.networks.schedulers.flow_multistep import FlowMultistepScheduler
from monai_feat.networks.schedulers.respaced import RespacedScheduler
from monai_feat.networks.schedulers.respaced_ddim import RespacedDDIMScheduler
from monai_feat.networks.schedulers.respaced_ddpm import RespacedDDPMScheduler
from monai_feat.networks.schedulers.respaced_multistep import RespacedMultistepScheduler

__all__ = [
    "FlowMultistepScheduler",
    "RespacedDDIMScheduler",
    "RespacedDDPMScheduler",
    "RespacedMultistepScheduler",
    "RespacedScheduler",
]
