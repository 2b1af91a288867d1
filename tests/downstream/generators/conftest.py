# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a bundle is asked to do, without doing it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from downstream.clips import write_clip
from downstream.generators.bundle_run import BundleRun
from monai_feat.data import ClipItem
from monai_feat.files import read_json


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What the bundle is asked to do; clips appear without it."""
    given: dict[str, dict[str, Any]] = {}

    def record(run: BundleRun, config: str, *overlays: Path, **options: Any) -> None:
        given[config] = {**run.form, **options}
        for file in overlays:
            given[config] |= read_json(file)
        if config == "inference":
            image = torch.zeros(1, 2, 32, 32, dtype=torch.uint8)
            for i in range(options["num_clips"]):
                label = image if run.label_channels else None
                write_clip(ClipItem(run.bundle), image, label, run.request.stem(i), 1)

    monkeypatch.setattr(BundleRun, "run", record)
    return given
