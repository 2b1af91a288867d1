# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import torch
from torch import Tensor

from evaluation.memorisation import matching
from evaluation.memorisation.descriptors import Whitening
from evaluation.memorisation.matching import match_clips
from evaluation.memorisation.views import latent_views


def maps(count: int, frames: int = 8) -> Tensor:
    return torch.nn.functional.normalize(torch.randn(count, frames, 16), dim=-1).reshape(count, frames, 1, 4, 4)


def naive(clip: Tensor, train: Tensor) -> tuple[float, float]:
    """Best similarity over whole clips and over single frames, by loops."""
    whiten = Whitening(train)
    known, frames = whiten(train), len(clip)
    over_clips, over_frames = [], []
    for view in (clip, clip.flip(-1)):
        seen = whiten(view[None])[0]
        for other in known:
            over_frames += [float(a @ b) for a in seen for b in other]
            for offset in range(-(frames // 4), frames // 4 + 1):
                pairs = [(t, t + offset) for t in range(frames) if 0 <= t + offset < frames]
                over_clips.append(sum(float(seen[t] @ other[u]) for t, u in pairs) / len(pairs))
    return max(over_clips), max(over_frames)


def test_it_is_the_naive_search() -> None:
    given, train = maps(3), maps(5)
    over_clips, over_frames = match_clips(latent_views(given), train)
    for i, clip in enumerate(given):
        expected = naive(clip, train)
        found = float(over_clips.similarity[i]), float(over_frames.similarity[i])
        torch.testing.assert_close(torch.tensor(found), torch.tensor(expected), atol=1e-5, rtol=0)


def test_blocks_change_nothing(monkeypatch) -> None:
    given, train = maps(5), maps(4)
    whole = match_clips(latent_views(given), train)
    monkeypatch.setattr(matching, "BLOCK_NUMBERS", 1)
    for one, other in zip(whole, match_clips(latent_views(given), train), strict=True):
        torch.testing.assert_close(one.similarity, other.similarity)
        assert torch.equal(one.train, other.train)


def test_it_names_clip_offset_and_side() -> None:
    train = maps(6)
    later = torch.cat([train[3, 2:], maps(1)[0, :2]])
    given = torch.stack([train[4], later, train[2].flip(-1)])
    over_clips, over_frames = match_clips(latent_views(given), train)
    assert over_clips.train.tolist() == over_frames.train.tolist() == [4, 3, 2]
    assert over_clips.offset.tolist() == [0, 2, 0]
    assert int(over_frames.offset[1]) == 2
    assert over_clips.flipped.tolist() == over_frames.flipped.tolist() == [False, False, True]
    torch.testing.assert_close(over_clips.similarity, torch.ones(3))


def test_one_stolen_frame_is_seen_by_frames_alone() -> None:
    train, thief = maps(6), maps(1)
    thief[0, 5] = train[1, 0]
    over_clips, over_frames = match_clips(latent_views(thief), train)
    assert over_frames.similarity[0] > 0.999 > 0.9 > over_clips.similarity[0]
    assert int(over_frames.train[0]) == 1
    assert int(over_frames.offset[0]) == -5


def test_z_is_finite_for_equal_clips() -> None:
    train = maps(2, frames=1)
    over_clips, _ = match_clips(latent_views(train), train)
    assert torch.isfinite(over_clips.z).all()
    assert float(over_clips.z[0]) > math.atanh(0.99)
