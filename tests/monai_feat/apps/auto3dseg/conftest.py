# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A small set of phantoms, written once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from monai_feat.data import read_datalist, write_phantoms


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A datalist: six clips of eight frames of 32 pixels, two of them held out, the others in two folds."""
    folder = tmp_path_factory.mktemp("a set of phantoms") / "set"
    sizes = dict(size=32, num_frames=8, num_folds=2, test_share=0.3)
    write_phantoms("ultrasound", folder, 6, 6, **sizes, progress=False)  # type: ignore[arg-type]
    return folder / "datalist.json"


@pytest.fixture(scope="session")
def items(phantoms: Path) -> list[dict[str, Any]]:
    """Four clips with masks."""
    training = read_datalist(phantoms).training
    return [{"image": item.image, "label": item.label, "fold": item.fold} for item in training]
