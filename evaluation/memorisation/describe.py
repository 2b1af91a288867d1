# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the gate found, as lines to print."""

from __future__ import annotations

from ..results import GateResult, NearestPair

__all__ = ["describe"]

NUM_SHOWN = 3  # nearest pairs of a gate that found no copy


def describe(result: GateResult) -> str:
    """Return the verdict, the reason, and the names of all copies with the training clips they repeat, as lines."""
    lines = [_headline(result), *([result.note] if result.note else [])]
    lines += [f"  {_pair(copy.pair)}, limit {copy.threshold:.3f}" for copy in result.copies]
    if not result.copies:
        lines += ["Nearest pairs:", *(f"  {_pair(pair)}" for pair in result.nearest[:NUM_SHOWN])]
    return "\n".join([*lines, _rates(result)])


def _headline(result: GateResult) -> str:
    if result.copies:
        found = f"{len(result.copies)} of {result.num_fake} synthetic clips repeat training clips"
        return f"Memorisation gate: FAILED; {found}"
    verdict = "passed; no synthetic clip repeats a training clip" if result.passed else "FAILED; it cannot be trusted"
    return f"Memorisation gate: {verdict} ({result.num_fake} synthetic, {result.num_train} training clips)"


def _pair(pair: NearestPair) -> str:
    how = [f"in {pair.space}"]
    if pair.flipped:
        how.append("mirrored")
    if pair.how:
        how.append(pair.how)
    if pair.offset:
        frames = "1 frame" if abs(pair.offset) == 1 else f"{abs(pair.offset)} frames"
        how.append(f"{frames} {'later' if pair.offset > 0 else 'earlier'}")
    return f"{pair.fake} <- {pair.train}: distance {pair.distance:.3f} ({', '.join(how)}), p {pair.p_value:.3f}"


def _rates(result: GateResult) -> str:
    told = (
        f"Set for {result.false_positive_rate:.0%} false positives, of one clip and of the gate, by "
        f"{result.num_held_out} held-out clips of {result.num_held_out_groups} patients"
    )
    if result.simulated_false_positive_rate is None or result.simulated_gate_rate is None:
        return f"{told}; too few of them to simulate these rates."
    clip, gate = result.simulated_false_positive_rate, result.simulated_gate_rate
    return f"{told}; with some of them as synthetic clips, {clip:.1%} of clips are near and {gate:.1%} of gates fail."
