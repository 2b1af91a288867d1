# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How a training made clips of files, so that real clips which sampled ones are compared with are made alike."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser

from monai_feat.bundle.config_check import running_config
from monai_feat.data.folder_search.sampled import MANIFEST
from monai_feat.data.preprocessing import Preprocessing
from monai_feat.files import read_json

__all__ = ["ClipReading", "raw_config"]

_KEY = "reading"
_TRUSTED = ("monai.transforms.", "monai_feat.transforms.")


@dataclass(frozen=True)
class ClipReading:
    """How files became clips.

    Attributes:
        modality: of the clips, such as ``ultrasound``; None where it is not known.
        image_channels: 1 for grey, 3 for RGB.
        num_frames: frames of a clip; 1 for stills.
        frame_size: ``(H, W)`` in pixels.
        fit: ``crop`` or ``pad``.
        frame_rate: Hz at which files were read; None where every frame was taken, at each file's own rate.
        preprocessing: config of what was done at full size; None for nothing.
    """

    modality: str | None
    image_channels: int
    num_frames: int
    frame_size: tuple[int, int]
    fit: str
    frame_rate: float | None = None
    preprocessing: Mapping[str, Any] | None = None

    @classmethod
    def of_samples(cls, folder: str | os.PathLike[str]) -> ClipReading | None:
        """Read it from the manifest of a folder of sampled clips; None where there is none, or it says nothing of it.

        Raises:
            ValueError: the manifest is damaged, or of another version.
        """
        manifest = Path(folder) / MANIFEST
        if not manifest.is_file():
            return None
        content = read_json(manifest)
        if not isinstance(content, dict) or not isinstance(content.get(_KEY), dict):
            return None
        try:
            found = cls(**content[_KEY])
            size = tuple(int(number) for number in found.frame_size)
        except (TypeError, ValueError) as error:
            known = ", ".join(each.name for each in fields(cls))
            raise ValueError(f"{manifest}: expected {_KEY} with {known} ({error}); sample the clips again") from error
        return cls(**{**content[_KEY], "frame_size": size})

    def digest(self) -> str | None:
        """SHA-256 of the preprocessing's config, in sixteen digits; None where there is none."""
        if self.preprocessing is None:
            return None
        return hashlib.sha256(json.dumps(self.preprocessing, sort_keys=True).encode()).hexdigest()[:16]

    def build_preprocessing(self) -> Preprocessing | None:
        """Make the transform that its config describes.

        Raises:
            ValueError: the config asks for anything but transforms of MONAI or of this library, or for expressions:
                a manifest comes with clips, and is no program.
        """
        if self.preprocessing is None:
            return None
        _check_harmless(self.preprocessing)
        transform: Preprocessing = ConfigParser({"transform": self.preprocessing}).get_parsed_content("transform")
        return transform


def raw_config(key: str) -> Any:
    """Return an entry of the config whose expression this is, as it stands there, overrides included.

    Raises:
        RuntimeError: outside an expression of a config.
    """
    entry = running_config()[key]
    return None if entry == "None" else entry


def _check_harmless(config: Any) -> None:
    if isinstance(config, Mapping):
        target = config.get("_target_", _TRUSTED[0])
        if not str(target).startswith(_TRUSTED):
            raise ValueError(f"a manifest asks for {target!r}; expected transforms of {' or '.join(_TRUSTED)}")
        config = list(config.values())
    if isinstance(config, list):
        for entry in config:
            _check_harmless(entry)
    elif isinstance(config, str) and config.startswith("$"):
        raise ValueError(f"a manifest asks for the expression {config!r}; expected values")
