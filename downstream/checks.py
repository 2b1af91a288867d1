# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a study needs besides its clips, looked for before the first job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from monai_feat.bundle import shipped_bundles
from monai_feat.files import check_folder

from .study import Generator, Study, StudyError

__all__ = ["check_needs"]

_CONFIGS = ("train_autoencoder.json", "train.json", "inference.json")
_WEIGHTS = ("autoencoder.safetensors", "feat.safetensors")
_FILES_PER_CLIP = 4  # the clip and its mask, and about as much in synthetic clips


def check_needs(study: Study, folder: Path) -> None:
    """Refuse a study whose bundle, weights, datalist or place for results is missing.

    Args:
        study: names them.
        folder: where results will go.

    Raises:
        StudyError: names the files that are missing, and says what to do.
        OSError: the folder cannot be written, or has too little room for the clips.
    """
    check_folder(folder, _room(study))
    datalist = study.data.datalist
    if datalist is not None and not datalist.is_file():
        raise StudyError(
            f"data.datalist: there is no file {datalist}; name another with --data, or make one: "
            "monai-feat datalist FOLDER --group-level 1 --out datalist.json"
        )
    if missing := [str(file) for file in _files(study.generator) if not file.is_file()]:
        shipped = ", ".join(name for name in shipped_bundles() if name.startswith("feat_"))
        raise StudyError(
            f"generator: there is no file {', '.join(missing)}; expected the weights of a training, and the folder of "
            f"a bundle or the name of a shipped one ({shipped})"
        )


def _files(generator: Generator) -> Iterator[Path]:
    if generator.bundle is not None:
        yield from (generator.bundle / "configs" / name for name in _CONFIGS)
        if generator.knows_shipped:
            yield from (generator.bundle / "models" / name for name in _WEIGHTS)
    yield from (file for file in (generator.autoencoder_weights, generator.network_weights) if file is not None)


def _room(study: Study) -> int:
    data = study.data
    clips = 1 if data.phantoms is None else data.phantoms.num_clips
    return _FILES_PER_CLIP * clips * data.num_frames * data.image_channels * data.frame_size**2
