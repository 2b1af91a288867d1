# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from monai_feat.visualize import Panel, save_panels

LINES = {"network": [(0.1, 0.01), (1.0, 0.1), (8.0, 0.5)], "filter": [(0.1, 0.02), (1.0, 0.3), (8.0, 0.8)]}


def test_a_panel_for_each_beside_one_another(tmp_path: Path) -> None:
    save_panels([Panel("error", "level", LINES, log_x=True, log_y=True)], tmp_path / "one.png")
    save_panels([Panel("error", "level", LINES), Panel("ratio", "mode", LINES, level=1.0)], tmp_path / "two.png")
    one, two = (Image.open(tmp_path / name) for name in ("one.png", "two.png"))
    assert two.size == (2 * one.width, one.height)
    assert np.asarray(one.convert("L")).std() > 10


def test_lines_are_drawn_in_their_own_colours(tmp_path: Path) -> None:
    save_panels([Panel("error", "level", LINES)], tmp_path / "lines.png")
    pixels = np.asarray(Image.open(tmp_path / "lines.png").convert("RGB")).astype(int)
    coloured = pixels[(pixels.max(-1) - pixels.min(-1)) > 120]
    assert (coloured[:, 2] > coloured[:, 0] + 80).any()  # blue
    assert (coloured[:, 0] > coloured[:, 2] + 80).any()  # orange


@pytest.mark.parametrize("panels", [[], [Panel("empty", "level", {})]])
def test_nothing_to_draw(panels: list[Panel], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected panels with lines, got"):
        save_panels(panels, tmp_path / "none.png")
    assert not list(tmp_path.iterdir())
