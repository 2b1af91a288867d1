# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the memorisation gate needs to be given, one clear line for each thing that is not so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

__all__ = ["SIDES", "TITLES", "check_gate_input", "checked_clips"]

SIDES = ("fake", "train", "held_out")
TITLES = {"fake": "synthetic", "train": "training", "held_out": "held-out"}


def check_gate_input(
    sides: Mapping[str, Sequence[Tensor]],
    names: Sequence[Sequence[str]],
    groups: Sequence[Sequence[str]],
    latents: Mapping[str, Tensor] | None,
    false_positive_rate: float,
) -> None:
    """Raise one clear line about the first thing, besides clips themselves, that the gate cannot work with.

    Raises:
        ValueError: a side is empty, names, groups or latents do not fit, or a patient is on both real sides.
    """
    if not 0 < false_positive_rate < 1:
        raise ValueError(f"expected a false-positive rate between 0 and 1, such as 0.05, got {false_positive_rate}")
    for what, labels in (("names", names), ("groups", groups)):
        if len(labels) != len(SIDES):
            raise ValueError(f"expected {what} of synthetic, training and held-out clips, got {len(labels)} sequences")
        for (side, clips), given in zip(sides.items(), labels, strict=True):
            _check_length(what, TITLES[side], given, clips)
    _check_patients(groups[1], groups[2])
    if latents is not None:
        _check_latents(latents, sides)


def checked_clips(side: str, clips: Sequence[Tensor], shape: torch.Size, names: Sequence[str]) -> Iterator[Tensor]:
    """Yield clips as they are, each asked for once, if they are uint8 and of one shape.

    Raises:
        TypeError: a clip is not uint8.
        ValueError: a clip is not of this shape ``(C, T, H, W)``, or that is none of grey or RGB clips.
    """
    for clip, name in zip(clips, names, strict=True):
        what = f"{TITLES[side]} clip {name}"
        if clip.dtype != torch.uint8:
            raise TypeError(f"{what}: expected uint8 pixels, got {clip.dtype}; convert by monai_feat.transforms")
        if clip.ndim != 4 or clip.shape[0] not in (1, 3):
            raise ValueError(f"{what}: expected (C, T, H, W) with C = 1 or 3, got {tuple(clip.shape)}")
        if clip.shape != shape:
            advice = _advice(clip.shape, shape)
            raise ValueError(f"{what}: has shape {tuple(clip.shape)}, training clips have {tuple(shape)}; {advice}")
        yield clip


def _advice(shape: torch.Size, wanted: torch.Size) -> str:
    if shape[0] != wanted[0]:
        return "make all sides grey, or all RGB"
    if shape[1] != wanted[1]:
        return "cut all sides to one number of frames T"
    return "resize all sides to one size by one resampler"


def _check_length(what: str, title: str, labels: Sequence[str], clips: Sequence[Tensor]) -> None:
    if not len(clips):
        raise ValueError(f"there are no {title} clips; the gate needs synthetic, training and held-out clips")
    if len(labels) != len(clips):
        raise ValueError(f"expected {what} of {len(clips)} {title} clips, one for each, got {len(labels)}")


def _check_patients(train: Sequence[str], held_out: Sequence[str]) -> None:
    if shared := sorted(set(train) & set(held_out)):
        raise ValueError(
            f"{len(shared)} patients are both in training and held out, such as {shared[0]!r}: "
            "held-out clips must be of other patients; split by patient"
        )


def _check_latents(latents: Mapping[str, Tensor], sides: Mapping[str, Sequence[Tensor]]) -> None:
    if set(latents) != set(SIDES):
        raise ValueError(f"expected latents under the keys {SIDES}, got {tuple(latents)}")
    like = latents["train"]
    for side, clips in sides.items():
        given = latents[side]
        if given.ndim != 5 or len(given) != len(clips) or given.shape[1:] != like.shape[1:]:
            raise ValueError(
                f"expected latents (N, C, T, h, w) of {len(clips)} {TITLES[side]} clips, all of one shape; "
                f"got {tuple(given.shape)}, and {tuple(like.shape)} of training clips"
            )
        if not torch.isfinite(given).all():
            raise ValueError(f"latents of {TITLES[side]} clips hold NaN or infinite numbers; encode them anew")
