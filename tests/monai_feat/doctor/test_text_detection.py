# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.utils import optional_import
from PIL import Image, ImageDraw, ImageFont

from monai_feat.data import PhantomDataset
from monai_feat.doctor.text_detection import choose_detector, find_text_boxes, mask_boxes

HAS_OCR = optional_import("rapidocr")[1] and optional_import("onnxruntime")[1]


def test_text_is_found_where_it_is_and_nowhere_else() -> None:
    image = PhantomDataset("ultrasound", 1, size=192, num_frames=4).clip(0).image
    assert find_text_boxes(image) == []
    stamp = Image.new("L", (192, 192))
    ImageDraw.Draw(stamp).text((4, 168), "DOE JANE 1970", fill=255, font=ImageFont.load_default(14))
    written = torch.maximum(image, torch.from_numpy(np.array(stamp)))
    assert any(top >= 160 and left < 20 and right > 60 for top, left, _, right in find_text_boxes(written))


def test_boxes_and_a_margin_become_black() -> None:
    frame = torch.full((1, 20, 30), 9, dtype=torch.uint8)
    masked = mask_boxes(frame, [(5, 6, 8, 10), (0, 0, 1, 1)])
    expected = frame.clone()
    expected[:, 3:10, 4:12] = 0
    expected[:, 0:3, 0:3] = 0
    assert torch.equal(masked, expected)
    assert frame.min() == 9


def test_detectors_are_chosen_by_what_is_there() -> None:
    assert choose_detector("own") == "own"
    assert choose_detector("auto") == ("rapidocr" if HAS_OCR else "own")
    with pytest.raises(ValueError, match="expected one of auto, own, rapidocr, got 'tesseract'"):
        choose_detector("tesseract")  # type: ignore[arg-type]
    if not HAS_OCR:
        with pytest.raises(ValueError, match=r"rapidocr is not installed: pip install monai-feat\[text\]"):
            choose_detector("rapidocr")


@pytest.mark.skipif(not HAS_OCR, reason="rapidocr and onnxruntime are not installed")
def test_rapidocr_reads_dark_and_vertical_text_too() -> None:
    picture = Image.new("RGB", (256, 192), (200, 190, 180))
    ImageDraw.Draw(picture).text((20, 60), "Doe, Jane", (20, 20, 20), ImageFont.load_default(24))
    frames = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[:, None]
    assert find_text_boxes(frames, "own") == []
    ((top, left, bottom, right),) = find_text_boxes(frames, "rapidocr")
    assert top < 70 < bottom
    assert left < 40
    assert right > 90
