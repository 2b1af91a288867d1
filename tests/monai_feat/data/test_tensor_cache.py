# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What `LatentCache` does not show: tensors of any shape and type. Kills, damage and races are in test_latent_cache."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from monai_feat.data.tensor_cache import TensorCache, TensorCacheError


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.uint8])
def test_a_tensor_comes_back_as_it_was(tmp_path: Path, dtype: torch.dtype) -> None:
    tensor = torch.arange(12, dtype=dtype).reshape(3, 4).T
    cache = TensorCache(tmp_path / "new" / "folder")
    cache.put("a", tensor)
    assert torch.equal(cache.get("a"), tensor)
    cache.flush()
    again = TensorCache(cache.folder)
    assert "a" in again
    assert "b" not in again
    assert len(again) == 1
    assert torch.equal(again.get("a"), tensor)
    assert again.get("a").dtype == dtype


def test_what_was_put_but_not_flushed_is_lost(tmp_path: Path) -> None:
    TensorCache(tmp_path).put("a", torch.zeros(1))
    assert "a" not in TensorCache(tmp_path)


def test_errors_name_the_folder(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="holds nothing under 'x'"):
        TensorCache(tmp_path).get("x")
    (tmp_path / "file").write_text("")
    with pytest.raises(TensorCacheError, match=r"file.*choose another folder"):
        TensorCache(tmp_path / "file")
