# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips from a bundle, in one call."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from monai.bundle import run

from monai_feat.data.folder_search.sampled import MANIFEST
from monai_feat.documents import read_config
from monai_feat.files import read_json

__all__ = ["sample_bundle"]


def sample_bundle(
    bundle: str | os.PathLike[str], output_dir: str | os.PathLike[str], num_clips: int, **options: Any
) -> list[Path]:
    """Sample clips from a bundle's weights into a folder; the same as its ``inference.json`` on the command line.

    Clips that are there already are not made again, so that a call that was stopped goes on where it was.

    Args:
        bundle: folder of the bundle, with ``configs`` and ``models``.
        output_dir: where files go: the clips, a contact sheet, ``manifest.json``, which lists them, and
            ``record.json``, which says what made them.
        num_clips: how many.
        options: any other key of ``inference.json``, such as ``seed``, ``first_clip``, ``output_format``,
            ``num_frames``, ``prompts`` or ``network_weights``; a mistyped one is an error that lists all.

    Returns:
        the files of the clips, in the order of their indices.

    Raises:
        FileNotFoundError: when there is no bundle in the folder.
        FileExistsError: when the output folder holds clips that other settings made.
        ConfigKeyError: when there is no such option.
        ValueError: when the config is damaged or out of bounds.
    """
    config = Path(bundle) / "configs" / "inference.json"
    if not config.is_file():
        raise FileNotFoundError(f"{config}: no such file; expected the folder of a bundle, such as feat_ultrasound")
    read_config(config)
    try:
        run(
            config_file=str(config),
            logging_file=False,  # type: ignore[arg-type]  # else it sets up the logging of the whole process
            bundle_root=str(bundle),
            output_dir=str(output_dir),
            num_clips=num_clips,
            **options,
        )
    except RuntimeError as error:
        raise _reason(error) from None
    clips = read_json(Path(output_dir) / MANIFEST)["clips"]
    first = options.get("first_clip", 0)
    return [Path(output_dir) / clips[str(index)] for index in range(first, first + num_clips)]


def _reason(error: BaseException) -> BaseException:
    """Return what MONAI has wrapped into errors of its own."""
    while isinstance(error, RuntimeError) and error.__cause__ is not None:
        error = error.__cause__
    return error
