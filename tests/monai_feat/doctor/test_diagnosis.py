# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import pytest
import torch

from monai_feat.doctor.diagnosis import KINDS, ClipExam, Diagnosis, Finding


def diagnosis() -> Diagnosis:
    clips = (
        ClipExam(
            "a.mp4", "training", "p1", frames=10, looked_at=6, has_text_search=True, previews=[torch.zeros(2, 2, 3)]
        ),
        ClipExam("b.dcm", "testing", "", unseen=["pixels"]),
    )
    findings = (Finding("cut", "Cut at frame 3.", (0,), ((0, 1, 2, 3),)), Finding("unreadable", "Is empty.", (1,)))
    return Diagnosis(clips, findings, threshold=0.12)


def test_every_kind_has_a_severity_and_a_title() -> None:
    for kind, (severity, title) in KINDS.items():
        assert Finding(kind, "", ()).severity == severity
        assert severity in ("error", "warning")
        assert title
    with pytest.raises(KeyError, match="no_such_kind"):
        _ = Finding("no_such_kind", "", ()).severity


def test_it_counts_what_it_holds() -> None:
    assert (diagnosis().count("error"), diagnosis().count("warning")) == (1, 1)
    looked_at = diagnosis().looked_at
    assert looked_at["clips"].startswith("1 of 2")
    assert looked_at["frames"].startswith("6 of 10")
    assert looked_at["burnt-in text"].startswith("1 of 2 clips")
    assert looked_at["not looked at"] == diagnosis().about_identifiers
    assert (
        "Nothing that identifies was found in 2 clips. Not looked at: pixels (1 clips); faces"
        in looked_at["not looked at"]
    )
    assert looked_at["groups"].startswith("1 of 2")
    assert "at most 12% of their hash bits" in looked_at["near-duplicates"]


def test_json_names_clips_and_leaves_pictures_out() -> None:
    report = json.loads(json.dumps(diagnosis().to_json()))
    assert [(f["kind"], f["severity"], f["clips"], f["boxes"]) for f in report["findings"]] == [
        ("cut", "warning", ["a.mp4"], [[0, 1, 2, 3]]),
        ("unreadable", "error", ["b.dcm"], []),
    ]
    assert [(c["image"], c["side"], c["frames"]) for c in report["clips"]] == [
        ("a.mp4", "training", 10),
        ("b.dcm", "testing", 0),
    ]
    assert "previews" not in report["clips"][0]
