# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from monai_feat.data.clip_folder import ClipFolderDataset
from monai_feat.data.datalist import ClipItem, Datalist, read_datalist, write_datalist
from monai_feat.data.read_error import VideoReadError
from monai_feat.data.readers.clip_address import split_address
from monai_feat.data.readers.load import load_clip, open_clip
from monai_feat.doctor.examination import examine


@pytest.fixture
def arrays(tmp_path: Path) -> Path:
    """Two clips in one archive, with axes that their shapes do not tell."""
    noise = np.random.default_rng(0).integers(0, 255, (2, 24, 20, 3), dtype=np.uint8)
    np.savez(tmp_path / "two.npz", first=noise[0], second=noise[1])
    return tmp_path / "two.npz"


def test_an_address_is_what_options_say(arrays: Path) -> None:
    for name in ("first", "second"):
        said = load_clip(f"{arrays}#array={name}&axes=HWT")
        assert said.shape == (1, 3, 24, 20)
        assert torch.equal(said, load_clip(arrays, array=name, axes="HWT"))
    assert open_clip(f"{arrays}#array=first", axes="HWC").frames == 1


def test_a_file_of_the_whole_name_is_itself(arrays: Path) -> None:
    odd = arrays.with_name("a#array=b.npy")
    np.save(odd, np.zeros((5, 24, 20), np.uint8))
    assert split_address(odd) == (odd, {})
    assert open_clip(odd).frames == 5
    assert split_address("case #3/clip.mp4") == (Path("case #3/clip.mp4"), {})
    assert split_address("a.h5#array=x/y%26z") == (Path("a.h5"), {"array": "x/y&z"})


def test_datalists_hold_addresses(arrays: Path) -> None:
    items = [ClipItem(arrays.with_name(f"two.npz#array={name}&axes=HWT"), group=name) for name in ("first", "second")]
    write_datalist(Datalist(tuple(items)), arrays.with_name("d.json"))
    training = read_datalist(arrays.with_name("d.json")).training
    assert [item.image for item in training] == [item.image for item in items]
    clips = ClipFolderDataset(arrays.with_name("d.json"), 3, (24, 20), 1, progress=False)
    assert len(clips) == 2
    assert not torch.equal(clips[0]["image"], clips[1]["image"])
    diagnosis = examine(read_datalist(arrays.with_name("d.json")), progress=False)
    assert not [finding for finding in diagnosis.findings if finding.kind == "unreadable"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("array=first&axis=HWT", "expected each of array, axes, slice_index once at most"),
        ("axes=HWT&axes=HWT", "once at most"),
        ("slice_index=two", "says slice_index=two; expected a whole number"),
        ("slice_index=2", "takes the options array, axes"),
        ("array=third&axes=HWT", "holds the arrays first, second; there is no 'third'"),
    ],
)
def test_what_an_address_cannot_say_is_an_error_of_reading(arrays: Path, said: str, message: str) -> None:
    with pytest.raises(VideoReadError, match=message):
        open_clip(f"{arrays}#{said}")
