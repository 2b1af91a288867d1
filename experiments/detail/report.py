# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables, pictures and numbers of what was found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from experiments.detail.study import BANDS, MODES, Plan, Result
from experiments.seed_table import Row, cell
from monai_feat.files import write_text
from monai_feat.handlers import denoising_panels
from monai_feat.metrics.functional import DenoisingErrors
from monai_feat.visualize import Panel, save_contact_sheet, save_panels

__all__ = ["describe", "write_report"]

NUM_SHOWN = 6
OTHERS = {"descriptors": 2, "random features": 3, "precision": 2, "recall": 2, "PSNR (dB)": 2, "seconds a clip": 2}


def describe(result: Result) -> Iterator[str]:
    """Yield the lines of two Markdown tables, and a sentence where the network is no better than a linear filter."""
    yield "Power over that of real clips, by temporal mode and spatial band, and distances from them:"
    yield ""
    yield from _score_table(result.rows)
    yield ""
    yield "Error of denoising held-out latents, over their variance:"
    yield ""
    yield from _error_table(result.errors)
    behind = [f"{r:g}" for r, b in zip(result.errors.ratios, result.errors.below_wiener(), strict=True) if b <= 0]
    if behind:
        yield f"\nNot better than a linear filter at noise levels {', '.join(behind)}: such a network samples blobs."


def _score_table(rows: list[Row]) -> Iterator[str]:
    digits = {**dict.fromkeys(MODES, 2), **dict.fromkeys(BANDS, 2), **OTHERS}
    yield f"| clips | {' | '.join(digits)} |"
    yield "|---" * (len(digits) + 1) + "|"
    for row in rows:
        cells = [cell(row, name, places) if name in row.scores else "" for name, places in digits.items()]
        yield f"| {row.clips} | {' | '.join(cells)} |"


def _error_table(errors: DenoisingErrors) -> Iterator[str]:
    yield "| noise level σ/α | network | linear filter | below the filter | worst time mode, over the prior |"
    yield "|---|---|---|---|---|"
    network, linear = errors.relative(errors.network), errors.relative(errors.wiener)
    for index, ratio in enumerate(errors.ratios):
        worst = errors.by_time()[index].max()
        yield (
            f"| {ratio:g} | {network[index]:.4f} | {linear[index]:.4f} | {errors.below_wiener()[index]:.0%} "
            f"| {worst:.2f} |"
        )


def write_report(result: Result, plan: Plan, out: Path) -> None:
    """Write ``report.md``, ``report.json``, ``detail.png`` and ``contact_sheet.png``."""
    out.mkdir(parents=True, exist_ok=True)
    save_panels([*_power_panels(result.rows), *denoising_panels(result.errors)], out / "detail.png")
    rows = {"real": result.real[:NUM_SHOWN], "sampled": result.sampled[:NUM_SHOWN]}
    save_contact_sheet(rows, out / "contact_sheet.png")
    write_text(out / "report.md", "\n".join(describe(result)) + "\n")
    errors = {name: values.tolist() for name, values in vars(result.errors).items() if name != "ratios"}
    content = {
        "plan": {name: str(value) for name, value in asdict(plan).items()},
        "rows": [asdict(row) for row in result.rows],
        "denoising": {"ratios": result.errors.ratios, **errors},
    }
    write_text(out / "report.json", json.dumps(content, indent=2) + "\n")


def _power_panels(rows: list[Row]) -> Iterator[Panel]:
    for title, label, names in (("power over real", "temporal mode", MODES), ("", "spatial band", BANDS)):
        lines = {row.clips: [(number, row.scores[name]) for name, number in names.items()] for row in rows}
        yield Panel(title or "power over real", label, lines, level=1.0)
