# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import matplotlib.figure
import numpy as np
import pytest
from PIL import Image
from torch.utils.tensorboard import SummaryWriter

from monai_feat.visualize.curves import read_tensorboard_scalars, save_loss_curves


@pytest.fixture
def axes(monkeypatch: pytest.MonkeyPatch) -> list[matplotlib.figure.Figure]:
    """Figures that were saved."""
    figures: list[matplotlib.figure.Figure] = []
    original = matplotlib.figure.Figure.savefig

    def savefig(self: matplotlib.figure.Figure, *args: object, **kwargs: object) -> None:
        figures.append(self)
        original(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(matplotlib.figure.Figure, "savefig", savefig)
    return figures


def test_panels_scales_and_lines(tmp_path: Path, axes: list[matplotlib.figure.Figure]) -> None:
    decay = [(step, float(np.exp(-step / 100))) for step in range(1000)]
    save_loss_curves({"Wide": decay, "Signed": [(0, -1.0), (1, 100.0)], "Flat": [(5, 1.0)]}, tmp_path / "curves.png")
    panels = axes[0].axes
    assert [panel.get_title(loc="left") for panel in panels] == ["Wide", "Signed", "Flat"]
    assert [panel.get_yscale() for panel in panels] == ["log", "linear", "linear"]
    raw, smooth = panels[0].lines[:2]
    assert np.array_equal(raw.get_ydata(), [value for _, value in decay])
    assert np.allclose(smooth.get_ydata()[500], np.mean([value for _, value in decay[475:526]]))
    with Image.open(tmp_path / "curves.png") as image:
        assert image.width > image.height > 400


def test_smoothing_keeps_constants_and_order_does_not_matter(
    tmp_path: Path, axes: list[matplotlib.figure.Figure]
) -> None:
    save_loss_curves({"Constant": [(step, 2.0) for step in reversed(range(100))]}, tmp_path / "a.png")
    raw, smooth = axes[0].axes[0].lines[:2]
    assert list(raw.get_xdata()) == list(range(100))
    assert np.allclose(smooth.get_ydata(), 2.0)


def test_values_that_are_not_finite_are_marked(tmp_path: Path, axes: list[matplotlib.figure.Figure]) -> None:
    save_loss_curves({"Loss": [(0, 1.0), (1, float("nan")), (2, 2.0)]}, tmp_path / "a.png")
    raw, _, crosses = axes[0].axes[0].lines
    assert (list(raw.get_xdata()), list(crosses.get_xdata())) == ([0, 2], [1])
    save_loss_curves({"Loss": [(0, float("nan"))]}, tmp_path / "a.png")


def test_missing_curves_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="0 curves"):
        save_loss_curves({}, tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"without values: \['Loss'\]"):
        save_loss_curves({"Loss": []}, tmp_path / "a.png")


def test_tensorboard_scalars_come_back_whole(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path / "run")) as writer:
        for step in range(12_000):
            writer.add_scalar("train/loss", 1 / (step + 1), step)
        writer.add_scalar("a", 3.0, 7)
    scalars = read_tensorboard_scalars(tmp_path / "run")
    assert list(scalars) == ["a", "train/loss"]
    assert scalars["a"] == [(7, 3.0)]
    assert [step for step, _ in scalars["train/loss"]] == list(range(12_000))
    assert scalars["train/loss"][3][1] == pytest.approx(0.25)
    with pytest.raises(FileNotFoundError, match="no TensorBoard event files"):
        read_tensorboard_scalars(tmp_path)
