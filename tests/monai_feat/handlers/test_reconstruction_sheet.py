# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from monai_feat.handlers import save_reconstruction_sheet
from monai_feat.networks.nets import FrameAutoencoder
from monai_feat.transforms.functional import to_uint8
from monai_feat.visualize import contact_sheet


class Half(nn.Module):
    """Halves a clip on the way in and leaves it so."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.5))

    def encode(self, clips: Tensor) -> Tensor:
        return clips * self.scale

    def decode(self, latents: Tensor) -> Tensor:
        return latents


def test_reconstructions_stand_below_the_very_clips(tmp_path: Path) -> None:
    clips = torch.rand(3, 1, 4, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    file = tmp_path / "new" / "sheet.png"
    autoencoder = cast(FrameAutoencoder, Half())
    save_reconstruction_sheet(autoencoder, [{"image": clip} for clip in clips], file, "mine", num_rows=2)  # type: ignore[arg-type]
    expected = contact_sheet({"mine": to_uint8(clips[:2]), "reconstructed": to_uint8(clips[:2] / 2)})
    np.testing.assert_array_equal(np.array(Image.open(file)), expected.numpy())


def test_no_clip_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="non-empty"):
        save_reconstruction_sheet(cast(FrameAutoencoder, Half()), [], tmp_path / "x.png")  # type: ignore[arg-type]
