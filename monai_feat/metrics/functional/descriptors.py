# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Classical numbers that describe a clip: its texture, colour, spectrum and motion.

Every function maps a batch to one number per clip and name, ``(B,)``. Brightness counts from 0 to 1; amplitudes are
natural logarithms, with one level of 255 added so that a flat picture has one too. All are measured at the size and
frame rate that clips have: compare like with like.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["colour_descriptors", "spectrum_descriptors", "temporal_descriptors", "texture_descriptors"]

_LEVEL = 1 / 255
_TINY = 1e-8
_PERCENTILES = (1, 10, 25, 50, 75, 90, 99)
_LAGS = (1, 2, 4, 8)
_SCALES = 4  # octaves of detail
_BANDS = 12  # rings of the spectrum up to half a cycle per pixel
_BLOCK = 8  # pixels


def texture_descriptors(luma: Tensor) -> dict[str, Tensor]:
    """Brightness, contrast, detail by scale and direction, and likeness of neighbouring pixels.

    Args:
        luma: ``(B, T, H, W)`` in [0, 1], frames of at least 32 x 32 px.
    """
    found = {f"brightness_p{p}": value for p, value in zip(_PERCENTILES, _percentiles(luma), strict=True)}
    blocks = luma.unfold(2, _BLOCK, _BLOCK).unfold(3, _BLOCK, _BLOCK).flatten(4).std(dim=4)  # (B, T, rows, columns)
    found["local_contrast"] = _log(blocks.flatten(1).mean(dim=1))
    found["local_contrast_spread"] = _log(blocks.flatten(1).std(dim=1))
    found |= _detail(luma)
    found |= _directions(luma)
    for lag in _LAGS:
        found[f"unlikeness_x{lag}"] = _log(1 - _correlation(luma[..., lag:], luma[..., :-lag]))
        found[f"unlikeness_y{lag}"] = _log(1 - _correlation(luma[..., lag:, :], luma[..., :-lag, :]))
    return found


def colour_descriptors(rgb: Tensor) -> dict[str, Tensor]:
    """Opponent colours, saturation, hue, and how channels go together; the same for all grey clips.

    Args:
        rgb: ``(B, 3, T, H, W)`` in [0, 1].
    """
    red, green, blue = rgb.unbind(1)  # (B, T, H, W)
    opponents = {"red_green": red - green, "yellow_blue": (red + green) / 2 - blue}
    found = {f"{name}_mean": value.flatten(1).mean(dim=1) for name, value in opponents.items()}
    found |= {f"{name}_spread": value.flatten(1).std(dim=1) for name, value in opponents.items()}
    found |= {f"{name}_detail": _log(_fine(value).abs().flatten(1).mean(dim=1)) for name, value in opponents.items()}
    saturation = rgb.amax(dim=1) - rgb.amin(dim=1)
    found |= {f"saturation_p{p}": v for p, v in zip(_PERCENTILES[1:], _percentiles(saturation)[1:], strict=True)}
    found["red_to_green"] = _correlation(red, green)
    found["green_to_blue"] = _correlation(green, blue)
    return found | _hues(red, green, blue)


def spectrum_descriptors(luma: Tensor) -> dict[str, Tensor]:
    """Power of single frames by spatial frequency and direction.

    Args:
        luma: ``(B, T, H, W)`` in [0, 1].
    """
    power, radius, angle = _power(luma)
    found = {}
    for band in range(_BANDS):
        ring = (radius >= band / (2 * _BANDS)) & (radius < (band + 1) / (2 * _BANDS))
        found[f"power_{band}"] = _log_power(power[:, ring].mean(dim=1))
    for name, (low, high) in {"low": (0.04, 0.125), "middle": (0.125, 0.25), "high": (0.25, 0.5)}.items():
        ring = (radius >= low) & (radius < high)
        by_direction = [_log_power(power[:, ring & _towards(angle, k, 4)].mean(dim=1)) for k in range(4)]
        found[f"upright_{name}"] = by_direction[2] - by_direction[0]
        found[f"oblique_{name}"] = by_direction[1] + by_direction[3] - by_direction[0] - by_direction[2]
        found[f"peak_{name}"] = _log_power(power[:, ring].amax(dim=1)) - _log_power(power[:, ring].mean(dim=1))
    return found


def temporal_descriptors(luma: Tensor) -> dict[str, Tensor]:
    """How much frames change, how evenly, how far ahead they can be foretold; lags end with the clip.

    Args:
        luma: ``(B, T, H, W)`` in [0, 1], T at least 3.
    """
    count = luma.shape[1]
    found = {}
    for lag in _LAGS:
        step = min(lag, count - 1)
        found[f"change_{lag}"] = _log(_mean_change(luma, step).mean(dim=1))
        found[f"unlikeness_{lag}"] = _log(1 - _correlation(luma[:, step:], luma[:, :-step]))
        found[f"bend_{lag}"] = _log(_bend(luma, min(lag, (count - 1) // 2)).abs().flatten(1).mean(dim=1))
    found |= _evenness(_mean_change(luma, 1))
    brightness = luma.mean(dim=(2, 3))
    found["flicker"] = _log(brightness.diff(dim=1).abs().mean(dim=1))
    found["flicker_bend"] = _log(_bend(brightness, 1).abs().mean(dim=1))
    for scale in (2, 4, 8):
        coarse = F.avg_pool2d(luma, scale)
        found[f"coarse_change_{scale}"] = _log(_mean_change(coarse, 1).mean(dim=1))
        found[f"speed_{scale}"] = _normal_speed(coarse)
    return found


def _detail(luma: Tensor) -> dict[str, Tensor]:
    """Strength and sparseness of what each octave adds to the next coarser one."""
    found = {}
    for scale in range(_SCALES):
        band = _fine(luma)
        variance = band.square().flatten(1).mean(dim=1)
        found[f"detail_{scale}"] = _log(variance.sqrt())
        fourth = (band.square().square()).flatten(1).mean(dim=1)
        found[f"sparseness_{scale}"] = torch.log((fourth + _LEVEL**4) / (variance + _LEVEL**2).square())
        luma = F.avg_pool2d(luma, 2)
    return found


def _directions(luma: Tensor) -> dict[str, Tensor]:
    """Share of gradient in each of four directions, and shares of steep and of flat pixels."""
    dx, dy = _gradient(luma)
    size = torch.hypot(dx, dy)
    angle = torch.atan2(dy, dx)
    total = size.flatten(1).sum(dim=1) + _LEVEL
    found = {f"edges_{45 * k}": (size * _towards(angle, k, 4)).flatten(1).sum(dim=1) / total for k in range(4)}
    found["steep"] = (size > 0.1).flatten(1).float().mean(dim=1)
    found["flat"] = (size < 0.01).flatten(1).float().mean(dim=1)
    return found


def _hues(red: Tensor, green: Tensor, blue: Tensor) -> dict[str, Tensor]:
    """Mean chroma, in brightness, that points to each of six hues."""
    alpha, beta = red - (green + blue) / 2, (green - blue) * 3**0.5 / 2
    chroma = torch.hypot(alpha, beta)
    turn = torch.atan2(beta, alpha) / (2 * torch.pi) % 1
    sector = (turn * 6).round() % 6
    return {f"hue_{60 * k}": (chroma * (sector == k)).flatten(1).mean(dim=1) for k in range(6)}


def _evenness(change: Tensor) -> dict[str, Tensor]:
    """How mean changes ``(B, T - 1)`` vary along a clip."""
    mean = change.mean(dim=1) + _LEVEL
    return {
        "unevenness": change.std(dim=1) / mean,
        "smallest_change": change.amin(dim=1) / mean,
        "largest_change": change.amax(dim=1) / mean,
        "still": (change < _LEVEL / 10).float().mean(dim=1),
    }


def _normal_speed(luma: Tensor) -> Tensor:
    """Least-squares size of motion along gradients, in pixels per frame: Σ|∂t||∇| / Σ|∇|²."""
    dx, dy = _gradient(luma[:, :-1])
    slope = torch.hypot(dx, dy)
    change = luma.diff(dim=1)[..., :-1, :-1].abs()
    return (change * slope).flatten(1).sum(dim=1) / (slope.square().flatten(1).sum(dim=1) + _LEVEL)


def _power(luma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean power of Hann-windowed frames ``(B, H, W/2 + 1)``, and frequency and angle of its bins."""
    height, width = luma.shape[-2:]
    window = torch.outer(*(torch.hann_window(n, device=luma.device) for n in (height, width)))
    centred = luma - luma.mean(dim=(2, 3), keepdim=True)
    power = torch.fft.rfft2(centred * window, norm="ortho").abs().square().mean(dim=1)
    rows = torch.fft.fftfreq(height, device=luma.device)[:, None]
    columns = torch.fft.rfftfreq(width, device=luma.device)[None]
    return power, torch.hypot(rows, columns), torch.atan2(rows, columns)


def _towards(angle: Tensor, k: int, count: int) -> Tensor:
    """Whether undirected angles are nearest to the k-th of `count` directions of a half turn."""
    return (angle / torch.pi * count).round() % count == k


def _gradient(luma: Tensor) -> tuple[Tensor, Tensor]:
    return luma.diff(dim=-1)[..., :-1, :], luma.diff(dim=-2)[..., :, :-1]


def _fine(values: Tensor) -> Tensor:
    """Return what a 3 x 3 mean takes away."""
    return values - F.avg_pool2d(values, 3, stride=1, padding=1, count_include_pad=False)


def _mean_change(luma: Tensor, lag: int) -> Tensor:
    return (luma[:, lag:] - luma[:, :-lag]).abs().mean(dim=(2, 3))  # (B, T - lag)


def _bend(values: Tensor, lag: int) -> Tensor:
    return values[:, lag:-lag] - (values[:, 2 * lag :] + values[:, : -2 * lag]) / 2


def _correlation(a: Tensor, b: Tensor) -> Tensor:
    """Return the correlation of two batches over all but the first dimension, 1 where both are flat."""
    a, b = a.flatten(1), b.flatten(1)
    a, b = a - a.mean(dim=1, keepdim=True), b - b.mean(dim=1, keepdim=True)
    product, scale = (a * b).mean(dim=1), (a.square().mean(dim=1) * b.square().mean(dim=1)).sqrt()
    return (product + _TINY) / (scale + _TINY)


def _percentiles(values: Tensor) -> Tensor:
    """Return the percentiles of each clip, ``(percentiles, B)``, by rank: quantile() refuses large clips."""
    ordered = values.flatten(1).sort(dim=1).values
    ranks = [round(p / 100 * (ordered.shape[1] - 1)) for p in _PERCENTILES]
    return ordered[:, ranks].T


def _log(amplitude: Tensor) -> Tensor:
    return torch.log(amplitude + _LEVEL)


def _log_power(power: Tensor) -> Tensor:
    return torch.log(power + _LEVEL**2) / 2
