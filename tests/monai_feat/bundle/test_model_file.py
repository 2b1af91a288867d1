# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from monai_feat.bundle import copy_bundle, find_bundle, write_model_file


@pytest.mark.parametrize(("name", "weights"), [("feat_ultrasound", "feat"), ("video_segmentation", "model")])
def test_it_holds_the_weights_of_the_bundle(name: str, weights: str, tmp_path: Path) -> None:
    copy = copy_bundle(name, tmp_path / "copy")
    found = torch.load(copy / "models" / "model.pt", weights_only=True)
    torch.testing.assert_close(
        found, load_file(find_bundle(name) / "models" / f"{weights}.safetensors"), rtol=0, atol=0
    )


def test_a_bundle_without_weights_is_refused(tmp_path: Path) -> None:
    shutil.copytree(find_bundle("feat_ultrasound") / "configs", tmp_path / "configs")
    with pytest.raises(FileNotFoundError, match=r"feat\.safetensors"):
        write_model_file(tmp_path)
