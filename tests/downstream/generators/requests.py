# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A small request to the ultrasound bundle."""

from __future__ import annotations

from pathlib import Path

from downstream.clips import prepare_clips
from downstream.generators import Request
from downstream.study import Data, Generator, Phantoms

BUNDLE = Path(__file__).parents[3] / "bundles" / "feat_ultrasound"
DATA = Data("ultrasound", phantoms=Phantoms("ultrasound", 3, 3, num_folds=2), frame_size=32, num_frames=2)
TINY = Generator("bundle", BUNDLE, autoencoder_steps=2, feat_steps=2, sampling_steps=2)


def make_request(folder: Path, generator: Generator = TINY) -> Request:
    """Ask for three clips, with three training clips rendered below a folder."""
    train = prepare_clips(DATA, folder / "clips", seed=0, progress=False).training
    (folder / "generator").mkdir()
    return Request(DATA, generator, train, 3, folder / "generator", seed=5, progress=False)
