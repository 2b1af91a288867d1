# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from monai_feat.metrics.features.video_mae import VideoMAE, VideoMAEFeatures, resize_for_cdfvd
from monai_feat.metrics.features.weights import PUBLISHED, WeightsError, fetch_weights

pytestmark = pytest.mark.filterwarnings("ignore:.*is not a published file of video_mae:UserWarning")

LAYERS = 2


def small() -> VideoMAE:
    return VideoMAE(
        frame_size=28, num_frames=4, patch_size=14, hidden_size=48, num_layers=LAYERS, num_heads=4, mlp_ratio=48 / 11
    )


def published_names(num_layers: int) -> list[str]:
    """Names in the checkpoints of VideoMAE V2 that were fine-tuned for classification."""
    block = [
        *("norm1.weight", "norm1.bias", "attn.q_bias", "attn.v_bias", "attn.qkv.weight"),
        *("attn.proj.weight", "attn.proj.bias", "norm2.weight", "norm2.bias"),
        *("mlp.fc1.weight", "mlp.fc1.bias", "mlp.fc2.weight", "mlp.fc2.bias"),
    ]
    blocks = [f"blocks.{index}.{name}" for index in range(num_layers) for name in block]
    ends = ["fc_norm.weight", "fc_norm.bias", "head.weight", "head.bias"]
    return ["patch_embed.proj.weight", "patch_embed.proj.bias", *blocks, *ends]


@pytest.fixture
def state() -> dict[str, Tensor]:
    """A checkpoint as it was published: in half precision, and with its classifier."""
    network = small()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)
    state = network.state_dict() | {"head.weight": torch.rand(174, 48), "head.bias": torch.rand(174)}
    return {name: value.half() for name, value in state.items()}


@pytest.fixture
def path(state: dict[str, Tensor], tmp_path: Path) -> Path:
    torch.save({"module": state}, tmp_path / "video_mae.pth")
    return tmp_path / "video_mae.pth"


def clips(channels: int = 3, frames: int = 4, side: int = 32) -> Tensor:
    return torch.randint(0, 256, (2, channels, frames, side, side), dtype=torch.uint8)


def run_slowly(state: dict[str, Tensor], clip: Tensor, num_heads: int = 4) -> Tensor:
    """One clip (3, T, H, W) through the network, token by token and head by head."""
    weight = {name: value.double() for name, value in state.items()}
    kernel = weight["patch_embed.proj.weight"]  # (D, 3, 2, 14, 14)
    size = len(kernel)
    tokens = []
    for t in range(0, clip.shape[1], 2):
        for y in range(0, clip.shape[2], 14):
            for x in range(0, clip.shape[3], 14):
                tubelet = clip[:, t : t + 2, y : y + 14, x : x + 14].double()
                token = (kernel * tubelet).sum(dim=(1, 2, 3, 4)) + weight["patch_embed.proj.bias"]
                angles = [len(tokens) / 10000 ** (2 * (d // 2) / size) for d in range(size)]
                code = [math.cos(a) if d % 2 else math.sin(a) for d, a in enumerate(angles)]
                tokens.append(token + torch.tensor(code, dtype=torch.float64))
    x = torch.stack(tokens)  # (L, D)
    for index in range(LAYERS):
        part = {name.removeprefix(f"blocks.{index}."): value for name, value in weight.items()}
        x = x + attend_slowly(F.layer_norm(x, (size,), part["norm1.weight"], part["norm1.bias"], 1e-6), part, num_heads)
        y = F.layer_norm(x, (size,), part["norm2.weight"], part["norm2.bias"], 1e-6)
        y = y @ part["mlp.fc1.weight"].T + part["mlp.fc1.bias"]
        x = x + (0.5 * y * (1 + torch.erf(y / 2**0.5))) @ part["mlp.fc2.weight"].T + part["mlp.fc2.bias"]
    return F.layer_norm(x.mean(dim=0), (size,), weight["fc_norm.weight"], weight["fc_norm.bias"], 1e-6)


def attend_slowly(x: Tensor, part: dict[str, Tensor], num_heads: int) -> Tensor:
    query, key, value = part["attn.qkv.weight"].chunk(3)
    q, k, v = x @ query.T + part["attn.q_bias"], x @ key.T, x @ value.T + part["attn.v_bias"]
    width = x.shape[1] // num_heads
    heads = []
    for head in range(num_heads):
        mine = slice(head * width, (head + 1) * width)
        scores = torch.stack([torch.stack([(a * b).sum() for b in k[:, mine]]) for a in q[:, mine]]) / width**0.5
        heads.append((scores.exp() / scores.exp().sum(dim=1, keepdim=True)) @ v[:, mine])
    return torch.cat(heads, dim=1) @ part["attn.proj.weight"].T + part["attn.proj.bias"]


def test_the_network_is_its_slow_twin(path: Path, state: dict[str, Tensor]) -> None:
    network = VideoMAEFeatures(path, small()).network
    clip = torch.rand(3, 4, 28, 28)
    with torch.no_grad():
        found = network(clip[None])[0]
    torch.testing.assert_close(found.double(), run_slowly(state, clip), rtol=1e-4, atol=1e-4)


def test_names_are_those_of_the_published_file() -> None:
    with torch.device("meta"):
        giant = VideoMAE()
    names = set(published_names(num_layers=40)) - {"head.weight", "head.bias"}
    assert set(giant.state_dict()) == names
    assert giant.state_dict()["patch_embed.proj.weight"].shape == (1408, 3, 2, 14, 14)
    assert giant.state_dict()["blocks.39.mlp.fc1.weight"].shape == (6144, 1408)
    assert giant.position.shape == (2048, 1408)
    # In half precision, with the classifier of 174 classes, they fill the published file but for its index.
    size = 2 * sum(parameter.numel() for parameter in giant.parameters()) + 2 * 174 * 1409
    assert 0 < PUBLISHED["video_mae"].bytes - size < 2e5


def test_pixels_are_prepared_as_cd_fvd_does(path: Path) -> None:
    network, pixels = VideoMAEFeatures(path, small()), clips(side=40)
    prepared = network.prepare(pixels)
    assert prepared.shape == (2, 3, 4, 28, 28)
    for clip, expected in zip(prepared, pixels, strict=True):
        torch.testing.assert_close(clip, F.interpolate(expected.float() / 255, (28, 28), mode="bilinear"))
    same = clips(side=28)
    assert torch.equal(network.prepare(same), same / 255)


def test_features_are_those_of_the_network(path: Path, state: dict[str, Tensor]) -> None:
    network, pixels = VideoMAEFeatures(path, small()), clips(side=28)
    found = network(pixels)
    assert found.shape == (2, 48)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[1].double(), run_slowly(state, pixels[1] / 255), rtol=1e-4, atol=1e-4)
    grey = clips(channels=1)
    torch.testing.assert_close(network(grey), network(grey.repeat(1, 3, 1, 1, 1)))


def test_what_it_says_of_itself(path: Path) -> None:
    network = VideoMAEFeatures(path, small())
    assert (network.name, network.takes, network.num_features, network.num_frames) == ("video_mae", "clips", 48, 4)
    assert "28 px" in str(network.identity["preparation"])


def test_safetensors_will_do(state: dict[str, Tensor], path: Path, tmp_path: Path) -> None:
    save_file(state, tmp_path / "video_mae.safetensors")
    pixels = clips()
    first, second = (VideoMAEFeatures(tmp_path / name, small()) for name in (path.name, "video_mae.safetensors"))
    assert torch.equal(first(pixels), second(pixels))
    assert first.identity != second.identity


def test_loading_is_strict(state: dict[str, Tensor], tmp_path: Path) -> None:
    state["blocks.1.attn.k_bias"] = state.pop("blocks.1.attn.q_bias")
    state["norm.weight"] = torch.zeros(48)
    torch.save(state, tmp_path / "renamed.pth")
    with pytest.raises(WeightsError, match=r"2 unused: blocks.1.attn.k_bias, norm.weight") as raised:
        VideoMAEFeatures(tmp_path / "renamed.pth", small())
    assert "1 missing: blocks.1.attn.q_bias;" in str(raised.value)


def test_weights_of_another_size_are_refused(path: Path) -> None:
    with pytest.raises(WeightsError, match=r"does not fit VideoMAE: 494 missing: blocks\.10\..* of another shape: "):
        VideoMAEFeatures(path)


def test_short_clips_are_one_line(path: Path) -> None:
    with pytest.raises(ValueError, match="video_mae: expected clips of 4 frames, got 2"):
        VideoMAEFeatures(path, small())(clips(frames=2))


def test_sizes_must_divide() -> None:
    with pytest.raises(ValueError, match="expected a multiple of 14, got 30"):
        VideoMAE(frame_size=30, num_layers=0)


@pytest.mark.parametrize(("height", "width"), [(24, 40), (40, 24), (37, 33)])
def test_the_loader_covers_and_cuts_the_centre(height: int, width: int) -> None:
    """The same by PIL, whose bilinear filter is antialiased as well, to its rounding."""
    image = pytest.importorskip("PIL.Image")
    pixels = torch.randint(0, 256, (height, width), dtype=torch.uint8)
    scale = 16 / min(height, width)
    size = (max(16, math.ceil(height * scale)), max(16, math.ceil(width * scale)))
    resized = image.fromarray(pixels.numpy()).resize(size[::-1], image.Resampling.BILINEAR)
    top, left = (size[0] - 16) // 2, (size[1] - 16) // 2
    expected = torch.from_numpy(np.array(resized)).int()[top : top + 16, left : left + 16]
    found = resize_for_cdfvd(pixels.expand(1, 1, 1, height, width), side=16)[0, 0, 0].int()
    assert ((expected - found) >= 0).float().mean() > 0.95  # truncated where PIL rounds
    assert (expected - found).abs().max() <= 2


def test_the_loader_truncates() -> None:
    clip = torch.tensor([0, 255], dtype=torch.uint8).repeat(8, 4).expand(1, 3, 2, 8, 8)
    assert resize_for_cdfvd(clip, side=4)[0, 0, 0, :, 1:3].unique().tolist() == [127]  # of 127.5
    ramp = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 1, 16, 16)
    assert torch.equal(resize_for_cdfvd(ramp, side=16), ramp)


def test_the_loader_wants_uint8_clips() -> None:
    with pytest.raises(ValueError, match="expected uint8 clips"):
        resize_for_cdfvd(torch.zeros(3, 4, 8, 8, dtype=torch.uint8))


@pytest.mark.slow
def test_the_published_file_fits() -> None:
    folder = os.environ.get("MONAI_FEAT_WEIGHTS")
    if folder is None or not (Path(folder) / PUBLISHED["video_mae"].file).is_file():
        pytest.skip(f"MONAI_FEAT_WEIGHTS names no folder with {PUBLISHED['video_mae'].file}")
    network = VideoMAEFeatures(fetch_weights("video_mae"))
    black, noise = torch.zeros(1, 3, 16, 64, 64, dtype=torch.uint8), clips(frames=16)[:1]
    features = network(torch.cat([F.interpolate(noise.float()[0], (64, 64))[None].byte(), black]))
    assert features.shape == (2, 1408)
    assert features.isfinite().all()
    assert (features[0] - features[1]).norm() > 0.1 * features[0].norm()
