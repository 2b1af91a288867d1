# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Perceptual hashes of frames, and which clips are nearly the same by them.

Shape letters: N clips, F hashed frames of a clip, K bits of a hash, S side of the thumbnails.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

__all__ = [
    "HASH_BITS",
    "NEAR",
    "REACH",
    "THUMBNAIL",
    "clip_distances",
    "clip_variants",
    "frame_hashes",
    "near_duplicates",
    "thumbnails",
]

THUMBNAIL = 64
REACH = 4  # 6 % of the side
# Of 435 pairs of different ultrasound phantoms, whose sectors are alike, the nearest are 0.127 apart; of different
# endoscopy phantoms 0.29. Copies that are recompressed (x264, crf 35), mirrored, moved by 3 % or that begin later stay
# below 0.12, but for one in a hundred. Real lung clips of different patients are 0.26 apart and more.
NEAR = 0.12
_FREQUENCIES = 16
HASH_BITS = _FREQUENCIES**2 - 1
_CHUNK = 256  # clips compared at once, for memory


def thumbnails(frames: Tensor) -> Tensor:
    """Shrink frames to grey squares by averaging areas; distortion is wanted, as copies may have another aspect.

    Args:
        frames: uint8 ``(C, T, H, W)``, C = 3 (RGB) or 1 (grey).

    Returns:
        float32 in [0, 255], ``(T, S, S)`` with S = `THUMBNAIL`.
    """
    weights = torch.tensor((0.299, 0.587, 0.114) if frames.shape[0] == 3 else (1.0,))
    grey = torch.tensordot(weights, frames.float(), dims=1)  # (T, H, W)
    return F.adaptive_avg_pool2d(grey, THUMBNAIL)


def frame_hashes(thumbs: Tensor) -> Tensor:
    """Signs of the low frequencies of each thumbnail: the perceptual hash of Zauner (2010), on 16 x 16 frequencies.

    The DCT-II coefficient C[u, v] of a mirrored picture is (−1)^v C[u, v] (upside down: (−1)^u), so that comparing
    signs with 0, rather than with the median as usual, makes mirrored copies comparable without hashing them again.

    Args:
        thumbs: float ``(F, S, S)``.

    Returns:
        float32 ``(F, K)`` of −1 and 1, K = `HASH_BITS`; the mean (u = v = 0) is left out.
    """
    n = torch.arange(THUMBNAIL, dtype=torch.float32)
    cosine = torch.cos(math.pi / THUMBNAIL * n[:_FREQUENCIES, None] * (n + 0.5))  # (frequencies, S)
    spectrum = cosine @ thumbs @ cosine.T
    return torch.where(spectrum.flatten(1)[:, 1:] >= 0, 1.0, -1.0)


def clip_variants(thumbs: Tensor) -> Tensor:
    """Hashes of frames as they are, mirrored three ways, and each of these moved by up to `REACH` thumbnail pixels.

    Args:
        thumbs: float ``(F, S, S)``.

    Returns:
        float32 ``(V, F, K)`` with V = 4 (2 · `REACH` + 1)².
    """
    padded = F.pad(thumbs[None], (REACH,) * 4, mode="replicate")[0]
    windows = padded.unfold(1, THUMBNAIL, 1).unfold(2, THUMBNAIL, 1)  # (F, shifts, shifts, S, S)
    moved = frame_hashes(windows.flatten(1, 2).transpose(0, 1).flatten(0, 1)).unflatten(0, (-1, len(thumbs)))
    variants: Tensor = _mirrorings()[:, None, None] * moved  # (4, shifts², F, K)
    return variants.flatten(0, 1)


def clip_distances(variants: Tensor, others: Tensor) -> Tensor:
    """Share of bits in which a clip differs from others, at best over its variants: 0 for copies, near ½ by chance.

    Each frame of one clip is compared with the most similar frame of the other, and these are averaged, so that copies
    that begin later or run at another rate are near as well. The smaller of both directions counts.

    Args:
        variants: hashes ``(V, F, K)`` of one clip, by `clip_variants`.
        others: hashes ``(N, F', K)`` of clips, by `frame_hashes`.

    Returns:
        float32 ``(N,)`` in [0, 1].
    """
    agreement = variants.flatten(0, 1) @ others.flatten(0, 1).T  # in [-K, K]
    differing = (0.5 - 0.5 / HASH_BITS * agreement).reshape(*variants.shape[:2], *others.shape[:2])  # (V, F, N, F')
    forth, back = differing.amin(3).mean(1), differing.amin(1).mean(2)  # (V, N)
    distances: Tensor = torch.minimum(forth, back).amin(0)
    return distances


def near_duplicates(
    thumbs: Sequence[Tensor], threshold: float = NEAR, progress: bool = False
) -> Iterator[tuple[int, int, float]]:
    """Yield ``(i, j, distance)``, i < j, of all pairs of clips whose distance is at most the threshold.

    Args:
        thumbs: thumbnails ``(F, S, S)`` of the frames to compare, the same number F for every clip.
        threshold: largest distance of near-duplicates.
        progress: show a bar with the time left.
    """
    if not thumbs:
        return
    hashes = torch.stack([frame_hashes(frames) for frames in thumbs])
    for i in tqdm(range(len(thumbs) - 1), desc="comparing clips", unit="clip", disable=not progress):
        variants = clip_variants(thumbs[i])
        for start in range(i + 1, len(thumbs), _CHUNK):
            distances = clip_distances(variants, hashes[start : start + _CHUNK])
            for j in torch.nonzero(distances <= threshold).flatten().tolist():
                yield i, start + j, float(distances[j])


def _mirrorings() -> Tensor:
    """Factors on the bits of a hash for no, left-right, up-down and both mirrorings, ``(4, K)``."""
    sign = torch.tensor([1.0, -1.0]).repeat(_FREQUENCIES // 2)
    plain = torch.ones(_FREQUENCIES)
    factors = [torch.outer(a, b).flatten()[1:] for a in (plain, sign) for b in (plain, sign)]
    return torch.stack(factors)
