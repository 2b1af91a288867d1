# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from monai_feat.data import PhantomDataset, read_video, write_mp4
from monai_feat.doctor.fingerprint import (
    HASH_BITS,
    NEAR,
    THUMBNAIL,
    clip_distances,
    clip_variants,
    frame_hashes,
    near_duplicates,
    thumbnails,
)


def phantoms(kind: str, count: int, size: int = 64) -> list[Tensor]:
    dataset = PhantomDataset(kind, count, seed=5, size=size, num_frames=12)
    return [dataset.clip(i).image for i in range(count)]


def compared(clip: Tensor, frames: int = 6) -> Tensor:
    thumbs = thumbnails(clip)
    return thumbs[np.linspace(0, len(thumbs) - 1, frames).round().astype(int)]


def distance(first: Tensor, second: Tensor) -> float:
    return float(clip_distances(clip_variants(compared(first)), frame_hashes(compared(second))[None]))


def test_thumbnails_are_area_means_of_luma() -> None:
    frames = torch.randint(0, 256, (3, 2, 2 * THUMBNAIL, 4 * THUMBNAIL), dtype=torch.uint8)
    luma = 0.299 * frames[0].float() + 0.587 * frames[1].float() + 0.114 * frames[2].float()
    means = luma.reshape(2, THUMBNAIL, 2, THUMBNAIL, 4).mean((2, 4))
    torch.testing.assert_close(thumbnails(frames), means)
    assert torch.equal(thumbnails(frames[:1].expand(3, -1, -1, -1)).round(), thumbnails(frames[:1]).round())


def test_hash_is_the_sign_of_scipys_dct() -> None:
    fft = pytest.importorskip("scipy.fft")
    thumbs = torch.rand(3, THUMBNAIL, THUMBNAIL) * 255
    spectrum = fft.dctn(thumbs.numpy(), axes=(1, 2))[:, :16, :16].reshape(3, -1)[:, 1:]
    assert frame_hashes(thumbs).shape == (3, HASH_BITS)
    assert (frame_hashes(thumbs).numpy() == np.where(spectrum >= 0, 1, -1)).mean() > 0.999


def test_mirrored_copies_are_identical_and_distance_is_symmetric_in_time() -> None:
    (clip,) = phantoms("endoscopy", 1)
    for dims in ([-1], [-2], [-1, -2]):
        assert distance(clip, clip.flip(dims)) < 0.005
    assert distance(clip, clip.flip(1)) == 0


def test_variants_hold_the_clip_itself() -> None:
    thumbs = compared(phantoms("ultrasound", 1)[0])
    variants = clip_variants(thumbs)
    assert variants.shape == (4 * 9 * 9, 6, HASH_BITS)
    assert any(torch.equal(variant, frame_hashes(thumbs)) for variant in variants)


def recompress(folder: Path, crf: int) -> Callable[[Tensor], Tensor]:
    def through_file(clip: Tensor) -> Tensor:
        write_mp4(clip, folder / "copy.mp4", 10, crf=crf)
        return read_video(folder / "copy.mp4")

    return through_file


@pytest.mark.parametrize("kind", ["ultrasound", "endoscopy"])
def test_threshold_parts_copies_from_other_clips(kind: str, tmp_path: Path) -> None:
    """The figures beside NEAR and in docs/datalists.md, on fewer clips: no false alarm, all copies but one in fifty."""
    clips = phantoms(kind, 7, size=96)
    others = list(near_duplicates([compared(clip) for clip in clips], threshold=1.0))
    assert len(others) == 21
    assert sum(d <= NEAR for _, _, d in others) == 0
    copies: dict[str, Callable[[Tensor], Tensor]] = {
        "recompressed": recompress(tmp_path, 35),
        "mirrored and recompressed": lambda clip: recompress(tmp_path, 28)(clip.flip(-1)),
        "moved by 3 %": lambda clip: torch.roll(clip, (3, 3), (-1, -2)),
        "brighter": lambda clip: (clip.float() * 0.8 + 20).to(torch.uint8),
    }
    found = [distance(clip, make(clip)) <= NEAR for make in copies.values() for clip in clips]
    assert np.mean(found) >= 0.98


def test_pairs_are_reported_once_with_their_distance() -> None:
    first, second = phantoms("endoscopy", 2)
    pairs = list(near_duplicates([compared(c) for c in (first, second, first.flip(-1), second)]))
    assert [(i, j) for i, j, _ in pairs] == [(0, 2), (1, 3)]
    assert pairs[1][2] == 0
    assert list(near_duplicates([])) == []
