# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The judgement over a set of clips, from how near they and held-out clips are to training clips.

Its false-positive rate, of refusing clean clips, is shared out between the three reasons to refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from .calibration import Null, group_weights, groups_needed, max_by_chance

__all__ = ["Verdict", "judge", "replay"]

COPY_SHARE, COUNT_SHARE, LEAK_SHARE = 0.5, 0.3, 0.2
NUM_REPLAYS = 200
PLAYING_SHARE = 5  # a fifth of held-out patients plays synthetic clips


@dataclass(frozen=True)
class Verdict:
    """What was judged; N synthetic clips, S spaces.

    Attributes:
        null: scores of held-out clips.
        scores: nearness of synthetic clips ``(N,)``.
        p_values: of synthetic clips ``(N,)``.
        near: those nearer than the false-positive rate allows one clip ``(N,)``.
        copies: those that are taken for copies ``(N,)``.
        leaks: held-out clips that are taken for training clips.
        limit: score above which a clip is taken for a copy.
        num_near: recordings that are near and no plain copies, counted by the share of their clips.
        max_near: recordings that may be near by chance.
        calibrated: whether there are enough held-out patients.
        too_many_near: whether more clips are near, besides plain copies, than chance allows.
    """

    null: Null
    scores: Tensor
    p_values: Tensor
    near: Tensor
    copies: Tensor
    leaks: Tensor
    limit: float
    num_near: float
    max_near: int
    calibrated: bool
    too_many_near: bool

    @property
    def passed(self) -> bool:
        """Whether the gate was calibrated, on a split that does not leak, and found no copy."""
        return self.calibrated and not bool(self.leaks.any()) and not bool(self.copies.any())


def judge(
    z: Tensor, z_held_out: Tensor, groups: Sequence[str], groups_held_out: Sequence[str], false_positive_rate: float
) -> Verdict:
    """Judge synthetic clips by held-out clips.

    A clip is a plain copy if it is nearer than the nearest of so many clean clips would be. Where more of the others
    are near than chance allows, each of these is taken for a copy, too.

    Args:
        z: Fisher's z of the nearest training clip of synthetic clips in each space, ``(S, N)``.
        z_held_out: likewise of held-out clips.
        groups: recording of each synthetic clip.
        groups_held_out: patient of each held-out clip.
        false_positive_rate: of one clip, and of the whole judgement.
    """
    rate, null = false_positive_rate, Null.fit(z_held_out, groups_held_out)
    scores, weights = null.score(z), group_weights(groups)
    near_limit, limit = null.near_limit(rate), null.copy_limit(len(scores), COPY_SHARE * rate)
    near = scores > near_limit
    num_near = float(weights[near & (scores <= limit)].sum())
    max_near = max_by_chance(null.num_groups, round(float(weights.sum())), rate, COUNT_SHARE * rate)
    too_many_near = num_near > max_near
    if too_many_near:
        limit = min(limit, near_limit)
    return Verdict(
        null=null,
        scores=scores,
        p_values=null.p_values(scores),
        near=near,
        copies=scores > limit,
        leaks=null.scores > null.copy_limit(len(null.scores), LEAK_SHARE * rate),
        limit=limit,
        num_near=num_near,
        max_near=max_near,
        calibrated=null.num_groups >= groups_needed(rate),
        too_many_near=too_many_near,
    )


def replay(
    z_held_out: Tensor, groups: Sequence[str], false_positive_rate: float, seed: int = 0
) -> tuple[float, float] | None:
    """Let held-out patients, a fifth at a time, play synthetic clips, and count how often they are refused.

    Returns:
        The share of clips that are near, and the share of the judgements that refuse; None where too few patients
        remain to judge by.
    """
    names = np.asarray(groups)
    members = np.unique(names, return_inverse=True)[1]
    num_groups = int(members.max()) + 1
    playing = num_groups // PLAYING_SHARE
    if playing < 1 or num_groups - playing < groups_needed(false_positive_rate):
        return None
    rng, near, refused = np.random.default_rng(seed), 0.0, 0
    for _ in range(NUM_REPLAYS):
        plays = np.isin(members, rng.permutation(num_groups)[:playing])
        fake, held_out = (names[side].tolist() for side in (plays, ~plays))
        verdict = judge(z_held_out[:, plays], z_held_out[:, ~plays], fake, held_out, false_positive_rate)
        near += float(verdict.near.double().mean())
        refused += not verdict.passed
    return near / NUM_REPLAYS, refused / NUM_REPLAYS
