# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""In which poses a clip may show what a training clip shows, and which training clips and poses are worth a close look.

Two maps are correlated at all shifts at once, by their spectra; maps have equal power at all frequencies, so that the
peak is as high as the share of a frame that they have in common, wherever that lies. Legend: M training clips, V views.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from .details import Equaliser, resized

__all__ = ["POSES", "Pose", "PoseSearch"]

SIZE = 40  # rows and columns at which poses are searched
WINDOWS = (0, 10, 20)  # where windows of half the rows, or columns, begin


@dataclass(frozen=True)
class Pose:
    """How a clip is turned and zoomed to fit a training clip."""

    zoom: float = 1.0
    upside_down: bool = False
    mirrored: bool = False

    def apply(self, maps: Tensor, size: int) -> Tensor:
        """Return maps ``(N, K, h, w)`` in this pose, ``(N, K, size, size)``."""
        axes = [-2] * self.upside_down + [-1] * self.mirrored
        found = resized(maps, size, self.zoom)
        return found.flip(axes) if axes else found


POSES = tuple(Pose(*choice) for choice in product((0.71, 0.84, 1.0, 1.19, 1.41), (False, True), (False, True)))


class PoseSearch:
    """Finds, for one clip, how much it has in common with each training clip, and in which pose.

    Args:
        train: detail maps of training clips, ``(M, n, n)``.
    """

    def __init__(self, train: Tensor) -> None:
        small = resized(train[:, None], SIZE)[:, 0]
        self._equalise = Equaliser(small)
        self._train = self._spectra(small)

    def __call__(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Search all poses and shifts of one detail map ``(n, n)``.

        Returns:
            The highest peak for each training clip ``(M,)``, and the index of its pose in `POSES` ``(M,)``.
        """
        views, poses = self._views(maps)
        peaks = torch.stack([self._peaks(spectrum) for spectrum in self._spectra(views).conj()])  # (V, M)
        found, view = peaks.max(0)
        return found, poses[view]

    def _views(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """All poses, and windows of a quarter of the frame as it is, each by itself."""
        posed = [pose.apply(maps[None, None], SIZE)[0, 0] for pose in POSES]
        upright = POSES.index(Pose())
        windows = [_window(posed[upright], top, left) for top in WINDOWS for left in WINDOWS]
        return torch.stack(posed + windows), torch.tensor([*range(len(posed)), *[upright] * len(windows)])

    def _spectra(self, maps: Tensor) -> Tensor:
        """Spectra of equalised maps of unit norm, such that a product with another one is that of correlations."""
        even = self._equalise(maps)
        norm = even.flatten(-2).norm(dim=-1)[..., None, None].clamp_min(1e-6)
        spectra: Tensor = torch.fft.rfft2(even / norm)
        return spectra

    def _peaks(self, spectrum: Tensor) -> Tensor:
        correlation: Tensor = torch.fft.irfft2(self._train * spectrum, s=(SIZE, SIZE))
        return correlation.flatten(1).abs().amax(1)


def _window(maps: Tensor, top: int, left: int) -> Tensor:
    found = torch.zeros_like(maps)
    rows, columns = (slice(start, start + SIZE // 2) for start in (top, left))
    found[rows, columns] = maps[rows, columns]
    return found
