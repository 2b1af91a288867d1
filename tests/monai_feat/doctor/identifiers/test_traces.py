# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from monai_feat.doctor.identifiers.traces import Traces, first_names


def test_what_several_files_hold_is_said_once_and_counted_together() -> None:
    parts = [Traces(("a", "b"), 2, ("x",)), Traces(("b", "c"), 3), Traces(unseen=("x", "y"))]
    assert Traces.joined(iter(parts)) == Traces(("a", "b", "c"), 5, ("x", "y"))
    assert Traces.joined([]) == Traces()


def test_a_dozen_names_are_written_out() -> None:
    assert first_names(["a", "b", "a"]) == "a, b"
    assert first_names(map(str, range(14))) == ", ".join(map(str, range(12))) + " and 2 more"
