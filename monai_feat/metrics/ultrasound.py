# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Means over clips of statistics of ultrasound texture."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric

from monai_feat.metrics.clip_mean import ClipMean
from monai_feat.metrics.functional.ultrasound import (
    Direction,
    NoisePower,
    autocovariance_width,
    nakagami_m,
    noise_power_spectrum,
    speckle_snr,
    spectral_slope,
)

__all__ = ["AutocovarianceWidth", "NakagamiM", "NoisePowerSlope", "NoisePowerSpectrum", "SpeckleSNR"]


class SpeckleSNR(ClipMean):
    """Mean over clips of mean by standard deviation of speckle; see `functional.speckle_snr`.

    Args:
        dynamic_range: of the display in dB, to undo log compression; None takes levels as they are.
        square: width in pixels of the squares in which it is measured.
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> from scipy.stats import rayleigh
        >>> envelope = rayleigh.rvs(scale=40, size=(2, 1, 4, 64, 64), random_state=0)
        >>> snr = SpeckleSNR()
        >>> snr.update(torch.tensor(envelope.round()).to(torch.uint8))
        >>> round(snr.compute().item(), 1)
        1.9
    """

    def __init__(self, dynamic_range: float | None = None, square: int = 16, **kwargs: Any) -> None:
        super().__init__(settings=(dynamic_range, square), **kwargs)
        self.dynamic_range = dynamic_range
        self.square = square

    def update(self, clips: Tensor) -> None:
        """Add clips, uint8 ``(B, C, T, H, W)``."""
        self._add(speckle_snr(clips, self.dynamic_range, self.square))


class NakagamiM(ClipMean):
    """Mean over clips of the shape of the Nakagami law; see `functional.nakagami_m`.

    Args:
        dynamic_range: of the display in dB, to undo log compression; None takes levels as they are.
        square: width in pixels of the squares in which it is measured.
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> from scipy.stats import rayleigh
        >>> envelope = rayleigh.rvs(scale=40, size=(2, 1, 4, 64, 64), random_state=0)
        >>> shape = NakagamiM()
        >>> shape.update(torch.tensor(envelope.round()).to(torch.uint8))
        >>> round(shape.compute().item(), 1)
        1.0
    """

    def __init__(self, dynamic_range: float | None = None, square: int = 16, **kwargs: Any) -> None:
        super().__init__(settings=(dynamic_range, square), **kwargs)
        self.dynamic_range = dynamic_range
        self.square = square

    def update(self, clips: Tensor) -> None:
        """Add clips, uint8 ``(B, C, T, H, W)``."""
        self._add(nakagami_m(clips, self.dynamic_range, self.square))


class AutocovarianceWidth(ClipMean):
    """Mean over clips of the size of a speckle grain in pixels; see `functional.autocovariance_width`.

    Args:
        direction: ``axial`` (along columns) or ``lateral`` (along rows).
        square: width in pixels of the squares in which it is measured.
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> white = torch.randint(50, 200, (2, 1, 4, 64, 64), dtype=torch.uint8)
        >>> width = AutocovarianceWidth("axial")
        >>> width.update(white)
        >>> round(width.compute().item(), 1)
        1.0
    """

    def __init__(self, direction: Direction, square: int = 16, **kwargs: Any) -> None:
        super().__init__(settings=(direction, square), **kwargs)
        self.direction = direction
        self.square = square

    def update(self, clips: Tensor) -> None:
        """Add clips, uint8 ``(B, C, T, H, W)``."""
        self._add(autocovariance_width(clips, self.direction, self.square))


class NoisePowerSlope(ClipMean):
    """Mean over clips of the slope of log power over log frequency; see `functional.noise_power_spectrum`.

    Args:
        square: width in pixels of the squares in which it is measured.
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> slope = NoisePowerSlope()
        >>> slope.update(torch.randint(50, 200, (2, 1, 4, 64, 64), dtype=torch.uint8))
        >>> abs(slope.compute().item()) < 0.1
        True
    """

    def __init__(self, square: int = 16, **kwargs: Any) -> None:
        super().__init__(settings=(square,), **kwargs)
        self.square = square

    def update(self, clips: Tensor) -> None:
        """Add clips, uint8 ``(B, C, T, H, W)``."""
        self._add(noise_power_spectrum(clips, self.square).slope)


class NoisePowerSpectrum(Metric):
    """Power of texture over spatial frequency, averaged over clips; see `functional.noise_power_spectrum`.

    The slope is that of the averaged curve, not the average of slopes. Clips without texture are left out.

    Args:
        square: width in pixels of the squares in which it is measured.
        kwargs: of `torchmetrics.Metric`.

    Example:
        >>> import torch
        >>> spectrum = NoisePowerSpectrum(square=8)
        >>> spectrum.update(torch.randint(50, 200, (2, 1, 4, 64, 64), dtype=torch.uint8))
        >>> spectrum.compute().frequency
        tensor([0.1250, 0.2500, 0.3750, 0.5000], dtype=torch.float64)
    """

    is_differentiable = False
    higher_is_better: bool | None = None
    full_state_update = False

    power: Tensor
    clips: Tensor

    def __init__(self, square: int = 16, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.square = square
        self.add_state("power", torch.zeros(square // 2, dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("clips", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")

    def update(self, clips: Tensor) -> None:
        """Add clips, uint8 ``(B, C, T, H, W)``."""
        power = noise_power_spectrum(clips, self.square).power
        textured = ~power.isnan().any(1)
        self.power = self.power + power[textured].sum(0)
        self.clips = self.clips + textured.sum()

    def compute(self) -> NoisePower:
        """Return frequencies ``(K,)``, mean power ``(K,)`` and its slope ``()``; NaN where no clip has texture."""
        frequency = torch.arange(1, len(self.power) + 1, dtype=torch.float64, device=self.power.device) / self.square
        power = self.power / self.clips
        return NoisePower(frequency, power, spectral_slope(frequency, power))

    def plot(self, val: NoisePower | None = None, ax: Any = None) -> tuple[Any, Any]:
        """Draw power over frequency, both on logarithmic axes.

        Args:
            val: what `compute` returned; None computes it.
            ax: matplotlib axes to draw into; None makes a new figure.

        Returns:
            Figure and axes.
        """
        from matplotlib import pyplot as plt

        spectrum = self.compute() if val is None else val
        figure, axes = plt.subplots() if ax is None else (ax.get_figure(), ax)
        axes.loglog(spectrum.frequency.cpu().numpy(), spectrum.power.cpu().numpy())
        axes.set_xlabel("frequency, cycles per pixel")
        axes.set_ylabel("power, levels² · pixel²")
        return figure, axes
