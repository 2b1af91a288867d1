# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from monai_feat.metrics.features.published import PublishedFeatures
from monai_feat.metrics.features.weights import PUBLISHED, PublishedWeights


class Mean(PublishedFeatures):
    """Mean of each channel, by a network that behaves otherwise while it is trained."""

    name = "mean"
    num_features = 3
    published = ("i3d",)
    preparation = "none"

    def __init__(self, path: Path, takes: Literal["clips", "frames"] = "clips") -> None:
        self.takes = takes
        super().__init__(nn.Sequential(nn.Dropout(), nn.Linear(3, 3)), path)
        self.num_frames = 4 if takes == "clips" else None

    def features(self, pixels: Tensor) -> Tensor:
        found: Tensor = self.network(pixels.double().flatten(2).mean(dim=2).float())
        return found


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that passes for a published one."""
    (tmp_path / "weights").write_bytes(b"numbers")
    digest = hashlib.sha256(b"numbers").hexdigest()
    monkeypatch.setitem(PUBLISHED, "i3d", PublishedWeights("https://host/file.pt", digest, 7, "", ""))
    return tmp_path / "weights"


def clips(channels: int = 3, frames: int = 4, height: int = 6, width: int = 6) -> Tensor:
    return torch.randint(0, 256, (5, channels, frames, height, width), dtype=torch.uint8)


def test_it_is_frozen_whatever_is_asked_for(path: Path) -> None:
    network = Mean(path).train()
    assert not any(module.training for module in network.modules())
    pixels = clips()
    first = network(pixels)
    assert torch.equal(first, network(pixels))
    assert not first.requires_grad


def test_autocast_around_it_does_not_lower_precision(path: Path) -> None:
    network, pixels = Mean(path), clips()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(network(pixels), network(pixels))
        found = network(pixels)
    assert found.dtype == torch.float32
    assert torch.equal(found, network(pixels))


def test_any_batch_gives_the_same(path: Path) -> None:
    network, pixels = Mean(path), clips()
    torch.testing.assert_close(torch.cat([network(clip[None]) for clip in pixels]), network(pixels))


def test_grey_is_rgb_of_equal_channels(path: Path) -> None:
    network, grey = Mean(path), clips(channels=1)
    assert torch.equal(network(grey), network(grey.repeat(1, 3, 1, 1, 1)))


def test_identity_holds_the_hash_of_the_file(path: Path) -> None:
    assert Mean(path).identity == {
        "name": "mean",
        "weights_sha256": hashlib.sha256(b"numbers").hexdigest(),
        "num_frames": 4,
        "preparation": "none",
    }


def test_another_file_than_the_published_is_told(path: Path) -> None:
    path.write_bytes(b"other numbers")
    with pytest.warns(UserWarning, match="is not a published file of mean"):
        Mean(path)


def test_it_can_be_pickled(path: Path) -> None:
    network, pixels = Mean(path), clips()
    assert torch.equal(pickle.loads(pickle.dumps(network))(pixels), network(pixels))


@pytest.mark.parametrize(
    ("pixels", "complaint"),
    [
        (clips(frames=3), "expected clips of 4 frames, got 3; cut longer clips and leave out shorter ones"),
        (clips(frames=9), "expected clips of 4 frames, got 9"),
        (clips(height=8), "expected square frames, got 8 x 6"),
        (clips(channels=2), "expected grey or RGB pixels"),
        (clips()[0], r"expected clips \(B, C, T, H, W\), got shape \(3, 4, 6, 6\)"),
    ],
)
def test_wrong_clips_are_one_line(path: Path, pixels: Tensor, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Mean(path)(pixels)


def test_wrong_frames_are_one_line(path: Path) -> None:
    network = Mean(path, takes="frames")
    assert network(clips()[:, :, 0]).shape == (5, 3)
    with pytest.raises(ValueError, match=r"expected frames \(N, C, H, W\)"):
        network(clips())


def test_float_pixels_are_refused(path: Path) -> None:
    with pytest.raises(TypeError, match=r"expected uint8 pixels in \[0, 255\], got torch.float32"):
        Mean(path)(clips().float())
