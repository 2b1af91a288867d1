# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What an evaluation found: plain data that the report draws and the JSON file holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor

if TYPE_CHECKING:  # which imports what the gate finds
    from .privacy.findings import Membership

__all__ = [
    "POWER_MARGIN",
    "Copy",
    "Curve",
    "Distribution",
    "Evaluation",
    "Floor",
    "GateResult",
    "Interval",
    "NearestPair",
    "PowerRatio",
    "Repeats",
    "Score",
]

Reference = Literal["train", "held_out"]

POWER_MARGIN = 1.25
"""How many times more or less power synthetic clips may have than real ones before it is a fault."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval; `coverage` is how often it held the truth in simulation, None where it was not simulated.

    `centre` is the estimate that it lies around. It differs from the score where that is biased and the interval is
    not: for want of clips, or because clips come in groups.
    """

    low: float
    high: float
    level: float
    method: str
    coverage: float | None = None
    centre: float | None = None


@dataclass(frozen=True)
class Floor:
    """What the same distance gives for real against other real clips at the same N: nothing can be told apart below it.

    `measured` is the mean over splits and `interval` their spread, None where there are too few real clips to split;
    `closed_form` is the first-order expectation for two samples of one Gaussian law, None where there is none. The
    splits had about `num_real` and `num_fake` clips, fewer than the score; what they gave was multiplied by `scale` to
    make up for that, 1 where no correction is known. `note` explains it, or why nothing was measured. `blind_to` names
    what a bad generator could do and still score like real clips, tried on the real clips themselves: a score within
    such a floor says nothing.
    """

    measured: float | None
    interval: Interval | None
    closed_form: float | None
    num_real: int | None = None
    num_fake: int | None = None
    scale: float = 1.0
    note: str = ""
    blind_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Score:
    """One number, with all that is needed to read it.

    Attributes:
        metric: stable key, such as ``frechet_random_features``.
        title: for people, such as ``Fréchet distance of random features``.
        reference: which real clips the synthetic ones are compared with.
        value: of the synthetic clips.
        interval: around `value`; None where no method of known coverage applies.
        floor: what real clips score against each other; None for scores that have no such floor.
        num_real: clips (or frames) of the reference.
        num_fake: synthetic clips (or frames).
        num_features: D; None for scores without features.
        higher_is_better: None for a property that should merely agree.
        unit: of `value`; empty for none.
        meaningful: False where the number must not be read, such as a Fréchet distance at N < 1.3 D.
        note: why not, or what to bear in mind; empty for nothing.
        lead: whether the report puts this score first.
        fingerprint: identity of the protocol; scores with different ones are never put in one table.
    """

    metric: str
    title: str
    reference: Reference
    value: float
    interval: Interval | None
    floor: Floor | None
    num_real: int
    num_fake: int
    num_features: int | None = None
    higher_is_better: bool | None = False
    unit: str = ""
    meaningful: bool = True
    note: str = ""
    lead: bool = False
    fingerprint: str = ""


@dataclass(frozen=True)
class Distribution:
    """One measured property of each clip, on all sides, such as motion magnitude in pixels per frame."""

    name: str
    title: str
    unit: str
    train: tuple[float, ...]
    fake: tuple[float, ...]
    held_out: tuple[float, ...] = ()


@dataclass(frozen=True)
class Curve:
    """How one distance answers to one corruption of the real clips, at growing severity; level 0 is the floor."""

    metric: str
    corruption: str
    levels: tuple[float, ...]
    values: tuple[float, ...]
    monotone: bool


@dataclass(frozen=True)
class NearestPair:
    """A synthetic clip and the training clip nearest to it.

    Attributes:
        fake: name of the synthetic clip.
        train: name of the training clip.
        space: where distance was measured, such as ``pixels`` or ``frames``.
        distance: in that space.
        p_value: share of the null (held-out to train) at or below this distance, corrected as (k + 1) / (n + 1).
        offset: frames by which the synthetic clip starts later than the training clip at the best match; of single
            frames, by which it comes later.
        flipped: whether the match is with the mirrored clip.
        fake_clip: pixels, uint8 ``(C, T, H, W)``; not written to JSON.
        train_clip: likewise.
        how: what else was done to the training clip to make the synthetic one of it, in words; empty for nothing.
    """

    fake: str
    train: str
    space: str
    distance: float
    p_value: float
    offset: int = 0
    flipped: bool = False
    fake_clip: Tensor | None = field(default=None, repr=False, compare=False)
    train_clip: Tensor | None = field(default=None, repr=False, compare=False)
    how: str = ""


@dataclass(frozen=True)
class Copy:
    """A synthetic clip that lies nearer to a training clip than calibration allows."""

    pair: NearestPair
    threshold: float


@dataclass(frozen=True)
class GateResult:
    """What the memorisation gate found; it is passed only where it could be calibrated and found no copy.

    Attributes:
        passed: whether no copy was found, so that the synthetic clips may be released.
        copies: synthetic clips that repeat a training clip, nearest first.
        nearest: the most suspicious pairs, copies or not, nearest first, with pixels.
        thresholds: distance below which one clip is a copy, by space.
        false_positive_rate: that was asked for: of one clip, over all spaces, to be near; of the gate, to fail.
        simulated_false_positive_rate: share of clips that were near while held-out patients played synthetic ones; None
            where there are too few of them.
        num_fake: synthetic clips.
        num_train: training clips.
        num_held_out: held-out clips, by which the gate is calibrated.
        note: why the verdict is as it is, where copies do not tell; empty for nothing.
        simulated_gate_rate: share of gates that failed meanwhile.
        num_near: synthetic recordings that are near and no plain copies, counted by the share of their clips.
        max_near: how many may be near by chance before the gate fails.
        num_held_out_groups: patients of the held-out clips.
    """

    passed: bool
    copies: tuple[Copy, ...]
    nearest: tuple[NearestPair, ...]
    thresholds: dict[str, float]
    false_positive_rate: float
    simulated_false_positive_rate: float | None
    num_fake: int
    num_train: int
    num_held_out: int
    note: str = ""
    simulated_gate_rate: float | None = None
    num_near: float = 0.0
    max_near: int = 0
    num_held_out_groups: int = 0


@dataclass(frozen=True)
class Repeats:
    """Whether synthetic clips are more alike than real ones.

    Attributes:
        repeated: synthetic clips that have another one as near as only 5 % of real clips have.
        num_fake: synthetic clips that were looked at.
        most: how many may be by chance.
        nearness: median distance of a synthetic clip from the nearest other one, over that of real clips.
        space: where distances were taken, for people.
    """

    repeated: int
    num_fake: int
    most: int
    nearness: float
    space: str

    @property
    def found(self) -> bool:
        """Whether there are more repeats than chance explains."""
        return self.repeated > self.most

    @property
    def are_copies(self) -> bool:
        """Whether most are as good as copies of each other, and not only blurred or of little variety."""
        return self.found and self.nearness < 0.25


@dataclass(frozen=True)
class PowerRatio:
    """Power of synthetic over real clips in some bands of time and space; 1 is right, neither more nor less is better.

    Attributes:
        name: stable key, such as ``finest``.
        title: for people.
        value: the ratio.
        interval: of it; None where all clips of a side are of one patient.
    """

    name: str
    title: str
    value: float
    interval: Interval | None

    @property
    def standing(self) -> Literal["less", "more", "alike", "unclear"]:
        """Where the whole interval lies: below, above or within a factor of 1.25 of 1; ``unclear`` anywhere else."""
        if self.interval is None:
            return "unclear"
        low, high = self.interval.low, self.interval.high
        if high < 1 / POWER_MARGIN or low > POWER_MARGIN:
            return "less" if high < 1 else "more"
        return "alike" if low >= 1 / POWER_MARGIN and high <= POWER_MARGIN else "unclear"


@dataclass(frozen=True)
class Evaluation:
    """All that one run found.

    Attributes:
        title: for people.
        protocol: the fingerprint in full: everything that moves a number.
        fingerprint: its short hash.
        sources: where the sides came from: path, clips, codec, frame rate and size as found, for each side.
        warnings: what a reader must know before the numbers.
        scores: in the order of the report.
        distributions: of properties of clips.
        curves: of corruptions; empty where none were asked for.
        gate: None where no held-out clips were given.
        membership: of the training patients in the weights; None where none were given.
        repeats: among the synthetic clips; None where there are too few.
        power: of synthetic over real clips, by band of time and space.
        clips: a few clips of each side to look at, uint8 ``(C, T, H, W)``; not written to JSON.
        frame_rate: of these clips, Hz.
        command: that makes this again.
        seconds: that it took.
        versions: of the software.
    """

    title: str
    protocol: dict[str, Any]
    fingerprint: str
    sources: dict[str, dict[str, Any]]
    warnings: tuple[str, ...]
    scores: tuple[Score, ...]
    distributions: tuple[Distribution, ...] = ()
    curves: tuple[Curve, ...] = ()
    gate: GateResult | None = None
    membership: Membership | None = None
    repeats: Repeats | None = None
    power: tuple[PowerRatio, ...] = ()
    clips: dict[str, tuple[Tensor, ...]] = field(default_factory=dict, repr=False, compare=False)
    frame_rate: float = 0.0
    command: str = ""
    seconds: float = 0.0
    versions: dict[str, str] = field(default_factory=dict)

    @property
    def may_be_shared(self) -> bool:
        """Whether no training clip was found among the synthetic ones, nor, where they were given, in the weights."""
        is_told = self.membership is not None and not self.membership.passed
        return self.gate is not None and self.gate.passed and not is_told

    def to_dict(self) -> dict[str, Any]:
        """Return everything but pixels, as JSON can hold it."""
        found: dict[str, Any] = _without_pixels(asdict(replace(self, clips={})))
        del found["clips"]
        return found


def _without_pixels(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_pixels(item) for key, item in value.items() if key not in _PIXELS}
    if isinstance(value, (tuple, list)):
        return [_without_pixels(item) for item in value]
    return value


_PIXELS = ("fake_clip", "train_clip")
