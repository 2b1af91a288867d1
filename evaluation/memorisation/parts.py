# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The training clip of which a clip shows a part: anywhere, smaller or larger, upside down, mirrored, bent a little.

First all training clips are searched coarsely for the pose that fits best; then the few best are compared closely,
place by place. What counts is how well the best places agree, so that the rest of a frame may show anything.
Legend: N clips, M training clips, K key frames, n rows and columns of a detail map.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from .details import DETAIL_SIZE, Equaliser, detail_maps
from .matching import Match
from .poses import POSES, Pose, PoseSearch

__all__ = ["match_parts"]

CANDIDATES = 12  # training clips that are looked at closely
FINER = (0.9, 0.94, 0.97, 1.0, 1.03, 1.06, 1.11)  # zooms about that of the coarse search
REACH = 2  # pixels of 64 by which each place may be off, for turns and warps
PLACE, STEP = 15, 4  # rows and columns of a place, and between two of them
BEST = 0.08  # share of places that count: those inside of a quarter of a frame
EMPTY = 0.15  # part of the mean power of a map; a place with less shows little, and agrees little


@dataclass(frozen=True)
class _Fit:
    """How well, and how, one clip fits one frame of a training clip."""

    agreement: float
    train: int
    frame: int
    pose: Pose
    inverted: bool

    def __str__(self) -> str:
        zoom = self.pose.zoom
        how = {
            "upside down": self.pose.upside_down,
            "grey levels inverted": self.inverted,
            f"{1 / zoom:.2f} times as large": abs(zoom - 1) > 0.05,
        }
        return ", ".join(word for word, holds in how.items() if holds)


def match_parts(pictures: Tensor, train: Tensor, progress: bool = False, name: str = "clips") -> Match:
    """Find the training clip that each clip shows a part of.

    The middle frame of a clip is compared with three frames of each training clip.

    Args:
        pictures: thumbnails of the clips, uint8 ``(N, T, 1, h, w)``.
        train: of the training clips, ``(M, T, 1, h, w)``.
        progress: show a bar with the time left.
        name: of the clips, for the bar.

    Returns:
        Matches; the similarity is the mean correlation of the places that agree best.
    """
    middle = train.shape[1] // 2
    key_frames = sorted({middle * 2 // 5, middle, train.shape[1] - 1 - middle * 2 // 5})
    known = detail_maps(train, key_frames)
    common = known.mean((0, 1))  # what all training frames share: furniture
    close = _CloseLook(known - common)
    search = PoseSearch(known[:, key_frames.index(middle)] - common)
    maps = detail_maps(pictures, [middle])[:, 0]
    shows = (maps != 0).flatten(1).any(1)
    clips = (maps - common) * shows[:, None, None]  # what shows nothing stays nothing
    fits = [_best_fit(clip, search, close) for clip in tqdm(clips, f"parts of {name}", disable=not progress)]
    return Match(
        similarity=torch.tensor([fit.agreement for fit in fits]),
        train=torch.tensor([fit.train for fit in fits]),
        offset=torch.tensor([key_frames[fit.frame] - middle for fit in fits]),
        flipped=torch.tensor([fit.pose.mirrored for fit in fits]),
        how=tuple(map(str, fits)),
    )


def _best_fit(clip: Tensor, search: PoseSearch, close: _CloseLook) -> _Fit:
    peaks, poses = search(clip)
    candidates = peaks.topk(min(CANDIDATES, len(peaks))).indices.tolist()
    return max((close(clip, i, POSES[int(poses[i])]) for i in candidates), key=lambda fit: fit.agreement)


class _CloseLook:
    """Compares a clip with one training clip, place by place.

    Args:
        train: detail maps ``(M, K, n, n)``.
    """

    def __init__(self, train: Tensor) -> None:
        self._equalise = Equaliser(train)
        self._train = self._equalise(train)

    def __call__(self, clip: Tensor, index: int, pose: Pose) -> _Fit:
        """Fit a detail map ``(n, n)`` to a training clip, near a pose."""
        poses = [replace(pose, zoom=pose.zoom * finer) for finer in FINER]
        posed = torch.stack([p.apply(clip[None, None], DETAIL_SIZE)[0] for p in poses])  # (P, 1, n, n)
        even, train = self._equalise(posed), self._train[index]
        value, place = _correlations(even, train).flatten(1).abs().max(1)  # of each pose and frame
        best = int(value.argmax())
        which, frame, shift = best // len(train), best % len(train), divmod(int(place[best]), DETAIL_SIZE)
        moved = even[which, 0].roll(shift, (0, 1))
        sign = 1.0 if float((moved * train[frame]).sum()) >= 0 else -1.0
        return _Fit(_agreement(sign * moved, train[frame]), index, frame, poses[which], sign < 0)


def _correlations(clips: Tensor, train: Tensor) -> Tensor:
    """Correlations ``(P K, n, n)`` at all shifts of maps ``(P, 1, n, n)`` with a training clip ``(K, n, n)``."""
    products = torch.fft.rfft2(train) * torch.fft.rfft2(clips).conj()
    norms = clips.norm(dim=(-2, -1), keepdim=True) * train.norm(dim=(-2, -1), keepdim=True)
    correlations: Tensor = torch.fft.irfft2(products, s=clips.shape[-2:])
    correlations /= norms.clamp_min(1e-6)
    return correlations.flatten(0, 1)


def _agreement(clip: Tensor, train: Tensor) -> float:
    """Mean over the best places of the correlation of two maps ``(n, n)``, each place where it fits best nearby."""
    reach = range(-REACH, REACH + 1)
    nearby = torch.stack([clip.roll((down, right), (0, 1)) for down in reach for right in reach])
    power, power_nearby = _places(train[None].square()), _places(nearby.square())
    floors = EMPTY * train.square().mean(), EMPTY * clip.square().mean()
    norms = ((power + floors[0]) * (power_nearby + floors[1])).sqrt().clamp_min(1e-12)
    agreement = (_places(nearby * train) / norms).amax(0).flatten()
    return float(agreement.topk(max(1, round(BEST * len(agreement)))).values.mean())


def _places(maps: Tensor) -> Tensor:
    return F.avg_pool2d(maps[:, None], PLACE, STEP)[:, 0]
