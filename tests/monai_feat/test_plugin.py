# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from monai.transforms import LoadImage
from monai.transforms.io.array import SUPPORTED_READERS

from monai_feat import plugin
from monai_feat.data import VideoReader, read_video, write_mp4

FIRST_OURS_THEN_MONAI = """
import sys

import monai_feat

assert not {"torch", "monai", "numpy"} & sys.modules.keys(), "the import is not cheap"
from monai.transforms import LoadImage

assert "monai_feat.data" not in sys.modules, "a reader that nobody has asked for"
print(tuple(LoadImage()(sys.argv[1]).shape), tuple(LoadImage(reader="VideoReader", num_frames=2)(sys.argv[1]).shape))
"""


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    write_mp4(torch.randint(0, 256, (3, 4, 16, 32), dtype=torch.uint8), tmp_path / "clip.mp4", 10)
    return tmp_path / "clip.mp4"


def test_importing_the_package_is_enough_and_cheap(clip: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-c", FIRST_OURS_THEN_MONAI, str(clip)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1:] == ["(3, 4, 16, 32) (3, 2, 16, 32)"], done.stderr


def test_a_table_that_is_there_already_gets_the_reader(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(SUPPORTED_READERS, "videoreader")
    plugin.register_reader()
    assert SUPPORTED_READERS["videoreader"] is not VideoReader  # made when it is asked for
    loaded = LoadImage(dtype=None)(clip)
    assert torch.equal(loaded.as_tensor(), read_video(clip))
    assert loaded.meta["frame_rate"] == pytest.approx(10)


def test_registering_twice_keeps_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUPPORTED_READERS, "videoreader", VideoReader)
    finders = list(sys.meta_path)
    plugin.register_reader()
    assert SUPPORTED_READERS["videoreader"] is VideoReader
    assert sys.meta_path == finders


def test_a_module_that_is_watched_is_one_like_any_other() -> None:
    table = sys.modules[SUPPORTED_READERS["pilreader"].__module__]
    watcher = plugin._TableWatcher()
    assert watcher.find_spec("json", None) is None
    assert table.__spec__ is not None
    assert not isinstance(table.__loader__, plugin._ChangingLoader)
