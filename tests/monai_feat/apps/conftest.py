# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips that commands are tried on."""

from __future__ import annotations

from pathlib import Path

import pytest

from monai_feat.data import PHANTOMS, write_mp4


@pytest.fixture
def clips(tmp_path: Path) -> dict[str, Path]:
    """Two folders of procedural clips, one for each modality."""
    folders = {}
    for kind, phantom in PHANTOMS.items():
        folders[kind] = tmp_path / f"my {kind} clips"
        folders[kind].mkdir()
        for seed in range(2):
            clip = phantom(seed, size=64, num_frames=8)
            write_mp4(clip.image, folders[kind] / f"{seed}.mp4", clip.frame_rate)
    return folders
