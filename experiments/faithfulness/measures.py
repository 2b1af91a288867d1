# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is read off masks and images, and how it is compared with what was asked.

Letters: N clips, C channels, T frames, H rows, W columns, k first frames.
"""

from __future__ import annotations

import torch
from torch import Tensor

from monai_feat.metrics.functional import clip_psnr

__all__ = [
    "ejection_fractions",
    "fraction_classes",
    "mask_iou",
    "number_scores",
    "polyps_present",
    "share_of_hits",
    "start_psnr",
]

_LEAST_POLYP = 0.005  # share of a frame's pixels
_REDUCED, _PRESERVED = 0.4, 0.5


def ejection_fractions(masks: Tensor) -> Tensor:
    """Measure ejection fractions by the area–length method, on the largest and the smallest volume of each clip.

    The ventricle's volume is that of a solid of revolution, A²/L up to a constant, with the area A and the long axis L
    of its mask; L is that of the ellipse with the mask's second moments.

    Args:
        masks: of the ventricle, ``(N, 1, T, H, W)``; what is not 0 is inside.

    Returns:
        Fractions in [0, 1], ``(N,)``; NaN where fewer than 2 frames show a ventricle.

    Example:
        >>> masks = torch.zeros(1, 1, 2, 64, 64)
        >>> masks[..., 0, 8:56, 20:44] = 1
        >>> masks[..., 1, 8:56, 26:38] = 1  # half as wide: a quarter of the volume
        >>> round(ejection_fractions(masks).item(), 1)
        0.8
    """
    inside = (masks[:, 0] > 0).double()  # (N, T, H, W)
    area = inside.sum((-2, -1))
    rows, columns = (torch.arange(size, dtype=torch.float64) for size in inside.shape[-2:])
    over_rows, over_columns = inside.sum(-1), inside.sum(-2)
    count = area.clamp(min=1)
    row, column = (over_rows @ rows) / count, (over_columns @ columns) / count
    row_spread = (over_rows @ rows**2) / count - row**2
    column_spread = (over_columns @ columns**2) / count - column**2
    both = torch.einsum("nthw,h,w->nt", inside, rows, columns) / count - row * column
    largest = (row_spread + column_spread) / 2 + (((row_spread - column_spread) / 2) ** 2 + both**2).sqrt()
    length = 4 * (largest + 1 / 12).sqrt()  # a pixel has the second moment 1/12 of its own
    volume = torch.where(area > 0, area**2 / length, torch.nan)  # (N, T)
    least = torch.where(volume.isnan(), torch.inf, volume).amin(1)
    most = torch.where(volume.isnan(), -torch.inf, volume).amax(1)
    return torch.where((area > 0).sum(1) > 1, 1 - least / most, torch.nan).float()


def fraction_classes(fractions: Tensor) -> Tensor:
    """Sort ejection fractions ``(N,)`` into reduced (0), mildly reduced (1) and preserved (2); NaN becomes -1."""
    classes = (fractions >= _REDUCED).float() + (fractions > _PRESERVED).float()
    return torch.where(fractions.isnan(), -1.0, classes)


def polyps_present(masks: Tensor) -> Tensor:
    """Say of clips with masks ``(N, 1, T, H, W)`` whether half of the frames show a polyp: 0 or 1, ``(N,)``."""
    shares = (masks[:, 0] > 0).float().mean((-2, -1))  # (N, T)
    return (shares.median(1).values > _LEAST_POLYP).float()


def number_scores(asked: Tensor, measured: Tensor) -> dict[str, float]:
    """Compare numbers ``(N,)``: mean absolute error, bias, correlation, slope of what is measured over what was asked.

    Clips without a measure are counted, and left out of the rest.
    """
    found = ~measured.isnan()
    error = (measured - asked)[found]
    both = torch.stack((asked[found], measured[found]))
    covariance = torch.cov(both, correction=0) if len(error) else torch.full((2, 2), torch.nan)
    return {
        "mean absolute error": error.abs().mean().item(),
        "bias": error.mean().item(),
        "correlation": (covariance[0, 1] / (covariance[0, 0] * covariance[1, 1]).sqrt()).item(),
        "slope": (covariance[0, 1] / covariance[0, 0]).item(),
        "clips without a measure": float((~found).sum()),
    }


def share_of_hits(asked: Tensor, measured: Tensor) -> dict[str, float]:
    """Compare classes ``(N,)``: the share of clips that are of the class that was asked for."""
    return {"accuracy": (asked == measured).float().mean().item()}


def mask_iou(asked: Tensor, measured: Tensor) -> dict[str, float]:
    """Compare masks ``(N, 1, T, H, W)``: IoU over all frames of a clip, averaged over clips; both empty is 1."""
    first, second = (masks.flatten(1) > 0 for masks in (asked, measured))
    common, either = (first & second).sum(1), (first | second).sum(1)
    return {"IoU": torch.where(either > 0, common / either.clamp(min=1), 1.0).mean().item()}


def start_psnr(asked: Tensor, images: Tensor) -> dict[str, float]:
    """Compare first frames ``(N, C, k, H, W)`` with those of clips ``(N, C, T, H, W)``, both uint8."""
    return {"PSNR of the first frames (dB)": clip_psnr(images[:, :, : asked.shape[2]], asked).mean().item()}
