# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Light and colour of endoscopy: specular highlights and CIELAB, one value for each clip."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.ndimage import find_objects, label
from skimage.color import rgb2lab
from torch import Tensor

from monai_feat.metrics.functional.clips import check_clips
from monai_feat.metrics.functional.frechet import feature_moments, frechet_distance
from monai_feat.transforms.endoscopy.specular import detect_specular_highlights

__all__ = ["clip_lab", "lab_colour_distance", "lab_pixels", "specular_area", "specular_lifetime"]


def specular_area(clips: Tensor) -> Tensor:
    """Share of the frame that shows specular highlights, averaged over time.

    Highlights are those of `detect_specular_highlights`, which takes burnt-in white text for highlights as well.

    Args:
        clips: uint8 RGB ``(B, 3, T, H, W)``.

    Returns:
        In [0, 1], float64 ``(B,)``.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.

    Example:
        >>> import torch
        >>> clips = torch.full((1, 3, 2, 64, 64), 60, dtype=torch.uint8)
        >>> clips[..., 30:32, 20:22] = 250
        >>> specular_area(clips) * 64 * 64
        tensor([4.], dtype=torch.float64)
    """
    return _of_each_clip(clips, lambda mask: float(mask.mean()))


def specular_lifetime(clips: Tensor, frame_rate: float = 1.0) -> Tensor:
    """Mean time for which a specular highlight lasts.

    A highlight is a connected region of the highlight masks in space and time (neighbours across corners count, so one
    that moves by less than its width stays one); it lasts for the frames between its first and its last. Highlights
    that begin or end beyond the clip are counted as far as they are seen, so nothing lasts longer than T frames:
    compare clips of the same T.

    Args:
        clips: uint8 RGB ``(B, 3, T, H, W)``.
        frame_rate: Hz; at 1, the result is in frames.

    Returns:
        Seconds, float64 ``(B,)``; NaN for a clip without highlights.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape or the frame rate is not as described.
    """
    if not frame_rate > 0:
        raise ValueError(f"expected a frame rate in Hz, more than 0, got {frame_rate}")
    return _of_each_clip(clips, _mean_lifetime) / frame_rate


def clip_lab(clips: Tensor) -> Tensor:
    """Mean colour of each clip in CIELAB (D65): lightness L*, redness a* and yellowness b*.

    Args:
        clips: uint8 RGB ``(B, 3, T, H, W)``, sRGB.

    Returns:
        float64 ``(B, 3)``; L* in [0, 100], a* and b* about 0 for grey.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.

    Example:
        >>> import torch
        >>> clip_lab(torch.full((1, 3, 1, 2, 2), 255, dtype=torch.uint8)).round().abs()
        tensor([[100., 0., 0.]], dtype=torch.float64)
    """
    return lab_pixels(clips).mean(1)


def lab_pixels(clips: Tensor) -> Tensor:
    """Pixels of each clip in CIELAB (D65): float64 ``(B, T·H·W, 3)`` of uint8 RGB ``(B, 3, T, H, W)``, sRGB.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.
    """
    check_clips(clips, channels=(3,))
    colours = clips.movedim(1, -1).flatten(1, 3)  # (B, T·H·W, 3)
    return torch.from_numpy(rgb2lab(colours.cpu().numpy())).double().to(clips.device)


def lab_colour_distance(real: Tensor, fake: Tensor) -> Tensor:
    """Distance between the colours of two sets of clips, in units of ΔE*ab.

    The 2-Wasserstein (Fréchet) distance √(|μ − μ'|² + tr(Σ + Σ' − 2 (Σ Σ')^½)) between the Gaussians with the moments
    of all their pixels in CIELAB. A mere shift of colour gives its ΔE*ab (CIE 1976), about 2 of which an eye can just
    see. Black surroundings are colours too: crop both sides to the field of view.

    Args:
        real: uint8 RGB ``(B, 3, T, H, W)``.
        fake: likewise, of any size.

    Returns:
        float64 ``()``, at least 0.

    Raises:
        TypeError: the pixels are not uint8.
        ValueError: the shape is not as described.
    """
    moments = [feature_moments(lab_pixels(clips).flatten(0, 1), correction=0) for clips in (real, fake)]
    return frechet_distance(*moments[0], *moments[1]).sqrt()


def _of_each_clip(clips: Tensor, measure: Callable[[np.ndarray], float]) -> Tensor:
    """Apply `measure` to the highlight mask ``(T, H, W)`` of each clip."""
    check_clips(clips, channels=(3,))
    values = [measure(detect_specular_highlights(clip).mask.numpy()) for clip in clips]
    return torch.tensor(values, dtype=torch.float64, device=clips.device)


def _mean_lifetime(mask: np.ndarray) -> float:
    regions, count = label(mask, structure=np.ones((3, 3, 3)))
    spans = [region[0].stop - region[0].start for region in find_objects(regions)]
    return sum(spans) / count if count else float("nan")
