# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What sampling leaves behind: a file for every clip, and a sheet to look at."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from torch import Tensor
from torch.utils.data import Dataset
from torch.utils.tensorboard import SummaryWriter

from monai_feat.bundle.sample_folder import SampleFolder
from monai_feat.handlers.reconstruction_sheet import draw_sheet, first_clips, reconstruct
from monai_feat.marks import make_statement
from monai_feat.networks.nets import FrameAutoencoder

__all__ = ["ClipSaver", "SampleSheet"]


class ClipSaver:
    """Write each clip that an evaluator samples into a folder, and after every batch what is there.

    Args:
        folder: where, and as what.
    """

    def __init__(self, folder: SampleFolder) -> None:
        self.folder = folder

    def attach(self, engine: Engine) -> None:
        """Register with an evaluator whose inputs are clip indices ``(B,)`` and whose predictions are clips."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)

    def __call__(self, engine: Any) -> None:
        """Write the clips of one batch."""
        for index, clip in zip(*_indices_and_clips(engine), strict=True):
            self.folder.write(int(index), clip)
        self.folder.save_manifest()


class SampleSheet:
    """Draw the clips that an evaluator samples as one contact sheet, under real ones and their reconstructions.

    Rows are clips, columns are frames.

    Args:
        output_dir: folder of the sheets; made if missing.
        real: a data set whose first clips are shown above the sampled ones.
        num_rows: largest number of clips of each kind.
        name: of the file, without suffix; ``{epoch}`` becomes the epoch at which the clips were sampled.
        real_title: what to call the clips above the sampled ones.
        log_dir: TensorBoard folder where the sheets shall be seen too; None for nowhere.
        label_channels: how many of the clips' last channels are the classes of masks, which are outlined; 0 for clips
            without.
        tile: width in pixels of the frames on the sheet, whatever their own.
        autoencoder: what it makes of the real clips is shown below them; None for no such row.
        marked: whether the metadata of the file say that it shows what is synthetic, see `monai_feat.marks`.
        asked_masks: returns the masks that clips were asked to show, or None, by their indices, see `SampleFolder`;
            they are outlined, too.

    Raises:
        ValueError: when there is no real clip, or no row.
    """

    def __init__(
        self,
        output_dir: str | os.PathLike[str],
        real: Dataset[dict[str, Any]],
        num_rows: int = 4,
        name: str = "samples",
        real_title: str = "real",
        log_dir: str | os.PathLike[str] | None = None,
        label_channels: int = 0,
        tile: int = 128,
        autoencoder: FrameAutoencoder | None = None,
        marked: bool = True,
        asked_masks: Callable[[Tensor], Tensor | None] | None = None,
    ) -> None:
        if num_rows < 1 or not len(real):  # type: ignore[arg-type]
            raise ValueError(f"got {len(real)} real clips and {num_rows} rows, expected 1 or more of each")  # type: ignore[arg-type]
        self.output_dir = Path(output_dir)
        self.real = real
        self.num_rows = num_rows
        self.name = name
        self.real_title = real_title
        self.log_dir = log_dir
        self.label_channels = label_channels
        self.tile = tile
        self.autoencoder = autoencoder
        self.marked = marked
        self.asked_masks = asked_masks or (lambda indices: None)
        self._clips: list[Tensor] = []
        self._indices: list[Tensor] = []

    def attach(self, engine: Engine) -> None:
        """Register with an evaluator whose predictions are clips ``(B, C, T, H, W)`` in [-1, 1], labelled or not."""
        engine.add_event_handler(Events.ITERATION_COMPLETED, self)
        engine.add_event_handler(Events.EPOCH_COMPLETED, self.draw)

    def __call__(self, engine: Any) -> None:
        """Remember the first clips."""
        indices, clips = _indices_and_clips(engine)
        missing = self.num_rows - len(self._clips)
        self._clips.extend(clips[:missing])
        self._indices.extend(indices[:missing])

    def draw(self, engine: Any) -> None:
        """Write the sheet."""
        real = first_clips(self.real, self.num_rows)
        rows = {self.real_title: real}
        if self.autoencoder is not None:
            rows["reconstructed"] = reconstruct(self.autoencoder, real)
        rows["sampled"] = torch.stack(self._clips)
        asked = self.asked_masks(torch.stack(self._indices))
        self._clips.clear()
        self._indices.clear()
        file = self.output_dir / f"{self.name.format(epoch=engine.state.epoch)}.png"
        masks = {} if asked is None else {"sampled": asked}
        comment = make_statement() if self.marked else ""
        sheet = draw_sheet(rows, file, self.label_channels, self.tile, comment, masks)
        if self.log_dir is not None:
            with SummaryWriter(str(self.log_dir)) as writer:
                writer.add_image("samples", sheet, engine.state.epoch, dataformats="HWC")


def _indices_and_clips(engine: Any) -> tuple[Tensor, Tensor]:
    """Return what was asked for, ``(B,)``, and what was made, ``(B, C, T, H, W)``, both on the CPU."""
    return engine.state.output["image"].cpu(), engine.state.output["pred"].float().cpu()
