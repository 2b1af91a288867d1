# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which clips weights were trained on, written down beside them: never inside, for weights are handed on."""

from __future__ import annotations

import os
from pathlib import Path

import ignite.distributed as idist

from monai_feat.data import is_phantom
from monai_feat.data.source_names import datalist_of
from monai_feat.files import read_json, write_json

__all__ = ["save_training_source", "training_source"]

_FILE, _KEY = "training_source.json", "dataset_dir"


def save_training_source(output_dir: str | os.PathLike[str], source: str | os.PathLike[str]) -> None:
    """Write down which source a training reads, in the first process.

    Args:
        output_dir: where its weights go.
        source: as `monai_feat.data.source_names` says; its path is made absolute.
    """
    if idist.get_rank() == 0:
        text = str(source) if is_phantom(source) else str(Path(source).expanduser().absolute())
        Path(output_dir).mkdir(parents=True, exist_ok=True)
        write_json(Path(output_dir) / _FILE, {_KEY: text})


def training_source(weights: str | os.PathLike[str], otherwise: str) -> str:
    """Return the source that weights were trained on.

    Args:
        weights: their file.
        otherwise: what to return where nothing is written beside them, or clips are no longer where they were.

    Raises:
        ValueError: what is written beside them is no such record.
    """
    file = Path(weights).parent / _FILE
    if not file.is_file():
        return otherwise
    try:
        source = str(read_json(file)[_KEY])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{file}: expected {{{_KEY!r}: …}}, as a training writes it; remove the file") from error
    return source if _is_there(source) else otherwise


def _is_there(source: str) -> bool:
    named = datalist_of(source)
    return is_phantom(source) or (Path(source) if named is None else named[0]).exists()
