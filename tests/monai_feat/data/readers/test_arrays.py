# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Arrays written by NumPy and h5py, in every order of axes, against the clip that was written."""

from __future__ import annotations

import builtins
import io
import zipfile
from itertools import permutations
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from monai_feat.data import VideoReader
from monai_feat.data.limits import reading_limits
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.arrays import likely_axes
from monai_feat.data.readers.load import load_clip, open_clip

CLIP = np.random.default_rng(0).integers(0, 255, (3, 7, 5, 6), dtype=np.uint8)  # (C, T, H, W)


def ordered(axes: str) -> np.ndarray:
    return np.ascontiguousarray(CLIP.transpose(["CTHW".index(axis) for axis in axes]))


def write(path: Path, array: np.ndarray) -> Path:
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez_compressed(path, frames=array)
    else:
        with h5py.File(path, "w") as file:
            file.create_dataset("group/frames", data=array, compression="gzip")
    return path


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.h5"])
@pytest.mark.parametrize("axes", ["".join(order) for order in permutations("THWC")][::5])
def test_any_order_of_axes_is_read(tmp_path: Path, name: str, axes: str) -> None:
    path = write(tmp_path / name, ordered(axes))
    np.testing.assert_array_equal(load_clip(path, axes=axes), CLIP)
    np.testing.assert_array_equal(load_clip(path, 2, 2, 3, axes=axes), CLIP[:, 2:8:3])
    pixels, _ = (reader := VideoReader(axes=axes)).get_data(reader.read(path))
    np.testing.assert_array_equal(pixels, CLIP)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.hdf5"])
@pytest.mark.parametrize("axes", ["THWC", "TCHW", "CTHW"])
def test_usual_orders_need_no_option(tmp_path: Path, name: str, axes: str) -> None:
    np.testing.assert_array_equal(load_clip(write(tmp_path / name, ordered(axes))), CLIP)
    np.testing.assert_array_equal(load_clip(write(tmp_path / f"grey_{name}", CLIP[0])), CLIP[:1])


def test_labels_of_dimensions_in_hdf5_are_read(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for place, label in enumerate("WCTH"):
            file.require_dataset("frames", (6, 3, 7, 5), np.uint8, data=ordered("WCTH")).dims[place].label = label
    np.testing.assert_array_equal(load_clip(tmp_path / "a.h5"), CLIP)


@pytest.mark.parametrize("shape", [(3, 5, 6), (5, 6, 3), (3, 7, 5, 3), (2, 4, 5, 6), (9,)])
def test_shapes_that_leave_doubt_are_refused_with_the_option(shape: tuple[int, ...]) -> None:
    with pytest.raises(VideoReadError, match=r'the axes are not clear; say their order, such as axes="THWC"'):
        likely_axes("a.npy", shape)


def test_one_of_several_arrays_is_chosen_by_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", frames=CLIP, masks=CLIP[:1] % 2)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["frames"], file["masks"] = CLIP, CLIP[:1] % 2
    for name in ("a.npz", "a.h5"):
        np.testing.assert_array_equal(load_clip(tmp_path / name, array="masks"), CLIP[:1] % 2)
        with pytest.raises(VideoReadError, match="holds the arrays frames, masks; choose one: array="):
            open_clip(tmp_path / name)
        with pytest.raises(VideoReadError, match="there is no 'video'"):
            open_clip(tmp_path / name, array="video")


def test_options_that_do_not_belong_are_errors(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npy", CLIP)
    for axes in ("THW", "THWT", "THWX", "TTHW"):
        with pytest.raises(VideoReadError, match="expected one letter of THWC for each axis"):
            open_clip(path, axes=axes)
    with pytest.raises(ValueError, match="takes the options array, axes, got slice_index"):
        open_clip(path, slice_index=1)


def objects() -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([[print, 1]], dtype=object), allow_pickle=True)
    return file.getvalue()


def claiming(shape: tuple[int, ...]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    return file.getvalue() + bytes(100)


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("content", [objects(), claiming((10**6, 1000, 1000)), b"\x93NUMPY", b"no array"])
def test_hostile_arrays_are_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".npz":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.npy", content)
    else:
        path.write_bytes(content)
    with pytest.raises(VideoReadError, match=rf"a\{suffix}: "):
        open_clip(path).read(0, 1)


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.npz", np.zeros((1000, 32, 32), np.uint8))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("a", (1000, 32, 32), np.uint8, chunks=(1000, 32, 32), compression="gzip")
    for name in ("a.npz", "a.h5"):
        with (
            reading_limits(inflated_bytes=0),
            pytest.raises(VideoReadError, match=r"reading_limits\(inflated_bytes=…\)"),
        ):
            load_clip(tmp_path / name)


def test_hdf5_of_other_files_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "other.h5", CLIP)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["link"] = h5py.ExternalLink("other.h5", "/group/frames")
    with pytest.raises(VideoReadError, match=r"holds the arrays \(none\)"):
        open_clip(tmp_path / "a.h5")
    with pytest.raises(VideoReadError, match="there is no 'link'"):
        open_clip(tmp_path / "a.h5", array="link")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        layout = h5py.VirtualLayout((4, 5, 6), np.uint8)
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "group/frames", (4, 5, 6))
        file.create_virtual_dataset("a", layout)
    with pytest.raises(VideoReadError, match="keeps /a in other files"):
        open_clip(tmp_path / "b.h5")


def test_a_missing_library_is_named_with_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name in ("h5py", "nrrd"):
            raise ModuleNotFoundError(name)
        return there(name, *args, **kwargs)

    (tmp_path / "a.h5").write_bytes(b"x")
    (tmp_path / "a.nrrd").write_bytes(b"x")
    monkeypatch.setattr(builtins, "__import__", missing)
    for name in ("a.h5", "a.nrrd"):
        with pytest.raises(VideoReadError, match=r"pip install 'monai-feat\[formats\]'"):
            open_clip(tmp_path / name)
