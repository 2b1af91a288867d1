# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from monai_feat.bundle import SampleFolder
from monai_feat.data import find_clips
from monai_feat.data.folder_search.contents import search_folder


def samples(folder: Path) -> Path:
    written = SampleFolder(folder, {"seed": 0}, frame_rate=8)
    for index in range(2):
        written.write(index, torch.zeros(1, 2, 16, 16))
    written.save_manifest()
    Image.new("RGB", (40, 40)).save(folder / "contact_sheet.png")
    return folder


@pytest.mark.filterwarnings("ignore:.*is a sheet:UserWarning")
def test_sheets_beside_sampled_clips_are_no_clips(tmp_path: Path) -> None:
    folder = samples(tmp_path)
    assert [path.name for path in find_clips(folder)] == ["clip_000000.mp4", "clip_000001.mp4"]
    assert search_folder(folder).left[folder / "contact_sheet.png"] == "is a sheet beside sampled clips"


@pytest.mark.parametrize("manifest", [{"clips": {}}, {"clips": "all"}, [], "damaged"])
def test_the_manifest_of_another_program_leaves_nothing_out(manifest: object, tmp_path: Path) -> None:
    folder = samples(tmp_path)
    text = "{" if manifest == "damaged" else json.dumps(manifest)
    (folder / "manifest.json").write_text(text)
    assert folder / "contact_sheet.png" not in search_folder(folder).left
