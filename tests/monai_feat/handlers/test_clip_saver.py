# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ignite.engine import Engine
from monai.engines import SupervisedEvaluator
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import Tensor, nn
from torch.utils.data import DataLoader

from monai_feat.bundle import SampleFolder
from monai_feat.data import ClipIndexDataset, probe_video, read_video
from monai_feat.handlers import ClipSaver, SampleSheet
from monai_feat.transforms import join_labels, split_labels
from monai_feat.transforms.functional import to_uint8
from monai_feat.visualize import contact_sheet


class Grey(nn.Module):
    """Clip ``i`` is grey of level i / 10 all over."""

    def forward(self, indices: Tensor) -> Tensor:
        return (indices.float() / 10).reshape(-1, 1, 1, 1, 1).expand(-1, 1, 3, 16, 16)


def sample(handlers: list[Any], num_clips: int = 5, first: int = 2, epoch: int = 1) -> Engine:
    evaluator = SupervisedEvaluator(
        device="cpu",
        val_data_loader=DataLoader(ClipIndexDataset(num_clips, first), batch_size=2),
        network=Grey(),
        val_handlers=handlers,
        decollate=False,
    )
    evaluator.run(epoch)
    return evaluator


def real(count: int) -> list[dict[str, Tensor]]:
    return [{"image": torch.full((1, 3, 16, 16), -1.0 + i / 10)} for i in range(count)]


def test_each_clip_becomes_a_file_of_its_index(tmp_path: Path) -> None:
    sample([ClipSaver(SampleFolder(tmp_path / "new" / "folder", {}, frame_rate=7.0))])
    files = sorted((tmp_path / "new" / "folder").glob("clip_*"))
    assert len(json.loads((tmp_path / "new" / "folder" / "manifest.json").read_text())["clips"]) == 5
    assert [file.name for file in files] == [f"clip_{i:06d}.mp4" for i in range(2, 7)]
    for i, file in enumerate(files, start=2):
        info = probe_video(file)
        assert (info.frames, info.frame_rate) == (3, pytest.approx(7.0))
        level = (i / 10 + 1) * 127.5
        assert read_video(file).float().mean().item() == pytest.approx(level, abs=3)


def test_the_sheet_shows_real_above_sampled(tmp_path: Path) -> None:
    sample([SampleSheet(tmp_path / "new", real(9), num_rows=3, name="epoch_{epoch:03d}", tile=40)], epoch=7)
    drawn = np.array(Image.open(tmp_path / "new" / "epoch_007.png"))
    rows = {
        "real": torch.stack([item["image"] for item in real(3)]),
        "sampled": Grey()(torch.tensor([2, 3, 4])),
    }
    np.testing.assert_array_equal(drawn, contact_sheet(rows, tile=40).numpy())


def test_fewer_clips_than_rows(tmp_path: Path) -> None:
    sample([SampleSheet(tmp_path, real(1), num_rows=4)], num_clips=2)
    one, two = (np.array(Image.open(tmp_path / "samples.png")), contact_sheet({"a": Grey()(torch.arange(2))}))
    assert one.shape[1] == two.shape[1]


def test_a_second_epoch_starts_a_new_sheet(tmp_path: Path) -> None:
    sheet = SampleSheet(tmp_path, real(2), num_rows=2, name="{epoch}")
    for epoch, first in ((1, 0), (2, 5)):
        sample([sheet], num_clips=2, first=first, epoch=epoch)
    first_sheet, second_sheet = (np.array(Image.open(tmp_path / f"{epoch}.png")) for epoch in (1, 2))
    assert first_sheet.shape == second_sheet.shape
    assert (first_sheet != second_sheet).any()


def test_the_sheet_is_seen_in_tensorboard(tmp_path: Path) -> None:
    sample([SampleSheet(tmp_path, real(2), log_dir=tmp_path / "tensorboard")], epoch=3)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [image.step for image in events.Images("samples")] == [3]


@pytest.mark.parametrize(("num_real", "num_rows"), [(0, 4), (2, 0)])
def test_a_sheet_of_nothing_is_an_error(tmp_path: Path, num_real: int, num_rows: int) -> None:
    with pytest.raises(ValueError, match=f"got {num_real} real clips and {num_rows} rows"):
        SampleSheet(tmp_path, real(num_real), num_rows)


def test_the_sheet_outlines_masks_that_were_asked_for(tmp_path: Path) -> None:
    masks = torch.zeros(7, 1, 3, 16, 16, dtype=torch.uint8)
    masks[:5, ..., 4:9, 3:12] = 1
    sample([SampleSheet(tmp_path, real(2), asked_masks=lambda indices: masks[indices])])
    drawn = np.array(Image.open(tmp_path / "samples.png"))
    sampled = Grey()(torch.arange(2, 6))
    clips = {"real": torch.stack([item["image"] for item in real(2)]), "sampled": sampled}
    pixels = {title: to_uint8(rows) for title, rows in clips.items()}
    np.testing.assert_array_equal(drawn, contact_sheet(pixels, masks={"sampled": masks[2:6]}).numpy())


def test_the_sheet_outlines_masks(tmp_path: Path) -> None:
    class Labelled(Grey):
        def forward(self, indices: Tensor) -> Tensor:
            label = torch.zeros(len(indices), 1, 3, 16, 16, dtype=torch.uint8)
            label[..., 4:9, 3:12] = 1
            return join_labels(super().forward(indices), label, 2)

    clips = Labelled()(torch.arange(2))
    evaluator = SupervisedEvaluator(
        device="cpu",
        val_data_loader=DataLoader(ClipIndexDataset(2), batch_size=2),
        network=Labelled(),
        val_handlers=[SampleSheet(tmp_path, [{"image": clip} for clip in clips], label_channels=2)],
        decollate=False,
    )
    evaluator.run()
    drawn = np.array(Image.open(tmp_path / "samples.png"))
    images, masks = split_labels(clips, 2)
    assert masks is not None
    sections = ("real", "sampled")
    expected = contact_sheet(dict.fromkeys(sections, images), masks=dict.fromkeys(sections, masks))
    np.testing.assert_array_equal(drawn, expected.numpy())
