# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from monai_feat.metrics.features.i3d import I3DFeatures
from monai_feat.metrics.features.weights import PUBLISHED, WeightsError, fetch_weights
from monai_feat.metrics.functional.frechet import frechet_distance_from_features

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*is not a published file of i3d:UserWarning"),
]

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class StandIn(nn.Module):
    """A network with the interface of StyleGAN-V's I3D, and the preparation that is known of it."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Linear(12, 400)
        self.output = nn.Linear(400, 400)

    def forward(self, x: Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False) -> Tensor:
        if resize:
            x = F.interpolate(x, size=[x.shape[2], 28, 28], mode="trilinear", align_corners=False)
        if rescale:
            x = (x / 255) * 2 - 1
        pooled = torch.cat([x[:, :, :5].mean(dim=[2, 3, 4]), x.std(dim=[2, 3, 4]), x.amax(dim=[2, 3, 4])], dim=1)
        x = self.features(torch.cat([pooled, pooled[:, :3] ** 2], dim=1))
        return x if return_features else self.output(x).softmax(dim=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    torch.jit.script(StandIn()).save(tmp_path / "i3d.pt")
    return tmp_path / "i3d.pt"


def clips(channels: int = 3, frames: int = 16) -> Tensor:
    return torch.randint(0, 256, (3, channels, frames, 32, 32), dtype=torch.uint8)


def test_it_calls_the_network_as_stylegan_v_does(path: Path) -> None:
    pixels = clips()
    network = torch.jit.load(path).eval()
    expected = network(pixels.float(), rescale=True, resize=True, return_features=True)
    found = I3DFeatures(path, trust_script=True)(pixels)
    assert found.shape == (3, 400)
    torch.testing.assert_close(found, expected)


def test_grey_is_rgb(path: Path) -> None:
    network, grey = I3DFeatures(path, trust_script=True), clips(channels=1)
    torch.testing.assert_close(network(grey), network(grey.repeat(1, 3, 1, 1, 1)))


def test_what_it_says_of_itself(path: Path) -> None:
    network = I3DFeatures(path, num_frames=128, trust_script=True)
    assert (network.name, network.takes, network.num_features, network.num_frames) == ("i3d", "clips", 400, 128)
    assert network.identity["num_frames"] == 128
    assert len(str(network.identity["weights_sha256"])) == 64


def test_it_can_be_copied_and_pickled(path: Path) -> None:
    network, pixels = I3DFeatures(path, trust_script=True), clips()
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(twin(pixels), network(pixels))
        assert twin.identity == network.identity


def test_short_clips_are_one_line(path: Path) -> None:
    with pytest.raises(ValueError, match="i3d: expected clips of 16 frames, got 12"):
        I3DFeatures(path, trust_script=True)(clips(frames=12))
    with pytest.raises(ValueError, match="i3d: expected clips of at least 10 frames, got num_frames=9"):
        I3DFeatures(path, num_frames=9, trust_script=True)


def test_another_network_is_refused(tmp_path: Path) -> None:
    torch.jit.script(nn.Identity()).save(tmp_path / "identity.pt")
    with pytest.raises(WeightsError, match="lacks rescale, resize, return_features"):
        I3DFeatures(tmp_path / "identity.pt", trust_script=True)


def test_a_network_of_other_features_is_refused(tmp_path: Path) -> None:
    seven = StandIn()
    seven.features = nn.Linear(12, 7)
    torch.jit.script(seven).save(tmp_path / "seven.pt")
    with pytest.raises(WeightsError, match=r"features of shape \(3, 7\) for 3 inputs, expected \(3, 400\)"):
        I3DFeatures(tmp_path / "seven.pt", trust_script=True)(clips())


def test_an_unknown_program_is_refused(path: Path) -> None:
    with pytest.raises(WeightsError, match="TorchScript program of unknown origin"):
        I3DFeatures(path)


@pytest.fixture(scope="module")
def published() -> I3DFeatures:
    folder = os.environ.get("MONAI_FEAT_WEIGHTS")
    if folder is None or not (Path(folder) / PUBLISHED["i3d"].file).is_file():
        pytest.skip(f"MONAI_FEAT_WEIGHTS names no folder with {PUBLISHED['i3d'].file}")
    return I3DFeatures(fetch_weights("i3d")).to(DEVICE)


@pytest.mark.slow
def test_black_against_white_as_published(published: I3DFeatures) -> None:
    # README of github.com/JunyaoHu/common_metrics_on_video_quality: 8 black against 8 white clips of 16 frames give
    # 152.9 and, with another version of torch, 153.1. Equal clips have no covariance: only the means are left.
    black, white = (torch.full((1, 3, 16, 64, 64), level, dtype=torch.uint8, device=DEVICE) for level in (0, 255))
    distance = (published(black) - published(white)).double().square().sum()
    assert distance.item() == pytest.approx(153.0, abs=1.0)


@pytest.mark.slow
def test_noise_against_noise_as_published(published: I3DFeatures) -> None:
    # README of github.com/universome/fvd-comparison: 10.138085 by TensorFlow and by this TorchScript. Its clips are
    # floats that are neither resized nor rescaled, so the network is called by itself.
    def features(seed: int) -> Tensor:
        random = np.random.RandomState(seed)
        batches = []
        for _ in range(16):
            noise = torch.from_numpy(random.rand(8, 16, 224, 224, 3).astype(np.float32)).permute(0, 4, 1, 2, 3)
            with torch.no_grad():
                batches.append(published.network(noise.to(DEVICE), rescale=False, resize=False, return_features=True))
        return torch.cat(batches).cpu()

    distance = frechet_distance_from_features(features(2), features(1))
    assert distance.item() == pytest.approx(10.138085, rel=1e-3)
