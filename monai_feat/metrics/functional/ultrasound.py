# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The texture of ultrasound: statistics of speckle in small squares of the frame, one value for each clip.

Frames are cut into squares, 16 pixels wide by default. A square counts where its mean is at least 10 levels, at most a
quarter of its pixels are black (4 levels and less: outside the sector, or cut off by log compression), and its pixels
are not all equal; a clip without such a square has NaN. Anatomy inside a square counts as texture; medians keep its
share small.

The laws of speckle hold for the envelope of the echo; pixels of B-mode images are its logarithm. Where the dynamic
range of the display is known, ``dynamic_range`` undoes it: R = 10^((level/255 − 1) · range / 20). Where it is unknown,
the statistics of the levels still compare clips of one device and setting, and no further.

Shape letters: B clips, T frames, S squares of a clip, P width of a square.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from monai_feat.metrics.functional.clips import check_clips, luma

__all__ = [
    "RAYLEIGH_SNR",
    "Direction",
    "NoisePower",
    "autocovariance_width",
    "nakagami_m",
    "noise_power_spectrum",
    "speckle_snr",
]

Direction = Literal["axial", "lateral"]

RAYLEIGH_SNR = (torch.pi / (4 - torch.pi)) ** 0.5
"""Mean by standard deviation of the envelope of fully developed speckle: √(π / (4 − π)) = 1.913."""

_BLACK = 4
_MOST_BLACK = 0.25
_LEAST_MEAN = 10
_MIN_SQUARE = 4


class NoisePower(NamedTuple):
    """Power of texture over spatial frequency.

    Attributes:
        frequency: cycles per pixel, float64 ``(K,)``, up to 0.5.
        power: levels² · pixel², float64 ``(B, K)``; NaN for a clip without texture.
        slope: of log power over log frequency, float64 ``(B,)``: 0 for white noise, negative for smooth texture.
    """

    frequency: Tensor
    power: Tensor
    slope: Tensor


def speckle_snr(clips: Tensor, dynamic_range: float | None = None, square: int = 16) -> Tensor:
    """Signal-to-noise ratio of speckle: mean by standard deviation in a square, the median over squares.

    For the envelope of fully developed speckle it is 1.91 (Burckhardt, "Speckle in ultrasound B-mode scans", 1978):
    less where scatterers are few, more where something regular adds to them. Log-compressed levels have a larger one
    that depends on gain and dynamic range.

    Args:
        clips: uint8 ``(B, C, T, H, W)``; RGB is taken as luma.
        dynamic_range: of the display in dB, to undo log compression; None takes levels as they are.
        square: width of the squares in pixels.

    Returns:
        float64 ``(B,)``; NaN for a clip without speckle.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape or an argument is not as described.

    Example:
        >>> import torch
        >>> from scipy.stats import rayleigh
        >>> envelope = rayleigh.rvs(scale=40, size=(1, 1, 4, 64, 64), random_state=0)
        >>> bool((speckle_snr(torch.tensor(envelope.round()).to(torch.uint8)) - RAYLEIGH_SNR).abs() < 0.05)
        True
    """
    squares, counts = _squares(clips, square)
    amplitude = _amplitude(squares, dynamic_range)
    return _median(amplitude.mean((2, 3)) / amplitude.std((2, 3), correction=1), counts)


def nakagami_m(clips: Tensor, dynamic_range: float | None = None, square: int = 16) -> Tensor:
    """Shape of the Nakagami law of the envelope by its moments: E[R²]² / Var[R²] in a square, the median over squares.

    Shankar, "A general statistical model for ultrasonic backscattering from tissues" (2000): 1 for fully developed
    speckle (Rayleigh), less for few or clustered scatterers, more for regular ones. Of log-compressed levels it is a
    number for comparisons only.

    Args:
        clips: uint8 ``(B, C, T, H, W)``; RGB is taken as luma.
        dynamic_range: of the display in dB, to undo log compression; None takes levels as they are.
        square: width of the squares in pixels; few pixels bias the estimate upwards, by some 2 % at 16.

    Returns:
        float64 ``(B,)``; NaN for a clip without speckle.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape or an argument is not as described.
    """
    squares, counts = _squares(clips, square)
    intensity = _amplitude(squares, dynamic_range).square()
    return _median(intensity.mean((2, 3)).square() / intensity.var((2, 3), correction=1), counts)


def autocovariance_width(clips: Tensor, direction: Direction, square: int = 16) -> Tensor:
    """Width of the autocovariance of texture at half its height: the size of a speckle grain.

    The autocovariance of each square about its own mean, divided by its variance, is averaged over squares; the width
    is twice the lag at which it falls to a half, by linear interpolation. Axial is along columns and lateral along
    rows: of a sector, that is exact on the middle ray only. Squares that are not much wider than a grain make it appear
    narrower: in squares of 16 pixels, a grain of 3 by some 5 % and one of 7 by 18 %.

    Args:
        clips: uint8 ``(B, C, T, H, W)``; RGB is taken as luma.
        direction: ``axial`` or ``lateral``.
        square: width of the squares in pixels.

    Returns:
        Full width at half maximum in pixels, float64 ``(B,)``; NaN for a clip without texture, or whose autocovariance
        stays above a half up to a lag of half a square.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape or an argument is not as described.
    """
    if direction not in get_args(Direction):
        raise ValueError(f"expected direction to be one of {get_args(Direction)}, got {direction!r}")
    squares, counts = _squares(clips, square)
    texture = squares - squares.mean((2, 3), keepdim=True)
    along = texture if direction == "lateral" else texture.transpose(2, 3)
    lags = range(square // 2 + 1)
    covariance = [(along[..., : square - lag] * along[..., lag:]).mean((2, 3)) for lag in lags]
    correlation = torch.stack(covariance, -1) / covariance[0][..., None]  # (B, S, lags)
    return 2 * _half_crossing(_mean(correlation, counts))


def noise_power_spectrum(clips: Tensor, square: int = 16) -> NoisePower:
    """Power of texture over spatial frequency, averaged over directions and squares.

    ICRU Report 54 (1996): NPS(f) = ⟨|DFT(levels − mean)|²⟩ / pixels of a square, here with a Hann window and divided by
    the window's energy, so that white noise of variance σ² has σ² everywhere. Power is averaged over rings one
    frequency step wide, up to 0.5 cycles per pixel. The slope is the least-squares line through log power over log
    frequency from the second ring on; the first suffers from the window and the mean.

    Args:
        clips: uint8 ``(B, C, T, H, W)``; RGB is taken as luma.
        square: width of the squares in pixels, at least 8 and even.

    Returns:
        Frequencies, power and slope.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape or an argument is not as described.
    """
    if square < 8 or square % 2:
        raise ValueError(f"expected an even square of at least 8 pixels, got {square}")
    squares, counts = _squares(clips, square)
    hann = torch.hann_window(square, dtype=torch.float64, device=clips.device)
    window = hann[:, None] * hann
    texture = (squares - squares.mean((2, 3), keepdim=True)) * window
    periodogram = torch.fft.fft2(texture).abs().square() / window.square().sum()
    rings = _rings(square).to(clips.device)  # (K, P·P)
    power = _mean(periodogram.flatten(2) @ (rings / rings.sum(1, keepdim=True)).T, counts)
    frequency = torch.arange(1, square // 2 + 1, dtype=torch.float64, device=clips.device) / square
    return NoisePower(frequency, power, spectral_slope(frequency, power))


def spectral_slope(frequency: Tensor, power: Tensor) -> Tensor:
    """Slope of log power over log frequency by least squares, from the second frequency on.

    Args:
        frequency: ``(K,)``.
        power: ``(..., K)``.

    Returns:
        ``(...,)``; NaN where power is.
    """
    x = frequency[1:].log() - frequency[1:].log().mean()
    slope: Tensor = (power[..., 1:].log() * x).sum(-1) / x.square().sum()
    return slope


def _squares(clips: Tensor, square: int) -> tuple[Tensor, Tensor]:
    """Levels of all squares, float64 ``(B, S, P, P)``, and which of them count, ``(B, S)``."""
    if square < _MIN_SQUARE:
        raise ValueError(f"expected squares of at least {_MIN_SQUARE} pixels, got {square}")
    check_clips(clips, min_side=square)
    rows, columns = (side // square for side in clips.shape[3:])
    whole = luma(clips)[:, 0, :, : rows * square, : columns * square].double()  # (B, T, H, W)
    tiled = whole.unflatten(3, (columns, square)).unflatten(2, (rows, square)).transpose(3, 4)
    squares = tiled.flatten(1, 3)
    textured = squares.amax((2, 3)) > squares.amin((2, 3))
    black = (squares <= _BLACK).double().mean((2, 3))
    return squares, textured & (black <= _MOST_BLACK) & (squares.mean((2, 3)) >= _LEAST_MEAN)


def _amplitude(levels: Tensor, dynamic_range: float | None) -> Tensor:
    if dynamic_range is None:
        return levels
    if not dynamic_range > 0:
        raise ValueError(f"expected a dynamic range in dB, more than 0, got {dynamic_range}")
    return torch.pow(10.0, (levels / 255 - 1) * dynamic_range / 20)


def _median(values: Tensor, counts: Tensor) -> Tensor:
    return torch.where(counts, values, torch.nan).nanmedian(1).values


def _mean(values: Tensor, counts: Tensor) -> Tensor:
    """Mean ``(B, K)`` of values ``(B, S, K)`` over the squares that count."""
    return torch.where(counts[..., None], values, torch.nan).nanmean(1)


def _half_crossing(correlation: Tensor) -> Tensor:
    """Lag ``(B,)`` at which a correlation ``(B, lags)`` that starts at 1 first falls to 0.5."""
    below = correlation <= 0.5
    after = below.int().argmax(1, keepdim=True).clamp(min=1)
    high, low = correlation.gather(1, after - 1)[:, 0], correlation.gather(1, after)[:, 0]
    return torch.where(below.any(1), after[:, 0] - (0.5 - low) / (high - low), torch.nan)


def _rings(square: int) -> Tensor:
    """Which frequencies of a square belong to ring 1, 2, … ``square // 2``: float64 ``(K, P·P)``."""
    steps = torch.fft.fftfreq(square, 1 / square, dtype=torch.float64)
    ring = (steps[:, None].square() + steps.square()).sqrt().round().flatten()
    belongs: Tensor = ring == torch.arange(1, square // 2 + 1)[:, None]
    return belongs.double()
