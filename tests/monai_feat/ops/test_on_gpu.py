# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What only a CUDA device shows: kernels at work, half precision with a loss scaler, compilation."""

from __future__ import annotations

import pytest
import torch

from monai_feat.networks.nets import FEAT, FEAT_PRESETS
from monai_feat.ops import bi_wkv
from monai_feat.ops.kernels import PORTABLE
from tests.monai_feat.ops.scans import arguments, with_gradients

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


@pytest.mark.parametrize("shape", [(3, 17, 5), (16, 64, 512), (1, 16_384, 40), (1, 16, 32_768)], ids=str)
def test_float32_is_exact(shape: tuple[int, int, int]) -> None:
    given = [x.float() for x in arguments(*shape, key_scale=10)]
    expected = with_gradients(bi_wkv, *(x.cuda().double() for x in given))
    for found, exact in zip(with_gradients(bi_wkv, *(x.cuda() for x in given)), expected, strict=True):
        assert (found.double() - exact).norm() <= 2e-5 * exact.norm()


def test_plain_operations_give_the_same_numbers() -> None:
    w, u, k, v, _ = (x.float().cuda() for x in arguments(3, 17, 5))
    torch.testing.assert_close(PORTABLE.forward(w, u, k, v)[0], bi_wkv(w, u, k, v))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_trains_in_half_precision(dtype: torch.dtype) -> None:
    network = FEAT(**FEAT_PRESETS["pico"]).cuda()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    scaler = torch.amp.GradScaler("cuda", enabled=dtype == torch.float16)
    x, losses = torch.randn(2, 4, 4, 8, 8, device="cuda"), []
    for _ in range(30):
        with torch.autocast("cuda", dtype):
            loss = (network(x, 500)[:, :4].float() - x).square().mean()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_compiled_is_eager() -> None:
    network, x = FEAT(**FEAT_PRESETS["nano"]).cuda(), torch.randn(2, 4, 4, 16, 16, device="cuda")
    expected = network(x, torch.tensor([500.0, 3.0], device="cuda"))
    found = torch.compile(network, fullgraph=True)(x, torch.tensor([500.0, 3.0], device="cuda"))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
