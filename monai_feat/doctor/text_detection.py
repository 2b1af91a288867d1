# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Text that is burnt into frames: by RapidOCR where it is installed, by our own detector elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
import torch
from monai.utils import optional_import
from torch import Tensor

from monai_feat.transforms.endoscopy.field_of_view import Box
from monai_feat.transforms.endoscopy.text import find_text

__all__ = ["Detector", "DetectorChoice", "choose_detector", "find_text_boxes", "mask_boxes", "read_text_boxes"]

Detector = Literal["own", "rapidocr"]
DetectorChoice = Literal["auto", "own", "rapidocr"]
_CONFIDENCE = 0.5
_READ_FRAMES = 2  # by RapidOCR, which takes a second for each
_LEAST_READ = 2  # characters
_MARGIN = 2
# RapidOCR enlarges frames with a shorter side below it, so that small letters are found. Its own value, 736, takes
# twice as long for frames of 600 x 600; with a cap of 640 it read text on the same 12 stills.
_LEAST_SIDE = 480


def choose_detector(choice: DetectorChoice = "auto") -> Detector:
    """Return the detector to use; ``auto`` is RapidOCR where it is installed.

    Raises:
        ValueError: there is no such detector, or RapidOCR is asked for and not installed.
    """
    if choice not in get_args(DetectorChoice):
        raise ValueError(f"expected one of {', '.join(get_args(DetectorChoice))}, got {choice!r}")
    is_installed = optional_import("rapidocr")[1] and optional_import("onnxruntime")[1]
    if choice == "rapidocr" and not is_installed:
        raise ValueError("rapidocr is not installed: pip install monai-feat[text]")
    return "rapidocr" if is_installed and choice != "own" else "own"


def find_text_boxes(frames: Tensor, detector: Detector = "own") -> list[Box]:
    """Find boxes of text that stays in place; the one place where the doctor's detector of text is used.

    Args:
        frames: frames of one clip, uint8 ``(C, T, H, W)``.
        detector: see `choose_detector`. Our own finds light text of at least four characters; RapidOCR's model any.

    Returns:
        ``(top, left, bottom, right)`` in pixels.
    """
    own = [box for box, confidence in find_text(frames.to(torch.float32).numpy()) if confidence >= _CONFIDENCE]
    if detector == "own":
        return own
    steps = np.unique(np.linspace(0, frames.shape[1] - 1, _READ_FRAMES).round().astype(int))
    return own + [box for step in steps for box in read_text_boxes(frames[:, step])]


def mask_boxes(frame: Tensor, boxes: Sequence[Box]) -> Tensor:
    """Return a frame ``(C, H, W)`` with boxes, and a margin of 2 pixels around them, black."""
    masked = frame.clone()
    for top, left, bottom, right in boxes:
        masked[..., max(0, top - _MARGIN) : bottom + _MARGIN, max(0, left - _MARGIN) : right + _MARGIN] = 0
    return masked


def read_text_boxes(frame: Tensor) -> list[Box]:
    """Return the boxes of a frame, uint8 ``(C, H, W)``, in which RapidOCR reads at least two characters."""
    picture = frame.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()[..., ::-1]  # it wants BGR
    result = _engine()(np.ascontiguousarray(picture), use_cls=False)
    if result.boxes is None:
        return []
    found = []
    for corners, text in zip(result.boxes, result.txts or [""] * len(result.boxes), strict=True):
        if len(text.strip()) >= _LEAST_READ:
            (left, top), (right, bottom) = np.min(corners, axis=0), np.max(corners, axis=0)
            found.append((max(0, int(top)), max(0, int(left)), int(np.ceil(bottom)), int(np.ceil(right))))
    return found


@lru_cache(maxsize=1)
def _engine() -> Any:
    module, _ = optional_import("rapidocr")
    threads = dict.fromkeys(("intra_op_num_threads", "inter_op_num_threads"), torch.get_num_threads())
    options = {f"EngineConfig.onnxruntime.{name}": number for name, number in threads.items()}
    options["Det.limit_side_len"] = _LEAST_SIDE
    return module.RapidOCR(params={"Global.log_level": "error", **options})
