# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from monai_feat.apps.auto3dseg import ClipStats, analyze_clips, read_stats, write_stats
from monai_feat.data import VideoReadError


def pair(folder: Path, picture: object, mask: object, suffix: str = "png") -> dict[str, Any]:
    for name, values in (("image", picture), ("label", mask)):
        Image.fromarray(np.asarray(values, np.uint8)).save(folder / f"{name}.{suffix}")
    return {"image": folder / f"image.{suffix}", "label": folder / f"label.{suffix}"}


def test_grey_clips_stored_as_colour(items: list[dict[str, Any]]) -> None:
    assert analyze_clips(items) == ClipStats(4, num_classes=2, image_channels=1, rows=32, columns=32, frames=8)


def test_coloured_stills_with_three_classes(tmp_path: Path) -> None:
    colours = np.zeros((24, 40, 3))
    colours[..., 0] = 200
    classes = np.arange(40)[None].repeat(24, 0) % 3
    assert analyze_clips([pair(tmp_path, colours, classes)]) == ClipStats(1, 3, 3, 24, 40, 1)


def test_black_and_white_are_two_classes_in_jpeg_too(tmp_path: Path) -> None:
    mask = 255 * (np.arange(40)[None].repeat(24, 0) > 20)
    assert analyze_clips([pair(tmp_path, mask, mask, "jpg")]).num_classes == 2


def test_a_legend_says_how_many_classes_there_are(tmp_path: Path) -> None:
    levels = 100 * (np.arange(40)[None].repeat(24, 0) % 3)
    item = pair(tmp_path, levels, levels)
    assert analyze_clips([item], {"0": 0, "100": 2, "200": 255}).num_classes == 3
    with pytest.raises(VideoReadError, match="holds the value"):
        analyze_clips([item])


def test_stats_read_back(tmp_path: Path) -> None:
    stats = ClipStats(4, 2, 1, 32, 48, 8)
    write_stats(stats, tmp_path / "datastats.yaml")
    assert read_stats(tmp_path / "datastats.yaml") == stats
    assert read_stats(tmp_path / "nothing.yaml") is None
    (tmp_path / "volumes.yaml").write_text("stats_summary: {n_cases: 2}")
    assert read_stats(tmp_path / "volumes.yaml") is None


def test_what_holds_no_classes_is_refused(tmp_path: Path, items: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="got 4 clips, and none has a label"):
        analyze_clips([{"image": item["image"]} for item in items])
    with pytest.raises(VideoReadError, match="holds the value 100"):
        analyze_clips([pair(tmp_path, np.zeros((8, 8)), np.full((8, 8), 100))])
