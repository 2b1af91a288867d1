# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A learned filter of temporal frequencies, and one more of those that stand out.

Source: the adaptive spectral block of TSLANet (arXiv 2404.08472, Section 3.2), checked against
github.com/emadeldeen24/TSLANet: the energy of a mode is summed over channels and compared with its median over modes;
the threshold is learned through the step as if it were the identity. Its filters have one complex number for each
channel; here they have one for each of some frequencies too, with straight lines between: one frequency is as there.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .guided_mixing import GuidedMixing
from .registry import register_mixer
from .slot import Slot

__all__ = ["SpectralMixing"]


@register_mixer("spectral", "time")
class SpectralMixing(GuidedMixing):
    """Filter values over time: y = irfft(W_g X + W_l (X · 1[|X|² > θ median |X|²])), X = rfft(v).

    Without the second part it is a circular convolution: the last frame is a neighbour of the first.

    Args:
        slot: the place it stands in.
        num_frequencies: how many frequencies the filters are known at, from 0 to half a turn a frame.

    Raises:
        ValueError: when there is none.
    """

    def __init__(self, slot: Slot, num_frequencies: int = 9) -> None:
        if num_frequencies < 1:
            raise ValueError(f"num_frequencies must be at least 1, got {num_frequencies}")
        super().__init__(slot)
        # (filter: everywhere, where it stands out; real and imaginary part; channel; frequency)
        self.filters = nn.Parameter(torch.randn(2, 2, slot.hidden_size, num_frequencies) * 0.02)
        self.threshold = nn.Parameter(torch.rand(1))

    def mix(self, v: Tensor) -> Tensor:  # type: ignore[override]
        """Filter over time, ``(N, T, C)``."""
        length = v.shape[1]
        modes = torch.fft.rfft(v.to(torch.promote_types(v.dtype, torch.float32)), dim=1, norm="ortho")  # (N, K, C)
        everywhere, outstanding = self.filters_at(length).to(modes.dtype)
        filtered = modes * everywhere + modes * self._outstanding(modes) * outstanding
        mixed: Tensor = torch.fft.irfft(filtered, n=length, dim=1, norm="ortho").to(v.dtype)
        return mixed

    def filters_at(self, length: int) -> Tensor:
        """Return both filters at the modes of a clip of so many frames, complex ``(2, K, C)``."""
        known = self.filters.to(torch.promote_types(self.filters.dtype, torch.float32))
        last = known.shape[-1] - 1
        places = torch.arange(length // 2 + 1, device=known.device) * (2 * last / length)  # half a turn is the last one
        below = places.floor().clamp_max(last).long()
        above = (below + 1).clamp_max(last)
        at = torch.lerp(known[..., below], known[..., above], (places - below).to(known.dtype))  # (2, 2, C, K)
        real, imaginary = at.mT.unbind(1)
        filters: Tensor = torch.complex(real, imaginary)
        return filters

    def _outstanding(self, modes: Tensor) -> Tensor:
        """Return 1 for modes whose energy is above the threshold, and 0 for others: ``(N, K, 1)``."""
        with torch.no_grad():
            energy = modes.abs().square().sum(dim=2, keepdim=True)
            above = energy > self.threshold * (energy.median(dim=1, keepdim=True).values + 1e-6)
            step = above.to(energy.dtype) - self.threshold
        straight_through: Tensor = step + self.threshold
        return straight_through
