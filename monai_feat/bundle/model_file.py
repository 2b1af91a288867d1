# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The file in which MONAI looks for a bundle's weights, made from the one that holds them."""

from __future__ import annotations

import os
from pathlib import Path

from monai.bundle import ConfigParser

from monai_feat.checkpoints import load_checkpoint, save_checkpoint

__all__ = ["MODEL_FILE", "write_model_file"]

MODEL_FILE = "models/model.pt"


def write_model_file(bundle: str | os.PathLike[str]) -> Path:
    """Write ``models/model.pt`` of a bundle, from the weights that its ``inference.json`` names.

    `monai.bundle.load`, MONAI Label and the federated client read no other file; the repository and the wheel hold the
    weights once, as safetensors. `copy_bundle` and ``make bundles`` call this.

    Args:
        bundle: its folder.

    Returns:
        The file.

    Raises:
        OSError: the weights or the config cannot be read.

    Example:
        >>> write_model_file("bundles/feat_ultrasound")  # doctest: +SKIP
        PosixPath('bundles/feat_ultrasound/models/model.pt')
    """
    parser = ConfigParser()
    parser.read_config(str(Path(bundle) / "configs" / "inference.json"))
    parser["bundle_root"] = str(bundle)
    save_checkpoint(load_checkpoint(parser.get_parsed_content("network_weights")), Path(bundle) / MODEL_FILE)
    return Path(bundle) / MODEL_FILE
