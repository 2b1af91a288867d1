# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Where synthetic clips come from. A new kind is one function and one line here, and its name in `GeneratorKind`."""

from __future__ import annotations

from collections.abc import Callable

from monai_feat.data import ClipItem

from .bundle import reconstruct, sample_trained, train_and_ask_for_masks, train_and_sample
from .known import copy_clips, draw_noise, render_phantoms
from .nearest import nearest_clips
from .request import Request

__all__ = ["GENERATORS", "Request", "nearest_clips", "reconstruct"]

GENERATORS: dict[str, Callable[[Request], list[ClipItem]]] = {
    "bundle": train_and_sample,
    "bundle_from_masks": train_and_ask_for_masks,
    "trained": sample_trained,
    "phantoms": render_phantoms,
    "copies": copy_clips,
    "noise": draw_noise,
}
"""What makes the clips, by the kind of `study.Generator`."""
