# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One evaluation from end to end: clips, features, scores, memorisation gate, corruption curves."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, distributed, nn
from tqdm import tqdm

from monai_feat import ClipGenerator, __version__
from monai_feat.metrics.features import DescriptorFeatures, FeatureNetwork
from monai_feat.metrics.functional.properties import Modality
from monai_feat.transforms import to_unit_range

from .memorisation import run_gate
from .privacy.errors import as_denoiser, measure_errors
from .privacy.findings import Membership
from .privacy.inference import infer_membership
from .reading.clips import ClipSet, evenly_spaced
from .reading.comparison import Comparison
from .reading.protocol import Protocol, content_digest
from .results import Curve, Evaluation, GateResult, PowerRatio, Repeats
from .scoring.feature_cache import Features, extract_features
from .scoring.properties import ClipProperties, chosen_properties
from .scoring.repeats import find_repeats
from .scoring.scorecard import distributions, score_all
from .scoring.spaces import FeatureSpace
from .scoring.spectrum import ClipSpectrum, power_ratios
from .sensitivity import corruption_curves

__all__ = ["Settings", "evaluate"]

_SHOWN_CLIPS = 8
_CURVE_CLIPS = 128
_SHOWN_FRAME_RATE = 10.0  # of clips that have none
_PACKAGES = ("torch", "monai", "torchmetrics", "av")


@dataclass(frozen=True)
class Settings:
    """What a run does besides comparing; none of it moves a score.

    Attributes:
        cache: folder of cached features.
        batch_size: clips that pass through a network at once.
        skip_bad: leave out clips that cannot be read.
        corruptions: measure the corruption curves of the distances.
        modality: of the properties that are measured.
        autoencoder: encodes clips for the memorisation gate; None looks at pixels alone.
        generator: weights that are asked whether they tell the patients of their training; None for none.
        weights: where they lie.
        command: that was given.
        progress: show bars.
    """

    cache: Path
    batch_size: int = 8
    skip_bad: bool = False
    corruptions: bool = False
    modality: Modality = "any"
    autoencoder: nn.Module | None = None
    generator: ClipGenerator | None = None
    weights: str = ""
    command: str = ""
    progress: bool = True


def evaluate(comparison: Comparison, spaces: Sequence[FeatureSpace], settings: Settings) -> Evaluation | None:
    """Score the synthetic clips of a comparison.

    Args:
        comparison: its sides, opened and checked.
        spaces: feature spaces, the leading one first.
        settings: what else to do, and where.

    Returns:
        All that was found; None in all processes of a group but the first.

    Raises:
        VideoReadError: a clip cannot be read.
        ValueError: features are not finite, or clips do not suit a network.
    """
    started = time.monotonic()
    measured = ClipProperties(chosen_properties(settings.modality, comparison.protocol.num_frames))
    spectrum = ClipSpectrum()
    networks = [*(space.network for space in spaces), *([measured] if measured.properties else []), spectrum]
    sides = _features(comparison, networks, settings)
    if distributed.is_initialized() and distributed.get_rank() > 0:
        return None
    protocol = _completed(comparison, spaces, sides)
    fingerprint = protocol.fingerprint()
    scores = score_all(spaces, measured, sides, protocol, settings.progress)
    evaluation = Evaluation(
        title=f"{comparison.sides['fake'].spec} against {comparison.sides['train'].spec}",
        protocol=protocol.to_dict(),
        fingerprint=fingerprint,
        sources=comparison.facts(),
        warnings=comparison.warnings,
        scores=tuple(replace(score, fingerprint=fingerprint) for score in scores),
        distributions=tuple(distributions(measured, sides)),
        curves=_curves(comparison, spaces, settings),
        gate=_gate(comparison, settings),
        membership=_membership(comparison, settings),
        repeats=_repeats(spaces, sides),
        power=_power(spectrum, sides),
        clips={name: _some_clips(comparison.clips(name)) for name in comparison.sides},
        frame_rate=_shown_frame_rate(comparison),
        command=settings.command,
        versions=_versions(),
    )
    return replace(evaluation, seconds=time.monotonic() - started)


def _features(comparison: Comparison, networks: Sequence[FeatureNetwork], settings: Settings) -> dict[str, Features]:
    """Features of all sides; recordings that could not be read leave their side."""
    rule = comparison.protocol.frame_windows
    apart = [network for network in networks if network.takes == "frames" and rule is not None]
    together = [network for network in networks if network not in apart]
    found: dict[str, Features] = {}
    for name, side in comparison.sides.items():
        clips = comparison.clips(name)
        found[name] = _extract(clips, together, side.label, settings)
        comparison.leave_out(name, clips, found[name].bad)
        if apart:
            frames = _extract(comparison.clips(name, rule), apart, f"{side.label} frames", settings)
            found[name].samples.update(frames.samples)
    return found


def _extract(clips: ClipSet, networks: Sequence[FeatureNetwork], label: str, settings: Settings) -> Features:
    return extract_features(
        clips,
        networks,
        settings.cache,
        label,
        batch_size=settings.batch_size,
        skip_bad=settings.skip_bad,
        progress=settings.progress,
    )


def _completed(comparison: Comparison, spaces: Sequence[FeatureSpace], sides: dict[str, Features]) -> Protocol:
    """The protocol with all that is known now: networks, data and numbers of clips."""
    references = [name for name in ("train", "held_out") if name in sides]
    return replace(
        comparison.protocol,
        networks={space.key: space.network.identity for space in spaces},
        references={name: content_digest(r.digest for r in comparison.sides[name].recordings) for name in references},
        num_real={name: len(sides[name].digests) for name in references},
        num_fake=len(sides["fake"].digests),
    )


def _curves(comparison: Comparison, spaces: Sequence[FeatureSpace], settings: Settings) -> tuple[Curve, ...]:
    """Curves of some of the real clips: each clip is corrupted in many ways."""
    if not settings.corruptions:
        return ()
    clips = comparison.clips("train")
    chosen = evenly_spaced(len(clips), _CURVE_CLIPS)
    taking_clips = [space for space in spaces if space.network.takes == "clips"]
    return corruption_curves(
        [clips[i] for i in chosen],
        taking_clips,
        [clips.groups[i] for i in chosen],
        seed=comparison.protocol.seed,
        progress=settings.progress,
    )


def _repeats(spaces: Sequence[FeatureSpace], sides: dict[str, Features]) -> Repeats | None:
    """By descriptors, which see the finest differences, or else by the leading space of clips."""
    of_clips = [space for space in spaces if space.network.takes == "clips"]
    if not of_clips:
        return None
    space = next((space for space in of_clips if isinstance(space.network, DescriptorFeatures)), of_clips[0])
    return find_repeats(space, *(sides[name].samples[space.key] for name in ("train", "fake")))


def _power(spectrum: ClipSpectrum, sides: dict[str, Features]) -> tuple[PowerRatio, ...]:
    samples = {name: features.samples[spectrum.name] for name, features in sides.items()}
    return tuple(power_ratios([sample for name, sample in samples.items() if name != "fake"], samples["fake"]))


def _gate(comparison: Comparison, settings: Settings) -> GateResult | None:
    """Every frame of every recording is looked at: what was copied need not lie in the window that is scored."""
    if "held_out" not in comparison.sides:
        return None
    sides = {name: comparison.clips(name, "cover") for name in ("fake", "train", "held_out")}
    latents = None
    if settings.autoencoder is not None:
        latents = {name: _encode(clips, settings.autoencoder, settings.progress) for name, clips in sides.items()}
    return run_gate(
        sides["fake"],
        sides["train"],
        sides["held_out"],
        names=[clips.names for clips in sides.values()],
        groups=[clips.groups for clips in sides.values()],
        latents=latents,
        seed=comparison.protocol.seed,
        progress=settings.progress,
    )


def _membership(comparison: Comparison, settings: Settings) -> Membership | None:
    """Whether the weights tell the patients of their training; by the windows that are scored."""
    if settings.generator is None or "held_out" not in comparison.sides:
        return None
    network, autoencoder = settings.generator.network, settings.generator.autoencoder
    sides = [comparison.clips(name) for name in ("train", "held_out")]
    seed, progress = comparison.protocol.seed, settings.progress
    train, held_out = (
        measure_errors(as_denoiser(network), autoencoder, clips, seed, label, progress)
        for clips, label in zip(sides, ("errors of training clips", "errors of held-out clips"), strict=True)
    )
    return infer_membership(train, held_out, [clips.groups for clips in sides], settings.weights, seed)


@torch.no_grad()
def _encode(clips: ClipSet, autoencoder: Any, progress: bool) -> Tensor:
    device = next(autoencoder.parameters()).device
    bar = tqdm(clips, desc="latents", unit="clip", disable=not progress)
    try:
        return torch.cat([autoencoder.encode(to_unit_range(clip)[None].to(device)).cpu() for clip in bar])
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"--autoencoder cannot encode clips of {clips.channels} channels: {reason}") from error


def _some_clips(clips: ClipSet) -> tuple[Tensor, ...]:
    return tuple(clips[i] for i in evenly_spaced(len(clips), _SHOWN_CLIPS))


def _shown_frame_rate(comparison: Comparison) -> float:
    clips = comparison.clips("train")
    known = [rate for i in range(len(clips)) if (rate := clips.frame_rate(i)) > 0]
    return median(known) if known else _SHOWN_FRAME_RATE


def _versions() -> dict[str, str]:
    packages = {package: version(package) for package in _PACKAGES}
    return {"python": platform.python_version(), "monai_feat": __version__, **packages}
