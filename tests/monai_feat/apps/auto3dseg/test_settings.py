# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from monai_feat.apps.auto3dseg import SegmentationSettings, load_segmenter
from monai_feat.checkpoints import CheckpointError, save_checkpoint


def test_settings_go_with_the_weights(tmp_path: Path) -> None:
    settings = SegmentationSettings(num_classes=3, init_filters=4, network="clip", num_frames=5, ema_decay=0.9)
    network = settings.make_network()
    save_checkpoint(network.state_dict(), tmp_path / "a.safetensors", {"settings": settings.to_json()})
    loaded, again = load_segmenter(tmp_path / "a.safetensors")
    assert again == settings
    assert not loaded.training
    torch.testing.assert_close(loaded.state_dict(), network.state_dict())


def test_the_first_weights_depend_on_the_seed_only() -> None:
    settings = SegmentationSettings(init_filters=4)
    state = torch.get_rng_state()
    one = settings.make_network()
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(5)
    torch.testing.assert_close(one.state_dict(), settings.make_network().state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_classes": 1}, "label_channels from 2"),
        ({"legend": 3}, r'expected legend to be such as {"20": 1}, or None, got 3'),
        ({"image_channels": 2}, "expected image_channels to be 1 or 3, got 2"),
        ({"frame_size": 100}, "16 times 2 or more, got 100"),
        ({"network": "video"}, r"expected network to be one of \('frame', 'clip'\), got 'video'"),
        ({"augmentation": "wild"}, "expected augmentation to be one of"),
        ({"max_steps": 0}, "expected max_steps to be 1 or more, got 0"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"ema_decay": 1.0}, r"in \(0, 1\), or None, got 1.0"),
        ({"max_steps": 2.5}, "expected max_steps to be a whole number, got 2.5"),
        ({"learning_rate": "fast"}, "expected learning_rate to be a number, got 'fast'"),
        ({"learning_rate": None}, "above 0"),
        ({"seed": -1}, "expected seed to be 0 or more"),
        ({"steps": 5}, "unknown settings steps; the known ones are num_classes, "),
    ],
)
def test_wrong_settings_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SegmentationSettings.from_dict(change)


def test_foreign_weights_are_refused(tmp_path: Path) -> None:
    save_checkpoint({"a": torch.zeros(1)}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match="holds no settings of a segmentation"):
        load_segmenter(tmp_path / "a.safetensors")
