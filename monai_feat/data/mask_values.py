# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the values of a mask stand for: decided by all values that it holds, or by a legend, never by a threshold alone.

A *value* is a grey level or the number of a palette's colour, from 0; or, from `FIRST_COLOUR` on, a colour that is no
grey. A *reading* says which class each value stands for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from monai_feat.transforms.labels import UNKNOWN_LABEL

__all__ = ["FIRST_COLOUR", "Legend", "MaskReading", "coded_values", "read_values", "value_shares"]

Legend = Mapping[int | str, int]
"""Classes by value (``20``) or by colour (``"#ff0000"``); 255 stands for pixels that nobody has labelled."""

FIRST_COLOUR = 1 << 24
_TWO_CLASSES = 2
_WHITE = 255
# JPEG and video move black and white by so many levels beside edges, and by so many anywhere.
_CLEAR, _NOISE = 32, 8
_MOST_UNCLEAR = 0.01  # share of the pixels, at the edges of structures
# JPEG works in squares of 8 pixels, resampling reaches no farther.
_REACH = 8
# Masks that hold more values than this are not maps of few classes.
_FEW = 8
_SHOWN = 12


@dataclass(frozen=True)
class MaskReading:
    """Which class each value of a mask stands for.

    Attributes:
        how: in a few words; masks of one data set that are read in different ways contradict each other.
        classes: class of each value; empty for grey levels around black and white, which half of 255 tells apart.
    """

    how: str
    classes: Mapping[int, int]

    def apply(self, values: Tensor) -> Tensor:
        """Classes of one frame, uint8 of the shape of `values`.

        Raises:
            ValueError: a value is grey where there is no edge between black and white.
        """
        if not self.classes:
            _check_edges(values)
            return (values > _WHITE // 2).to(torch.uint8)
        result = torch.zeros_like(values, dtype=torch.uint8)
        for value, number in self.classes.items():
            result[values == value] = number
        return result


def coded_values(frame: Tensor, is_lossy: bool = False) -> Tensor:
    """Values ``(1, H, W)`` of a frame as stored, int32 ``(1, H, W)`` or ``(3, H, W)``.

    Args:
        frame: what `ClipFile.iter_values` yields.
        is_lossy: a little colour is an error of the format, and counts as grey.
    """
    if frame.shape[0] == 1:
        return frame
    lowest, highest = frame.amin(0, keepdim=True), frame.amax(0, keepdim=True)
    is_grey = highest - lowest <= (_NOISE if is_lossy else 0)
    red, green, blue = frame.split(1)
    return torch.where(is_grey, (lowest + highest + 1) // 2, FIRST_COLOUR + (red << 16) + (green << 8) + blue)


def read_values(
    shares: Mapping[int, float], label_channels: int, is_lossy: bool = False, legend: Legend | None = None
) -> MaskReading:
    """Decide what the values of a mask stand for.

    Without a legend, these are understood: classes 0 … K - 1, with 255 where nobody knows; and for two classes also
    black and white, blurred at edges by JPEG, video or resampling, and any one value beside 0.

    Args:
        shares: share of the pixels of all frames, by value.
        label_channels: number of classes K, the background among them.
        is_lossy: the format changes values a little.
        legend: classes by value or colour.

    Raises:
        ValueError: the values can be understood in several ways, or in none; lists them.
    """
    if legend is not None:
        return _by_legend(shares, label_channels, legend, is_lossy)
    found, known = set(shares), set(range(label_channels))
    labelled = found - {_WHITE}
    if found <= known and not (is_lossy and max(found) > 0 and label_channels == _TWO_CLASSES):
        return MaskReading("classes" if max(found) else "background only", {value: value for value in found})
    if label_channels == _TWO_CLASSES and found <= {0, _WHITE}:
        return MaskReading("black and white", {0: 0, _WHITE: 1})
    if labelled <= known and max(labelled, default=0) > 0 and not is_lossy:
        return MaskReading("classes, and 255 for unknown", {value: value for value in found})
    if label_channels == _TWO_CLASSES and len(found) == _TWO_CLASSES and 0 in found and not is_lossy:
        return MaskReading(f"0 and {_named(max(found))}", {0: 0, max(found): 1})
    if label_channels == _TWO_CLASSES and (is_lossy or len(found) > _FEW) and _is_black_and_white(shares):
        return MaskReading("black and white", {})
    raise ValueError(_not_understood(shares, label_channels))


def value_shares(counts: Mapping[int, int]) -> dict[int, float]:
    """Shares of the pixels by value, in order of the values."""
    total = sum(counts.values())
    return {value: counts[value] / total for value in sorted(counts)}


def _by_legend(shares: Mapping[int, float], label_channels: int, legend: Legend, is_lossy: bool) -> MaskReading:
    classes = {_value_of(key): number for key, number in legend.items()}
    wrong = sorted({n for n in classes.values() if not (0 <= n < label_channels or n == UNKNOWN_LABEL)})
    if wrong or not classes:
        raise ValueError(
            f"has a legend of the classes {wrong}; expected 0 to {label_channels - 1}, or {UNKNOWN_LABEL} for unknown"
        )
    nearest = {value: min(classes, key=partial(_distance, value)) for value in shares}
    far = {value: share for value, share in shares.items() if _distance(value, nearest[value]) > is_lossy * _CLEAR}
    # Edges between two levels pass through all between them, where a format is lossy.
    if sum(far.values()) > is_lossy * _MOST_UNCLEAR:
        raise ValueError(f"holds {_listed(far)}, for which the legend has no class; it names {list(legend)}")
    return MaskReading("legend", {value: classes[level] for value, level in nearest.items()})


def _distance(value: int, other: int) -> int:
    """Largest difference between the levels of two values."""
    return max(abs(a - b) for a, b in zip(_levels(value), _levels(other), strict=True))


def _levels(value: int) -> tuple[int, int, int]:
    if value < FIRST_COLOUR:
        return (value, value, value)
    colour = value - FIRST_COLOUR
    return (colour >> 16, colour >> 8 & 255, colour & 255)


def _value_of(key: int | str) -> int:
    """The value that a legend's key names; keys of JSON are texts."""
    if isinstance(key, int) or key.isdecimal():
        return int(key)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", key):
        raise ValueError(f"has a legend with {key!r}; expected a value such as 20, or a colour such as '#ff0000'")
    colour = torch.tensor(list(bytes.fromhex(key[1:])), dtype=torch.int32).reshape(3, 1, 1)
    return int(coded_values(colour))


def _is_black_and_white(shares: Mapping[int, float]) -> bool:
    is_grey = max(shares) <= _WHITE
    unclear = sum(share for value, share in shares.items() if _CLEAR <= value <= _WHITE - _CLEAR)
    return is_grey and unclear <= _MOST_UNCLEAR and max(shares) > _WHITE - _CLEAR


def _check_edges(values: Tensor) -> None:
    """Refuse grey far from white: a structure of its own, that half of 255 would wipe out."""
    is_white = (values > _WHITE - _CLEAR).float()
    near_white = torch.nn.functional.max_pool2d(is_white, 2 * _REACH + 1, 1, _REACH) > 0
    alone = values[(values > _NOISE) & ~near_white]
    if len(alone):
        raise ValueError(
            f"expected black and white; {len(alone)} pixels of values up to {int(alone.max())} lie apart from all "
            "white: say what they stand for with a legend, legend={value: class, …}"
        )


def _not_understood(shares: Mapping[int, float], label_channels: int) -> str:
    suggestion = ", ".join(f"{_key(value)}: {min(i, label_channels - 1)}" for i, value in enumerate(list(shares)[:4]))
    more = ", …" if len(shares) > 4 else ""
    return (
        f"holds {_listed(shares)}; label_channels={label_channels} expects the classes 0 to {label_channels - 1}, with "
        f"{UNKNOWN_LABEL} where nobody knows{', or black and white' if label_channels == _TWO_CLASSES else ''}: say "
        f"what each value stands for with a legend, such as legend={{{suggestion}{more}}}"
    )


def _listed(shares: Mapping[int, float]) -> str:
    first = [f"{_named(value)} ({share:.1%})" for value, share in list(shares.items())[:_SHOWN]]
    more = f" and {len(shares) - _SHOWN} more" if len(shares) > _SHOWN else ""
    return f"the value{'s' if len(shares) > 1 else ''} {', '.join(first)}{more}"


def _named(value: int) -> str:
    return str(value) if value < FIRST_COLOUR else f"#{value - FIRST_COLOUR:06x}"


def _key(value: int) -> str:
    return _named(value) if value < FIRST_COLOUR else f"'{_named(value)}'"
