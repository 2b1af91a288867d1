# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
r"""Corrupt real clips, and tabulate which faults the page names: of clean clips none, of blurred ones blur.

    python -m evaluation.sensitivity.faults
    python -m evaluation.sensitivity.faults --data clips --group "pat(\\d+)" --size 64

Half of the patients are the real clips, the other half, corrupted, the synthetic ones, over several splits. Prints a
Markdown table for each DATA. Exit codes: 0 done, 2 not done, with the reason.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

from torch import Tensor

from monai_feat.data import PHANTOMS
from monai_feat.data.clip_listing import name_by_pattern
from monai_feat.data.source_names import PHANTOM_PREFIX

from ..reading.sources import SourceOptions
from ..report.mending import find_faults
from ..scoring.feature_cache import Sample
from ..scoring.spectrum import ClipSpectrum, power_ratios
from .corruptions import CORRUPTIONS
from .curves import CorruptedFeatures, corrupted_features, split_halves
from .pools import PoolOptions, open_pool

__all__ = ["main", "named_faults"]

Halves = Sequence[tuple[Tensor, Tensor]]


def named_faults(
    features: CorruptedFeatures, groups: Sequence[str], halves: Halves, corruption: str, level: int, seed: int = 0
) -> Counter[str]:
    """Count in how many splits each fault is the first that is named; ``""`` counts where none is.

    Args:
        features: of `ClipSpectrum`, clean and corrupted.
        groups: patient of each clip.
        halves: clips that are real ones, and clips that are corrupted.
        corruption: name of one of `CORRUPTIONS`.
        level: of it; 0 for clean clips.
        seed: of the clips that a collapse shows.
    """
    found: Counter[str] = Counter()
    for real, fake in halves:
        clean = Sample(features.clean[real], [groups[i] for i in real])
        damaged = Sample(features.of(corruption, level, fake, seed), [groups[i] for i in fake])
        faults = find_faults(tuple(power_ratios([clean], damaged)))
        found[faults[0].word if faults else ""] += 1
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        for source in options.data or [PHANTOM_PREFIX + kind for kind in PHANTOMS]:
            print("\n".join(_table(source, options)), flush=True)
    except (OSError, ValueError) as error:
        print(f"faults: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    return 0


def _table(source: str, options: argparse.Namespace) -> Iterator[str]:
    group = None if options.group is None else name_by_pattern(options.group)
    size = None if options.size is None else (options.size, options.size)
    taken = PoolOptions(options.num_clips, size, SourceOptions(num_frames=16, group=group, on_bad="skip"))
    counts: Counter[tuple[str, int, str]] = Counter()
    for seed in range(options.seeds):
        pool = open_pool(source, taken, seed)
        title = "" if options.quiet else f"{source}, seed {seed}"
        features, halves = corrupted_features(pool, ClipSpectrum(), seed, title), split_halves(pool.groups, 4, seed)
        for name, level in [("", 0), *((name, level) for name in CORRUPTIONS for level in (1, 2, 3, 4))]:
            named = named_faults(features, pool.groups, halves, name, level, seed)
            counts.update({(name, level, word): number for word, number in named.items()})
    shown = f"{source}: {len(pool)} clips of {len(set(pool.groups))} patients, {options.seeds} seeds"
    yield f"{shown}, {8 * options.seeds} halves; named first, in percent"
    yield "\n| clips | level 1 | 2 | 3 | 4 |\n|---|---|---|---|---|"
    yield f"| as they are | {_cell(counts, '', 0)} | | | |"
    for name, corruption in CORRUPTIONS.items():
        yield f"| {corruption.title} | {' | '.join(_cell(counts, name, level) for level in (1, 2, 3, 4))} |"


def _cell(counts: Counter[tuple[str, int, str]], name: str, level: int) -> str:
    found = Counter({word: number for (a, b, word), number in counts.items() if (a, b) == (name, level)})
    total = sum(found.values())
    return ", ".join(f"{word or 'nothing'} {100 * number / total:.0f}" for word, number in found.most_common())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation.sensitivity.faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", action="append", help="real clips; may be repeated (default: phantoms of each kind)")
    pattern = "pattern that finds the patient in a path, such as 'pat(\\d+)'"
    parser.add_argument("--group", metavar="REGEX", help=pattern)
    parser.add_argument("--num-clips", type=int, default=32, help="clips to corrupt (default: %(default)s)")
    parser.add_argument("--size", type=int, help="pixels of a side (default: as found; phantoms: 64)")
    parser.add_argument(
        "--seeds", type=int, default=3, help="repeats with other clips and splits (default: %(default)s)"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    return parser


if __name__ == "__main__":
    sys.exit(main())
