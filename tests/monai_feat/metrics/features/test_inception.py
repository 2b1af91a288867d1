# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from monai_feat.metrics.features.inception import InceptionFeatures
from monai_feat.metrics.features.inception_v3 import InceptionV3
from monai_feat.metrics.features.weights import PUBLISHED, WeightsError, fetch_weights

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*is not a published file of inception:UserWarning"),
]


class StandIn(nn.Module):
    """A network with the interface of NVIDIA's TorchScript."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Conv2d(3, 2048, 8, 8)
        self.output = nn.Linear(2048, 1008)

    def forward(
        self, img: Tensor, return_features: bool = False, use_fp16: bool = False, no_output_bias: bool = False
    ) -> Tensor:
        features = self.layers((img.to(torch.float32) - 128) / 128).mean(dim=[2, 3])
        if return_features:
            return features
        if no_output_bias:
            return nn.functional.linear(features, self.output.weight).softmax(dim=1)
        return self.output(features).softmax(dim=1)


@pytest.fixture(scope="module")
def state() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return InceptionV3().state_dict()


@pytest.fixture
def script(tmp_path: Path) -> Path:
    torch.jit.script(StandIn()).save(tmp_path / "inception.pt")
    return tmp_path / "inception.pt"


def frames(channels: int = 3) -> Tensor:
    return torch.randint(0, 256, (2, channels, 16, 16), dtype=torch.uint8)


def test_it_calls_the_torchscript_as_stylegan_does(script: Path) -> None:
    pixels, network = frames(), torch.jit.load(script).eval()
    features = InceptionFeatures(script, trust_script=True)(pixels)
    assert features.shape == (2, 2048)
    torch.testing.assert_close(features, network(pixels, return_features=True))
    logits = InceptionFeatures(script, output="logits", trust_script=True)(pixels)
    assert logits.shape == (2, 1008)
    torch.testing.assert_close(logits.softmax(dim=1), network(pixels, no_output_bias=True))


def test_logits_are_those_of_the_classifier_without_bias(script: Path) -> None:
    pixels, network = frames(), torch.jit.load(script).eval()
    expected = network(pixels, return_features=True) @ network.output.weight.T
    logits = InceptionFeatures(script, output="logits", trust_script=True)(pixels)
    difference = logits - expected
    torch.testing.assert_close(difference, difference[:, :1].expand_as(difference), rtol=0, atol=1e-5)


def test_impossible_classes_stay_finite(tmp_path: Path) -> None:
    network = StandIn()
    nn.init.normal_(network.output.weight, std=1e4)
    torch.jit.script(network).save(tmp_path / "sure.pt")
    assert InceptionFeatures(tmp_path / "sure.pt", output="logits", trust_script=True)(frames()).isfinite().all()


def test_the_state_dict_is_the_architecture_here(state: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(state, tmp_path / "inception.pth")
    save_file(state, tmp_path / "inception.safetensors")
    pixels, network = frames(), InceptionV3().eval()
    network.load_state_dict(state)
    with torch.no_grad():
        expected = network(pixels, return_features=True)
    for name in ("inception.pth", "inception.safetensors"):
        torch.testing.assert_close(InceptionFeatures(tmp_path / name)(pixels), expected)


def test_what_it_says_of_itself(script: Path) -> None:
    features, logits = (
        InceptionFeatures(script, trust_script=True),
        InceptionFeatures(script, output="logits", trust_script=True),
    )
    assert (features.name, features.takes, features.num_features) == ("inception", "frames", 2048)
    assert (logits.name, logits.takes, logits.num_features) == ("inception_logits", "frames", 1008)
    assert features.num_frames is None
    assert features.identity != logits.identity


def test_grey_is_rgb_and_copies_agree(script: Path) -> None:
    network, grey = InceptionFeatures(script, trust_script=True), frames(channels=1)
    assert torch.equal(network(grey), network(grey.repeat(1, 3, 1, 1)))
    assert torch.equal(copy.deepcopy(network)(grey), network(grey))


def test_errors_are_one_line(state: dict[str, Tensor], script: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected output to be one of .*, got 'probabilities'"):
        InceptionFeatures(script, output="probabilities", trust_script=True)  # type: ignore[arg-type]
    with pytest.raises(FileNotFoundError, match=r"no weights file .*absent\.pt, and no published one"):
        InceptionFeatures(tmp_path / "absent.pt")
    torch.save({name: value for name, value in state.items() if not name.startswith("fc")}, tmp_path / "headless.pth")
    with pytest.raises(WeightsError, match=r"does not fit InceptionV3: 2 missing: fc.bias, fc.weight"):
        InceptionFeatures(tmp_path / "headless.pth")
    script.write_bytes(script.read_bytes()[:5000])
    with pytest.raises(WeightsError, match=r"inception.pt: cannot be read"):
        InceptionFeatures(script, trust_script=True)


@pytest.mark.slow
def test_both_published_files_are_the_same_network() -> None:
    folder = os.environ.get("MONAI_FEAT_WEIGHTS")
    names = InceptionFeatures.published
    if folder is None or not all((Path(folder) / PUBLISHED[name].file).is_file() for name in names):
        pytest.skip(f"MONAI_FEAT_WEIGHTS names no folder with {' and '.join(PUBLISHED[name].file for name in names)}")
    pixels = torch.randint(0, 256, (4, 3, 128, 128), dtype=torch.uint8)
    for output, tolerance in (("features", 2e-3), ("logits", 2e-2)):
        ours, theirs = (InceptionFeatures(fetch_weights(name), output=output)(pixels) for name in names)  # type: ignore[arg-type]
        torch.testing.assert_close(ours, theirs, rtol=1e-2, atol=tolerance)
