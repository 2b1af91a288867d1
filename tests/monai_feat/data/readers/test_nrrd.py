# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""NRRD as pynrrd and 3D Slicer write it, against the pixels that were written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nrrd
import numpy as np
import pytest
import torch

from monai_feat.data.limits import reading_limits
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.load import load_clip, open_clip

CLIP = np.random.default_rng(0).integers(0, 255, (7, 5, 6), dtype=np.uint8)  # (T, H, W)


def written(path: Path, array: np.ndarray, detached: str | None = None, **header: Any) -> Path:
    """An array in NRRD's order of axes."""
    nrrd.write(str(path), array, {"encoding": "raw", **header}, detached_header=detached is not None)
    return path


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, ">u2"])
def test_a_stack_is_a_clip(tmp_path: Path, encoding: str, dtype: Any) -> None:
    path = written(tmp_path / "a.nrrd", CLIP.T.astype(dtype), encoding=encoding, spacings=[0.3, 0.2, 4.0])
    clip = open_clip(path)
    assert (clip.frame_rate, clip.spacing) == (0, pytest.approx((0.2, 0.3)))
    np.testing.assert_array_equal(clip.read()[0], CLIP)
    np.testing.assert_array_equal(clip.read(2, 2, 3)[0], CLIP[2:8:3])


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_sequence_of_slicer_is_a_clip(tmp_path: Path, encoding: str, channels: int) -> None:
    frames = np.stack([CLIP] * channels, axis=-1) + np.arange(channels, dtype=np.uint8)  # (T, H, W, C)
    space = np.diag([0.3, 0.2, 1.0])
    none = np.full((1, 3), np.nan)
    if channels == 1:  # the list first, then a volume of one slice
        array, kinds = frames[..., 0].transpose(0, 2, 1)[..., None], ["list", "domain", "domain", "domain"]
        directions = np.concatenate([none, space])
    else:
        array = frames.transpose(3, 2, 1, 0)[:, :, :, None]
        kinds, directions = ["RGB-color", "domain", "domain", "domain", "list"], np.concatenate([none, space, none])
    axis = kinds.index("list")
    header = {
        "kinds": kinds,
        "space": "left-posterior-superior",
        "space directions": directions,
        f"axis {axis} index type": "numeric",
        f"axis {axis} index values": " ".join(str(0.05 * i) for i in range(7)),
    }
    clip = open_clip(written(tmp_path / "a.seq.nrrd", array, encoding=encoding, **header))
    assert (clip.channels, clip.size) == (channels, (5, 6))
    assert clip.frame_rate == pytest.approx(20)
    assert clip.spacing == pytest.approx((0.2, 0.3))
    np.testing.assert_array_equal(clip.read().permute(1, 2, 3, 0), frames)
    assert torch.equal(clip.read(3, 1)[:, 0], clip.read()[:, 3])


def test_pixels_may_lie_beside_the_header(tmp_path: Path) -> None:
    written(tmp_path / "a.nhdr", CLIP.T, detached="")
    np.testing.assert_array_equal(load_clip(tmp_path / "a.nhdr")[0], CLIP)
    text = (tmp_path / "a.nhdr").read_text()
    (tmp_path / "b.nhdr").write_text(text.replace("data file: a.raw", "data file: ../a.raw"))
    with pytest.raises(VideoReadError, match="is not one file beside it"):
        open_clip(tmp_path / "b.nhdr")


def test_values_of_masks_are_those_that_are_stored(tmp_path: Path) -> None:
    labels = (CLIP.T % 3).astype(np.int16) * 1000
    (values,) = open_clip(written(tmp_path / "a.nrrd", labels)).iter_values([2])
    np.testing.assert_array_equal(values[0], labels[..., 2].T)


@pytest.mark.parametrize(
    ("sizes", "header", "message"),
    [
        ((6, 5, 4, 7), {"kinds": ["domain", "domain", "domain", "time"]}, "one slice over time"),
        ((3, 6, 5), {}, "no kinds, which may be colour first"),
        ((6, 5, 7), {"encoding": "bzip2"}, "encoded as bzip2; expected raw or gzip"),
    ],
)
def test_what_is_no_clip_is_refused(
    tmp_path: Path, sizes: tuple[int, ...], header: dict[str, Any], message: str
) -> None:
    with pytest.raises(VideoReadError, match=message):
        open_clip(written(tmp_path / "a.nrrd", np.zeros(sizes, np.uint8), **header))


def test_sizes_that_are_only_claimed_are_refused(tmp_path: Path) -> None:
    for encoding in ("raw", "gzip"):
        path = written(tmp_path / f"{encoding}.nrrd", CLIP.T, encoding=encoding)
        path.write_bytes(path.read_bytes().replace(b"sizes: 6 5 7", b"sizes: 6 5 700"))
        with pytest.raises(VideoReadError, match="is truncated"):
            load_clip(path)
    written(tmp_path / "bomb.nrrd", np.zeros((64, 64, 500), np.uint8), encoding="gzip")
    with reading_limits(inflated_bytes=0), pytest.raises(VideoReadError, match=r"reading_limits\(inflated_bytes=…\)"):
        load_clip(tmp_path / "bomb.nrrd")
    (tmp_path / "text.nrrd").write_text("no NRRD")
    with pytest.raises(VideoReadError, match=r"text\.nrrd: is NRRD with a damaged header"):
        open_clip(tmp_path / "text.nrrd")
