# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from monai_feat.metrics.features.inception_v3 import InceptionV3, resize_like_tensorflow


@pytest.fixture(scope="module")
def network() -> InceptionV3:
    torch.manual_seed(0)
    network = InceptionV3().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.8, 1.4)
    return network


def resize_slowly(image: Tensor, size: int) -> Tensor:
    """Resize one channel, pixel by pixel."""
    height, width = image.shape
    result = torch.zeros(size, size)
    for i in range(size):
        for j in range(size):
            y, x = i * height / size, j * width / size
            top, left = math.floor(y), math.floor(x)
            below, right = min(top + 1, height - 1), min(left + 1, width - 1)
            upper = image[top, left] * (1 - x + left) + image[top, right] * (x - left)
            lower = image[below, left] * (1 - x + left) + image[below, right] * (x - left)
            result[i, j] = upper * (1 - y + top) + lower * (y - top)
    return result


@pytest.mark.parametrize(("height", "width"), [(5, 9), (20, 13), (16, 16)])
def test_the_fast_resampler_is_the_slow_one(height: int, width: int) -> None:
    image = 255 * torch.rand(height, width)
    found = resize_like_tensorflow(image[None, None], 16)[0, 0]
    torch.testing.assert_close(found, resize_slowly(image, 16), rtol=0, atol=1e-3)


def test_the_resampler_starts_at_the_first_pixel() -> None:
    ramp = torch.arange(4.0).expand(1, 1, 4, 4)
    assert resize_like_tensorflow(ramp, 8)[0, 0, 0].tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3, 3]


def test_names_are_those_of_the_published_file(network: InceptionV3) -> None:
    names = set(network.state_dict())
    assert len(names) == 566  # 94 convolutions with 6 tensors each, and the classifier
    assert {name.split(".")[0] for name in names} == {
        *("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "Conv2d_3b_1x1", "Conv2d_4a_3x3", "fc"),
        *(f"Mixed_{stage}" for stage in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c")),
    }
    branches = {name.split(".")[1] for name in names if name.startswith("Mixed_7c")}
    assert branches == {
        *("branch1x1", "branch3x3_1", "branch3x3_2a", "branch3x3_2b", "branch_pool"),
        *("branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3a", "branch3x3dbl_3b"),
    }


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("Conv2d_2b_3x3", (64, 32, 3, 3)),
        ("Mixed_5b.branch5x5_2", (64, 48, 5, 5)),
        ("Mixed_6b.branch7x7dbl_2", (128, 128, 7, 1)),
        ("Mixed_6c.branch7x7_2", (160, 160, 1, 7)),
        ("Mixed_7a.branch7x7x3_4", (192, 192, 3, 3)),
        ("Mixed_7c.branch3x3dbl_3b", (384, 384, 3, 1)),
        ("Mixed_7c.branch_pool", (192, 2048, 1, 1)),
    ],
)
def test_shapes_are_those_of_the_published_file(network: InceptionV3, name: str, shape: tuple[int, ...]) -> None:
    assert network.state_dict()[f"{name}.conv.weight"].shape == shape


def test_probabilities_follow_from_features(network: InceptionV3) -> None:
    images = torch.randint(0, 256, (2, 3, 40, 60), dtype=torch.uint8)
    with torch.no_grad():
        features = network(images, return_features=True)
        biased, unbiased = network(images), network(images, no_output_bias=True)
    assert features.shape == (2, 2048)
    logits = features @ network.fc.weight.T
    torch.testing.assert_close(unbiased, logits.softmax(dim=1))
    torch.testing.assert_close(biased, (logits + network.fc.bias).softmax(dim=1))


def test_averages_leave_out_the_padding(network: InceptionV3) -> None:
    pool = network.get_submodule("Mixed_7b").pool
    assert torch.equal(pool(torch.ones(1, 1, 8, 8)), torch.ones(1, 1, 8, 8))


def test_images_without_colour_are_refused(network: InceptionV3) -> None:
    with pytest.raises(RuntimeError, match="3 channels"):
        network(torch.zeros(1, 1, 32, 32))
