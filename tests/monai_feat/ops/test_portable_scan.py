# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

from monai_feat.ops import bi_wkv, bi_wkv_reference
from tests.monai_feat.ops.scans import arguments, assert_close, with_gradients


@pytest.mark.parametrize("piece", [1, 6 * 64, 2 * 6 * 64, 6 * 130])
def test_pieces_change_nothing(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of sequences, of channels, or of both."""
    given = arguments(5, 6, 130)
    whole = with_gradients(bi_wkv, *given)
    monkeypatch.setattr("monai_feat.ops.portable_scan.CPU_PIECE", piece)
    assert_close(with_gradients(bi_wkv, *given), whole, 1e-14)
    assert_close(whole, with_gradients(bi_wkv_reference, *given), 1e-12)


def test_no_sequences_have_no_gradients() -> None:
    output, grad_w, grad_u, grad_k, grad_v = with_gradients(bi_wkv, *arguments(0, 4, 3))
    assert output.shape == grad_k.shape == grad_v.shape == (0, 4, 3)
    assert not torch.cat((grad_w, grad_u)).any()
