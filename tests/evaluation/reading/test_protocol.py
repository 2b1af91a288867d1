# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from evaluation.reading.protocol import PRESETS, Protocol, content_digest, differing_fields, get_preset

COMPLETE = Protocol(
    "strict",
    size=(64, 64),
    colour="grey",
    networks={"a": {"version": 1, "weights_sha256": "00ff"}},
    references={"train": "ab", "held_out": "cd"},
    num_real={"train": 64, "held_out": 32},
    num_fake=64,
)
OTHER: dict[str, Any] = {
    "preset": "x",
    "num_frames": 8,
    "stride": 3,
    "frame_rate": 8.0,
    "real_windows": "first",
    "fake_windows": "random",
    "frame_windows": "every",
    "max_fake_frames": 9,
    "max_real": 5,
    "max_fake": 5,
    "repeat_fake": True,
    "size": (64, 65),
    "fit": "pad",
    "resampler": "cd_fvd",
    "jpeg_quality": 75,
    "colour": "rgb",
    "correction": 0,
    "inception_splits": 1,
    "seed": 1,
    "preprocessing": "00ff",
    "networks": {"a": {"version": 2, "weights_sha256": "00ff"}},
    "references": {"train": "ab", "held_out": "ce"},
    "num_real": {"train": 64, "held_out": 33},
    "num_fake": 65,
    "revision": 99,
}


def test_the_fingerprint_is_the_same_on_every_machine() -> None:
    assert COMPLETE.fingerprint() == "5f11910533a6"


def test_the_order_of_networks_does_not_count() -> None:
    one, other = ({"a": {"x": 1, "y": 2}, "b": {"z": 3}}, {"b": {"z": 3}, "a": {"y": 2, "x": 1}})
    assert replace(COMPLETE, networks=one).fingerprint() == replace(COMPLETE, networks=other).fingerprint()


@pytest.mark.parametrize("name", [field.name for field in fields(Protocol)])
def test_everything_moves_the_fingerprint_and_is_named(name: str) -> None:
    changed = replace(COMPLETE, **{name: OTHER[name]})
    assert changed.fingerprint() != COMPLETE.fingerprint()
    (difference,) = differing_fields(COMPLETE.to_dict(), changed.to_dict())
    assert difference.startswith(name)


def test_nan_has_no_fingerprint() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        replace(COMPLETE, frame_rate=float("nan")).fingerprint()


def test_presets_are_the_published_protocols() -> None:
    for name in ("stylegan_v", "endora_2024", "feat_2025"):
        preset = get_preset(name)
        assert (preset.num_frames, preset.stride, preset.correction) == (16, 1, 0)
        assert (preset.real_windows, preset.fake_windows) == ("random", "first")
        assert (preset.max_real, preset.max_fake, preset.max_fake_frames) == (2048, 2048, 50_000)
        assert (preset.inception_splits, preset.frame_windows) == (10, "every")
    for name in ("endora_2024", "feat_2025"):
        preset = get_preset(name)
        assert (preset.size, preset.fit, preset.resampler) == ((128, 128), "squash", "pil_bicubic")
    cd_fvd = get_preset("cd_fvd")
    assert (cd_fvd.resampler, cd_fvd.size, cd_fvd.repeat_fake) == ("cd_fvd", (256, 256), True)
    assert all(preset.preset == name for name, preset in PRESETS.items())


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'fid'.*strict.*feat_2025"):
        get_preset("fid")


def test_a_set_of_clips_has_no_order() -> None:
    assert content_digest(["a", "b"]) == content_digest(["b", "a"])
    assert content_digest(["a", "b"]) != content_digest(["ab"])
