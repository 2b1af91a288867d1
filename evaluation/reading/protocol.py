# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Everything that moves a score, and its fingerprint: numbers with different ones are never put in one table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from monai_feat.bundle import ClipReading

from .agreement import Colour
from .clips import Resampler, SideFit, WindowRule

__all__ = ["PRESETS", "Protocol", "content_digest", "differing_fields", "get_preset"]

REVISION = 2  # to be raised when the code that prepares clips or computes scores gives other numbers

Identity = Mapping[str, str | int | float | bool]


@dataclass(frozen=True)
class Protocol:
    """How scores are made. A preset says all but the data; the rest is filled in when these are known.

    Attributes:
        preset: its name.
        num_frames: frames T of a clip.
        stride: step between frames, in frames of the recording.
        frame_rate: Hz between frames, in place of the stride; None for a stride.
        real_windows: which frames of a real recording.
        fake_windows: which frames of a synthetic one.
        frame_windows: which frames, on both sides, go to networks that take single frames; None for those of clips.
        max_fake_frames: the first so many of these; None takes all.
        max_real: the first so many recordings; None takes all.
        max_fake: likewise.
        repeat_fake: whether synthetic recordings are gone through again, with new windows, until there are `max_fake`.
        size: rows and columns at which both sides are compared.
        fit: how a frame of another shape becomes one of this size.
        resampler: by which it does, see `Resampler`.
        jpeg_quality: of JPEG files that frames are saved to and read from on both sides; None does without.
        colour: ``grey`` (luma) or ``rgb``.
        correction: covariances are divided by N minus this.
        inception_splits: of the inception score.
        seed: of random windows.
        preprocessing: digest of what real files passed at full size, as in training; None for nothing.
        networks: identity of every network that scores were computed with.
        references: digest of the real clips, by ``train`` and ``held_out``.
        num_real: clips by ``train`` and ``held_out``.
        num_fake: clips.
        revision: of this code.
    """

    preset: str
    num_frames: int = 16
    stride: int = 1
    frame_rate: float | None = None
    real_windows: WindowRule = "random"
    fake_windows: WindowRule = "first"
    frame_windows: WindowRule | None = None
    max_fake_frames: int | None = None
    max_real: int | None = None
    max_fake: int | None = None
    repeat_fake: bool = False
    size: tuple[int, int] | None = None
    fit: SideFit = "crop"
    resampler: Resampler = "bilinear"
    jpeg_quality: int | None = None
    colour: Colour | None = None
    correction: int = 1
    inception_splits: int = 10
    seed: int = 0
    preprocessing: str | None = None
    networks: Mapping[str, Identity] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    num_real: Mapping[str, int] = field(default_factory=dict)
    num_fake: int = 0
    revision: int = REVISION

    def fingerprint(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of all fields; the same on every machine.

        Raises:
            ValueError: a field holds NaN, or what JSON cannot hold.

        Example:
            >>> Protocol("strict").fingerprint() == Protocol("strict", stride=2).fingerprint()
            False
        """
        text = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        """Return all fields, as JSON holds them."""
        fields: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return fields


# StyleGAN-V's fvd2048_16f: covariances of raw moments, divided by N; a real clip per video at a random offset. Its
# frames go to the network at the size they have on disk. Published with it: FID on all real frames, IS in 10 splits.
_STYLEGAN_V = Protocol(
    "stylegan_v",
    real_windows="random",
    fake_windows="first",
    frame_windows="every",
    max_fake_frames=50_000,
    max_real=2048,
    max_fake=2048,
    colour="rgb",
    correction=0,
)

_SQUASHED = replace(_STYLEGAN_V, size=(128, 128), fit="squash", resampler="pil_bicubic")

PRESETS: dict[str, Protocol] = {
    "strict": Protocol("strict"),
    "stylegan_v": _STYLEGAN_V,
    # cd-fvd 0.1: both sides from one loader, which draws a window of each video and starts again until it has 2048.
    "cd_fvd": Protocol(
        "cd_fvd",
        real_windows="random",
        fake_windows="random",
        max_fake=2048,
        repeat_fake=True,
        size=(256, 256),
        resampler="cd_fvd",
        colour="rgb",
        correction=0,
    ),
    # Both papers report StyleGAN-V's scores, of frames that were squashed to squares before; reals are the training
    # videos, 210 of them for Colonoscopic.
    "endora_2024": replace(_SQUASHED, preset="endora_2024"),
    "feat_2025": replace(_SQUASHED, preset="feat_2025"),
}


def get_preset(name: str) -> Protocol:
    """Return the protocol of this name.

    Raises:
        ValueError: there is none; lists those that exist.
    """
    if name not in PRESETS:
        raise ValueError(f"unknown preset {name!r}; the known ones are {', '.join(PRESETS)}")
    return PRESETS[name]


STILL_FRAMES = 3  # of a still that stands still: networks of clips take no fewer


def as_in_training(preset: Protocol, reading: ClipReading | None) -> Protocol:
    """Return a protocol that brings real clips into the form of the clips that a training made of them.

    Args:
        preset: that says nothing of size and colour; one that does is returned as it is, for it has its own form.
        reading: how the training made clips; None where it is not known.
    """
    if reading is None or preset.preset != "strict":
        return preset
    return replace(
        preset,
        num_frames=max(reading.num_frames, STILL_FRAMES),
        frame_rate=reading.frame_rate,
        size=reading.frame_size,
        fit="pad" if reading.fit == "pad" else "crop",
        colour="grey" if reading.image_channels == 1 else "rgb",
        preprocessing=reading.digest(),
    )


def content_digest(digests: Iterable[str]) -> str:
    """SHA-256 of a set of clips, whatever their order, from the digest of each."""
    return hashlib.sha256("\n".join(sorted(digests)).encode()).hexdigest()


def differing_fields(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Name the fields in which two protocols, as `Protocol.to_dict` gives them, differ, with both values."""
    flat = [dict(_flatten(protocol)) for protocol in (one, other)]
    keys = dict.fromkeys([*flat[0], *flat[1]])
    values = {key: tuple(_short(side.get(key, "nothing")) for side in flat) for key in keys}
    return [f"{key}: {a} and {b}" for key, (a, b) in values.items() if a != b]


def _flatten(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flatten(item, f"{prefix}{key}.")
        else:
            yield prefix + key, item


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"
