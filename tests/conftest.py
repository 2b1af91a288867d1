# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("MONAI_FEAT_SHARED", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def golden() -> Path:
    """Folder of golden numbers measured from the published reference; skips where it is absent."""
    if not (SHARED / "golden").is_dir():
        pytest.skip(f"golden numbers are not at {SHARED / 'golden'}; set MONAI_FEAT_SHARED to their parent folder")
    return SHARED / "golden"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real clips for development; skips where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"real clips are not at {SHARED / 'data'}; set MONAI_FEAT_SHARED to their parent folder")
    return SHARED / "data"


@pytest.fixture(scope="session")
def cases() -> Path:
    """Folder of small inputs that went wrong once; skips where it is absent."""
    if not (SHARED / "cases").is_dir():
        pytest.skip(f"inputs that went wrong are not at {SHARED / 'cases'}; set MONAI_FEAT_SHARED to their parent")
    return SHARED / "cases"


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Callable[[Callable[[list[str]], object], list[str]], str]:
    """What a command says when it refuses its arguments."""

    def refuse(main: Callable[[list[str]], object], arguments: list[str]) -> str:
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
        return capsys.readouterr().err

    return refuse
