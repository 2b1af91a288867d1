# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The bundles that come with the library: where they are, and copies of them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from monai_feat.bundle.model_file import write_model_file
from monai_feat.files import check_folder, replacing_folder

__all__ = ["copy_bundle", "find_bundle", "shipped_bundles"]

_FOLDERS = ("monai_feat_bundles", "bundles")  # beside the library: as installed, and in a checkout
_NOT_COPIED = shutil.ignore_patterns("runs", "__pycache__")


def shipped_bundles() -> dict[str, Path]:
    """Return the folders of the bundles that come with the library, by name; none where they were left out."""
    home = Path(__file__).resolve().parents[2]
    folder = next((home / name for name in _FOLDERS if (home / name).is_dir()), home / _FOLDERS[0])
    return {file.parents[1].name: file.parents[1] for file in sorted(folder.glob("*/configs/metadata.json"))}


def find_bundle(bundle: str | os.PathLike[str]) -> Path:
    """Return the folder of a bundle.

    Args:
        bundle: the name of a shipped bundle, such as ``feat_ultrasound``; or a folder. A folder of the working
            directory that has the name of a shipped bundle is ``./feat_ultrasound``.

    Raises:
        FileNotFoundError: there is no such bundle; lists the shipped ones.

    Example:
        >>> find_bundle("feat_ultrasound").name
        'feat_ultrasound'
    """
    shipped = shipped_bundles()
    if os.fspath(bundle) in shipped:
        return shipped[os.fspath(bundle)]
    if not (Path(bundle) / "configs").is_dir():
        raise FileNotFoundError(
            f"{bundle}: no such bundle; expected a folder with configs, or the name of a shipped bundle: "
            f"{', '.join(shipped) or 'none is installed'}"
        )
    return Path(bundle)


def copy_bundle(bundle: str | os.PathLike[str], folder: str | os.PathLike[str]) -> Path:
    """Copy a bundle with its configs and weights to a folder of one's own, without the results of its runs.

    The copy has the ``models/model.pt`` that MONAI's programs load, too; see `write_model_file`.

    Args:
        bundle: as for `find_bundle`.
        folder: the copy. It is there whole or not at all.

    Returns:
        The folder.

    Raises:
        FileNotFoundError: there is no such bundle.
        FileExistsError: the folder exists already.
    """
    source, folder = find_bundle(bundle), Path(folder)
    if folder.exists():
        raise FileExistsError(f"{folder} exists already; name another folder, or remove it")
    check_folder(folder, sum(file.stat().st_size for file in source.rglob("*") if file.is_file()))
    folder.parent.mkdir(parents=True, exist_ok=True)
    with replacing_folder(folder) as copy:  # files are written anew: an installation may be read-only
        shutil.copytree(source, copy, ignore=_NOT_COPIED, copy_function=shutil.copyfile, dirs_exist_ok=True)
        write_model_file(copy)
    return folder
