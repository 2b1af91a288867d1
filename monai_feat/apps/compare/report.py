# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One page and one JSON of a comparison, with a plain sentence on what can be told apart.

A seed is a pair: the same clips, noise and order for two variants. So what is judged is the difference within seeds, by
Student's t, with the intervals of all comparisons right together 95 times in 100 (Bonferroni).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import t as student

from monai_feat.apps.compare.measures import Found
from monai_feat.apps.compare.study_file import Study
from monai_feat.files import write_json, write_text

__all__ = ["Difference", "compare", "describe", "overall_error", "write_report"]

CONFIDENCE = 0.95
NOISY = 1.0  # σ/α from which temporal and spatial modes are shown: below, the input tells almost all


@dataclass(frozen=True)
class Difference:
    """How much larger the error of a variant is than that of the first, as a share: 0.1 is a tenth more.

    Attributes:
        mean: over seeds.
        low: lower end of the interval; −∞ for a single seed.
        high: upper end.
    """

    mean: float
    low: float
    high: float

    @property
    def is_told_apart(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def overall_error(found: Found) -> float:
    """Return the geometric mean of the errors over noise levels, which halves where each of them does."""
    return math.exp(statistics.fmean(map(math.log, found.errors)))


def compare(first: Sequence[Found], other: Sequence[Found], num_comparisons: int = 1) -> Difference:
    """Compare the errors of two variants, seed by seed, in the logarithm."""
    logs = [math.log(overall_error(b) / overall_error(a)) for a, b in zip(first, other, strict=True)]
    mean, half = statistics.fmean(logs), math.inf
    if len(logs) > 1:
        quantile = student.ppf(1 - (1 - CONFIDENCE) / 2 / num_comparisons, len(logs) - 1)
        half = float(quantile) * statistics.stdev(logs) / math.sqrt(len(logs))
    return Difference(math.expm1(mean), math.expm1(mean - half), math.exp(min(mean + half, 700)) - 1)


def describe(study: Study, found: Mapping[str, Sequence[Found]]) -> Iterator[str]:
    """Yield the lines of the page."""
    (kind, amount), *_ = study.budget.items()
    yield from (f"# {study.title}", "")
    yield f"Budget of a run: {amount:g} {kind.replace('_', '-')}. Seeds: {', '.join(map(str, study.seeds))}."
    yield from ("", *_sentences(found), "", *_costs(found), "", *_errors(found), "", *_modes(found))
    if study.samples:
        yield from ("", *_samples(found))


def _sentences(found: Mapping[str, Sequence[Found]]) -> Iterator[str]:
    first, *others = found
    for name in others:
        difference = compare(found[first], found[name], len(others))
        word = "higher" if difference.mean > 0 else "lower"
        if len(found[name]) == 1:
            said = "one seed, so nothing can be told"
        else:
            interval = f"{difference.low:+.1%} to {difference.high:+.1%}, {len(found[name])} seeds"
            said = f"{interval}: {'told apart' if difference.is_told_apart else 'cannot be told apart'}"
        yield f"- {name}: error {abs(difference.mean):.1%} {word} than {first} ({said})."


def _costs(found: Mapping[str, Sequence[Found]]) -> Iterator[str]:
    yield "| variant | parameters | GFLOPs of a forward pass | CPU-seconds of a training step | MiB of it |"
    yield "|---|---|---|---|---|"
    for name, runs in found.items():
        cost, seconds = runs[0], statistics.median(run.step_seconds for run in runs)
        sizes = f"{cost.parameters:,} | {cost.flops / 1e9:.2f} | {seconds:.3f} | {cost.step_bytes / 2**20:.0f}"
        yield f"| {name} | {sizes} |"


def _errors(found: Mapping[str, Sequence[Found]]) -> Iterator[str]:
    ratios = next(iter(found.values()))[0].ratios
    yield "Error of denoising held-out latents over their variance, by noise level σ/α; overall is the geometric mean:"
    yield from ("", f"| variant | overall | {' | '.join(f'{ratio:g}' for ratio in ratios)} |")
    yield "|---" * (len(ratios) + 2) + "|"
    for name, runs in found.items():
        columns = zip(*([overall_error(run), *run.errors] for run in runs), strict=True)
        yield f"| {name} | {' | '.join(_cell(column, 4) for column in columns)} |"


def _modes(found: Mapping[str, Sequence[Found]]) -> Iterator[str]:
    one = next(iter(found.values()))[0]
    times, bands = range(len(one.by_time[0])), range(len(one.by_space[0]))
    shown = [mode for mode in times if mode in (0, 1, 2, 3, 4, 8, 15)]
    yield f"Error over the prior's, by temporal mode and spatial band, mean of levels from {NOISY:g}; above 1 it harms:"
    heads = [*(f"mode {mode}" for mode in shown), *(f"band {band}" for band in bands)]
    yield from ("", f"| variant | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|")
    for name, runs in found.items():
        rows = [[*(_noisy(r, r.by_time)[m] for m in shown), *_noisy(r, r.by_space)] for r in runs]
        yield f"| {name} | {' | '.join(_cell(column, 2) for column in zip(*rows, strict=True))} |"


def _noisy(run: Found, errors: Sequence[Sequence[float]]) -> list[float]:
    rows = [row for ratio, row in zip(run.ratios, errors, strict=True) if ratio >= NOISY]
    return [statistics.fmean(column) for column in zip(*rows, strict=True)]


def _samples(found: Mapping[str, Sequence[Found]]) -> Iterator[str]:
    one = next(iter(found.values()))[0].samples
    shown = [mode for mode in range(len(one["time"])) if mode in (1, 2, 3, 4, 8)]
    yield "Samples: power over real clips' by temporal mode and spatial band, and distance of descriptors:"
    heads = [*(f"mode {mode}" for mode in shown), *(f"band {band}" for band in range(len(one["space"]))), "descriptors"]
    yield from ("", f"| variant | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|")
    for name, runs in found.items():
        rows = [[*(r.samples["time"][m] for m in shown), *r.samples["space"], r.samples["descriptors"]] for r in runs]
        yield f"| {name} | {' | '.join(_cell(column, 2) for column in zip(*rows, strict=True))} |"


def _cell(values: Sequence[float], digits: int) -> str:
    spread = f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):.{digits}f}{spread}"


def write_report(study: Study, found: Mapping[str, Sequence[Found]], out: Path) -> None:
    """Write ``report.md`` and ``report.json``."""
    write_text(out / "report.md", "\n".join(describe(study, found)) + "\n")
    runs = {name: [run.to_json() for run in each] for name, each in found.items()}
    content = {"title": study.title, "budget": dict(study.budget), "seeds": list(study.seeds), "runs": runs}
    write_json(out / "report.json", content)
