# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a predicted mask of a clip is scored by; a missed structure counts as a miss, and nothing is ever NaN."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from monai.metrics import compute_dice, compute_hausdorff_distance, compute_surface_dice
from scipy import ndimage
from torch import Tensor

from monai_feat.metrics.functional import mask_temporal_iou
from monai_feat.transforms.labels import UNKNOWN_LABEL, check_classes

from .metric_table import TOLERANCE

__all__ = ["FOUND_SHARE", "score_clip"]

FOUND_SHARE = 0.5
"""Share of a lesion's pixels that a prediction must cover to have found it."""
_PERCENTILE = 95.0
_NEIGHBOURS = ((1, 1, 1), (1, 1, 1), (1, 1, 1))  # pixels that touch by a corner belong together


def score_clip(
    truth: Tensor,
    predicted: Tensor,
    spacing: Sequence[float] = (1.0, 1.0),
    tolerance: float = TOLERANCE,
    num_classes: int = 2,
) -> dict[str, float]:
    """Score the mask that was predicted for one clip.

    Each structure is scored by itself, and the mean over structures is returned:

    - ``dice``: over all pixels of the clip at once; 1 where both masks are empty.
    - ``surface_dice``: normalised surface distance (Nikolov et al. 2018): the share of both outlines within `tolerance`
      of the other; mean over the frames in which either mask has the structure: 0 where only one has it. 1 where none.
    - ``hd95``: the larger of both directed 95th percentiles of distances between outlines, mean over the same frames;
      the diagonal of the picture where only one mask has the structure. 0 where none.
    - ``lesion_recall``: the share of lesions of which at least `FOUND_SHARE` is covered. A lesion is a connected
      component of the true mask of one frame, corners included. 1 where there are none to find.
    - ``false_positive_frames``: the share of frames without the structure that have a predicted pixel of it; 0 where
      every frame has the structure.
    - ``temporal_consistency``: 1 - abs(the intersection over union of predicted masks of neighbouring frames, less that
      of the true ones), mean over pairs; 1 for a pair in which both are empty, 0 where only one is. A frozen or
      flickering mask loses, the movement of the truth does not. Clips of a single frame have none.

    Args:
        truth: classes, uint8 ``(1, T, H, W)``: 0 is background, `UNKNOWN_LABEL` counts nowhere.
        predicted: likewise, without unknown pixels.
        spacing: height and width of a pixel, such as in mm; 1 gives distances in pixels.
        tolerance: of ``surface_dice``, in the unit of `spacing`.
        num_classes: the background among them.

    Returns:
        Value by name, finite, in the range of `METRICS`.

    Raises:
        TypeError: a mask is not uint8.
        ValueError: the masks differ in shape, hold unknown classes, or spacing or tolerance are not as described.

    Example:
        >>> truth = torch.zeros(1, 2, 8, 8, dtype=torch.uint8)
        >>> truth[:, :, 2:6, 2:6] = 1
        >>> missed = score_clip(truth, torch.zeros_like(truth))
        >>> missed["dice"], missed["lesion_recall"], round(missed["hd95"], 2)
        (0.0, 0.0, 11.31)
    """
    _check(truth, predicted, spacing, tolerance, num_classes)
    known = truth != UNKNOWN_LABEL
    pixel = (float(spacing[0]), float(spacing[1]))
    found = [
        _score_structure((truth == label)[0], ((predicted == label) & known)[0], pixel, tolerance)
        for label in range(1, num_classes)
    ]
    return {name: sum(scores[name] for scores in found) / len(found) for name in found[0]}


def _score_structure(
    truth: Tensor, predicted: Tensor, spacing: tuple[float, float], tolerance: float
) -> dict[str, float]:
    """Score one structure; masks are boolean ``(T, H, W)``."""
    scores = {
        "dice": float(compute_dice(predicted[None, None].float(), truth[None, None].float(), ignore_empty=False)),
        **_surfaces(truth, predicted, spacing, tolerance),
        "lesion_recall": _lesion_recall(truth, predicted),
        "false_positive_frames": _false_positive_frames(truth, predicted),
    }
    return scores | ({"temporal_consistency": _temporal_consistency(truth, predicted)} if len(truth) > 1 else {})


def _surfaces(truth: Tensor, predicted: Tensor, spacing: tuple[float, float], tolerance: float) -> dict[str, float]:
    has_truth, has_predicted = truth.flatten(1).any(1), predicted.flatten(1).any(1)  # (T,)
    frames = int((has_truth | has_predicted).sum())
    if frames == 0:
        return {"surface_dice": 1.0, "hd95": 0.0}
    both = has_truth & has_predicted
    diagonal = math.hypot(truth.shape[1] * spacing[0], truth.shape[2] * spacing[1])
    agreement, distance = 0.0, diagonal * (frames - int(both.sum()))
    if both.any():
        masks = predicted[both][:, None].float(), truth[both][:, None].float()  # (frames, 1, H, W)
        within = compute_surface_dice(*masks, [tolerance], include_background=True, spacing=list(spacing))
        apart = compute_hausdorff_distance(
            *masks, include_background=True, percentile=_PERCENTILE, spacing=list(spacing)
        )
        agreement, distance = float(within.double().sum()), distance + float(apart.double().sum())
    return {"surface_dice": agreement / frames, "hd95": distance / frames}


def _lesion_recall(truth: Tensor, predicted: Tensor) -> float:
    covered = [share for frame in zip(truth, predicted, strict=True) for share in _covered_shares(*frame)]
    return sum(share >= FOUND_SHARE for share in covered) / len(covered) if covered else 1.0


def _covered_shares(truth: Tensor, predicted: Tensor) -> Iterator[float]:
    """Yield how much of each lesion of a frame is covered; masks are ``(H, W)``."""
    lesions, count = ndimage.label(truth.numpy(), structure=_NEIGHBOURS)
    yield from ndimage.mean(predicted.numpy().astype(float), lesions, range(1, count + 1)).tolist() if count else ()


def _false_positive_frames(truth: Tensor, predicted: Tensor) -> float:
    empty = ~truth.flatten(1).any(1)
    return float(predicted.flatten(1).any(1)[empty].double().mean()) if empty.any() else 0.0


def _temporal_consistency(truth: Tensor, predicted: Tensor) -> float:
    steady, expected = _pair_ious(predicted), _pair_ious(truth)
    agreement = (1 - (steady - expected).abs()).nan_to_num(0.0)  # of pairs in which one mask is empty and one is not
    return float(agreement.masked_fill(steady.isnan() & expected.isnan(), 1.0).mean())


def _pair_ious(mask: Tensor) -> Tensor:
    """Return the intersection over union of neighbouring frames, ``(T - 1,)``; NaN where both are empty."""
    pairs = torch.stack([mask[:-1], mask[1:]], dim=1)  # (T - 1, 2, H, W)
    return mask_temporal_iou(pairs[:, None])


def _check(truth: Tensor, predicted: Tensor, spacing: Sequence[float], tolerance: float, num_classes: int) -> None:
    if truth.dtype != torch.uint8 or predicted.dtype != torch.uint8:
        raise TypeError(f"expected uint8 masks, got {truth.dtype} (truth) and {predicted.dtype} (predicted)")
    if truth.shape != predicted.shape or truth.ndim != 4 or truth.shape[0] != 1 or 0 in truth.shape:
        shapes = f"{tuple(truth.shape)} (truth) and {tuple(predicted.shape)} (predicted)"
        raise ValueError(f"expected two masks of one shape (1, T, H, W), got {shapes}")
    if len(spacing) != 2 or not all(0 < size < math.inf for size in spacing):
        raise ValueError(f"expected the height and the width of a pixel, both above 0, got {tuple(spacing)}")
    if not 0 <= tolerance < math.inf:
        raise ValueError(f"expected a tolerance of 0 or more, got {tolerance}")
    if num_classes < 2:
        raise ValueError(f"expected at least 2 classes, the background and a structure, got {num_classes}")
    for mask in (truth, predicted):
        check_classes(mask, num_classes)
    if (predicted == UNKNOWN_LABEL).any():
        raise ValueError(
            f"the predicted mask holds {UNKNOWN_LABEL}, expected classes below {num_classes}: {UNKNOWN_LABEL} is for "
            "unlabelled pixels, in true masks only"
        )
