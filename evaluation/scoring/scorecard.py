# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which scores an evaluation has, against which references, and which of them leads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from tqdm import tqdm

from ..reading.protocol import PRESETS, Protocol
from ..results import Distribution, Reference, Score
from .baseline import Baseline
from .feature_cache import Features, Sample
from .frame_scoring import score_frames, score_inception
from .properties import ClipProperties
from .space_scorer import SpaceScorer, score_property
from .spaces import FeatureSpace

__all__ = ["distributions", "score_all"]

Sides = Mapping[str, Features]

_REFERENCES: tuple[Reference, ...] = ("held_out", "train")


def score_all(
    spaces: Sequence[FeatureSpace], measured: ClipProperties, sides: Sides, protocol: Protocol, progress: bool = False
) -> list[Score]:
    """Compute every score, held-out reference first, and mark the one to read first.

    Args:
        spaces: feature spaces, the leading one first.
        measured: the properties.
        sides: features of ``train``, ``fake`` and perhaps ``held_out``.
        protocol: correction of covariances, splits, seed.
        progress: show a bar with the time left.
    """
    scores: list[Score] = []
    for space in tqdm(spaces, desc="scores", unit="space", disable=not progress):
        score_space = _score_frames if space.network.takes == "frames" else _score_clips
        scores += [_titled(score, space, protocol) for score in score_space(space, sides, protocol)]
    for number in range(len(measured.properties)):
        scores += _score_property(measured, number, sides, protocol.seed)
    return _with_lead(sorted(scores, key=lambda score: _REFERENCES.index(score.reference)))


def distributions(measured: ClipProperties, sides: Sides) -> Iterator[Distribution]:
    """Every property of every clip that has it."""
    for number, entry in enumerate(measured.properties):
        values = {name: _values(measured, features, number) for name, features in sides.items()}
        columns = {name: tuple(sample.features[:, 0].tolist()) for name, sample in values.items()}
        yield Distribution(entry.name, entry.title, entry.unit, **columns)


def _score_clips(space: FeatureSpace, sides: Sides, protocol: Protocol) -> Iterator[Score]:
    samples = {name: features.samples[space.key] for name, features in sides.items()}
    references = [name for name in _REFERENCES if name in samples]
    baseline = Baseline([samples[name] for name in references], len(samples["fake"]), protocol.seed)
    space = space.standardised_by(baseline.features)
    scorer = SpaceScorer(space, samples["fake"], baseline, protocol.correction, protocol.seed)
    for name in references:
        yield from scorer.fidelity(samples[name], name)
    if len(samples["train"]) > 2:
        yield from scorer.copying(samples["train"])


def _score_frames(space: FeatureSpace, sides: Sides, protocol: Protocol) -> Iterator[Score]:
    samples = {name: features.samples[space.key] for name, features in sides.items()}
    most = protocol.max_fake_frames
    fake = Sample(samples["fake"].features[:most], samples["fake"].groups[:most])
    if space.is_logits:
        yield score_inception(space, fake, protocol.inception_splits, protocol.max_fake_frames)
        return
    for name in _REFERENCES:
        if name in samples:
            yield score_frames(space, samples[name], fake, name, protocol.correction)


def _score_property(measured: ClipProperties, number: int, sides: Sides, seed: int) -> Iterator[Score]:
    values = {name: _values(measured, features, number) for name, features in sides.items()}
    references = [name for name in _REFERENCES if name in values]
    if min(map(len, values.values())) < 2:
        return
    baseline = Baseline([values[name] for name in references], len(values["fake"]), seed)
    for name in references:
        yield score_property(measured.properties[number], values[name], values["fake"], name, baseline)


def _values(measured: ClipProperties, features: Features, number: int) -> Sample:
    """One property of the clips that have it."""
    sample = features.samples[measured.name]
    values, exists = measured.values(sample.features, number)
    groups = [group for group, kept in zip(sample.groups, exists.tolist(), strict=True) if kept]
    return Sample(values[exists][:, None], groups)


def _titled(score: Score, space: FeatureSpace, protocol: Protocol) -> Score:
    """Give a Fréchet distance its published name where it is made by a published protocol, and nowhere else."""
    is_published = protocol.preset in PRESETS and protocol.preset != "strict" and bool(space.published_as)
    if not (is_published and score.metric == f"frechet_{space.key}"):
        return score
    if not getattr(space.network, "has_published_weights", True):
        return replace(score, title=f"{score.title} ({protocol.preset}, but weights)")
    return replace(score, title=f"{space.published_as} ({protocol.preset})")


def _with_lead(scores: Sequence[Score]) -> list[Score]:
    """Let the first score that may be read lead: where the Fréchet distance may not, that is the kernel distance."""
    first = next((i for i, score in enumerate(scores) if score.meaningful), None)
    return [replace(score, lead=i == first) for i, score in enumerate(scores)]
