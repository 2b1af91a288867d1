# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Scores of single frames, of which there are many: Fréchet inception distance and inception score."""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor

from monai_feat.metrics.functional import frechet_distance, inception_score
from monai_feat.metrics.functional.moments import mean_and_covariance, merge_moments, moments_of

from ..results import Reference, Score
from .feature_cache import Sample
from .space_scorer import MIN_CLIPS_PER_FEATURE
from .spaces import FeatureSpace

__all__ = ["score_frames", "score_inception"]

_BLOCK = 4096


def score_frames(space: FeatureSpace, real: Sample, fake: Sample, reference: Reference, correction: int = 1) -> Score:
    """Score single frames by the Fréchet distance.

    It has neither interval nor floor: frames of one clip are too alike to count as samples.
    """
    fewest, needed = min(len(real), len(fake)), MIN_CLIPS_PER_FEATURE * space.num_features
    few = f"{fewest} frames are fewer than 1.3 D = {needed:.0f}: mostly noise of the covariances"
    return Score(
        metric=f"frechet_{space.key}",
        title=f"Fréchet distance of {space.title}",
        reference=reference,
        value=float(frechet_distance(*_moments(real.features, correction), *_moments(fake.features, correction))),
        interval=None,
        floor=None,
        num_real=len(real),
        num_fake=len(fake),
        num_features=space.num_features,
        meaningful=fewest >= needed,
        note="of single frames, without interval or floor" if fewest >= needed else few,
    )


def score_inception(space: FeatureSpace, fake: Sample, splits: int, published_frames: int | None = None) -> Score:
    """Score single synthetic frames by the inception score, which knows no real clips.

    Args:
        space: of class logits.
        fake: frames.
        splits: over which the score is averaged.
        published_frames: that the published score is of, in splits of equal size; with so few that the last split would
            be empty, the published code gives NaN, and the note says so.
    """
    mean, deviation = inception_score(fake.features, min(splits, len(fake)))
    return Score(
        metric="inception_score",
        title="Inception score",
        reference="train",
        value=float(mean),
        interval=None,
        floor=None,
        num_real=0,
        num_fake=len(fake),
        num_features=space.num_features,
        higher_is_better=True,
        note=f"of single frames, compared with no real ones; standard deviation over splits {float(deviation):.2g}"
        + _undefined(len(fake), splits, published_frames),
    )


def _undefined(frames: int, splits: int, published_frames: int | None) -> str:
    if published_frames is None:
        return ""
    needed = (splits - 1) * published_frames // splits + 1
    if frames >= needed:
        return ""
    return f"; undefined by the published code, whose last of {splits} splits is empty below {needed} frames"


def _moments(features: Tensor, correction: int) -> tuple[Tensor, Tensor]:
    """Return mean and covariance in float64, block by block: all frames of all videos would not fit at once."""
    blocks = (moments_of(block) for block in features.split(_BLOCK))
    return mean_and_covariance(reduce(lambda one, other: merge_moments(torch.stack([one, other])), blocks), correction)
