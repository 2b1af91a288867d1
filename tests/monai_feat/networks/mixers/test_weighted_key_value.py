# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from monai_feat.networks.mixers import Slot, SpatialWeightedKeyValue, TemporalWeightedKeyValue, WeightedKeyValue
from monai_feat.ops import bi_wkv_reference

CHANNELS = 4
SIZE = (2, 3, 2, 5)  # B, T, H, W


def randomised(block: WeightedKeyValue) -> WeightedKeyValue:
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.7)
    return block.double()


def make(kind: type[WeightedKeyValue], reference_tokens: int | None = None) -> WeightedKeyValue:
    axis = "space" if kind is SpatialWeightedKeyValue else "time"
    return kind(Slot(axis, CHANNELS, reference_tokens=reference_tokens))  # type: ignore[call-arg]


def tokens(*size: int) -> Tensor:
    return torch.randn(*(size or SIZE), CHANNELS, dtype=torch.float64)


def scan(
    block: WeightedKeyValue, index: int, k: Tensor, v: Tensor, places: list[tuple[int, ...]], length: int
) -> Tensor:
    """Scan the tokens at the given places, in their order, and put the results back where they came from."""
    w, u = block.decay[index] / length, block.bonus[index] / length
    sequence = bi_wkv_reference(w, u, *(torch.stack([x[place] for place in places])[None] for x in (k, v)))[0]
    result = v.clone()
    for place, token in zip(places, sequence, strict=True):
        result[place] = token
    return result


def neighbourhood(x: Tensor, weight: Tensor) -> Tensor:
    frames = F.conv2d(x.flatten(0, 1).permute(0, 3, 1, 2), weight, padding=1, groups=CHANNELS)
    return x + frames.permute(0, 2, 3, 1).reshape(x.shape)


def scan_space(block: WeightedKeyValue, k: Tensor, v: Tensor, length: int) -> Tensor:
    B, T, H, W = k.shape[:4]
    for b in range(B):
        for t in range(T):
            v = scan(block, 0, k, v, [(b, t, y, x) for y in range(H) for x in range(W)], length)
            v = scan(block, 1, k, v, [(b, t, y, x) for x in range(W) for y in range(H)], length)
    return v


def scan_time(block: WeightedKeyValue, k: Tensor, v: Tensor, length: int) -> Tensor:
    B, T, H, W = k.shape[:4]
    for b in range(B):
        for place in [(y, x) for y in range(H) for x in range(W)]:
            v = scan(block, 0, k, v, [(b, t, *place) for t in range(T)], length)
    return v


def by_the_book(block: WeightedKeyValue, x: Tensor, guide: Tensor, length: int) -> Tensor:
    """FEAT's mixing in the order of the paper, token by token."""
    if isinstance(block, SpatialWeightedKeyValue):
        x = neighbourhood(x, block.local.conv.weight)
    else:
        x = neighbourhood(x, block.local_space.conv.weight)
        before, after = F.pad(x, (0, 0, 0, 0, 0, 0, 1, 0))[:, :-1], F.pad(x, (0, 0, 0, 0, 0, 0, 0, 1))[:, 1:]
        taps = block.local_time.conv.weight[:, 0, :, 0].unbind(-1)
        x = x + taps[0] * before + taps[1] * x + taps[2] * after
    k, v, r = (x @ weight.T for weight in block.key_value_receptance.weight.split(CHANNELS))
    scanned = v + block.guidance[0] * guide
    scanned = (scan_space if isinstance(block, SpatialWeightedKeyValue) else scan_time)(block, k, scanned, length)
    scanned = scanned + block.guidance[1] * (guide - v)
    return (scanned / (1 + torch.exp(-r))) @ block.output.weight.T


@pytest.mark.parametrize("kind", [SpatialWeightedKeyValue, TemporalWeightedKeyValue])
@pytest.mark.parametrize("reference_tokens", [None, 7])
def test_equals_scans_token_by_token(kind: type[WeightedKeyValue], reference_tokens: int | None) -> None:
    block = randomised(make(kind, reference_tokens))
    x, guide = tokens(), tokens()
    own_length = 2 * 5 if kind is SpatialWeightedKeyValue else 3
    expected = by_the_book(block, x, guide, length=reference_tokens or own_length)
    torch.testing.assert_close(block(x, guide), expected)


@pytest.mark.parametrize("kind", [SpatialWeightedKeyValue, TemporalWeightedKeyValue])
def test_guidance_starts_switched_off(kind: type[WeightedKeyValue]) -> None:
    block, x = make(kind).double(), tokens()
    torch.testing.assert_close(block(x, tokens()), block(x, tokens()), rtol=0, atol=0)


def test_spatial_mixing_stays_within_frames() -> None:
    block, x, guide = randomised(make(SpatialWeightedKeyValue)), tokens(), tokens()
    torch.testing.assert_close(block(x, guide)[1:, 2:], block(x[1:, 2:], guide[1:, 2:]))


def test_temporal_scan_stays_within_positions() -> None:
    block, k, v = randomised(make(TemporalWeightedKeyValue)), tokens(), tokens()
    torch.testing.assert_close(block.scan(k, v)[:, :, 1:, 2:], block.scan(k[:, :, 1:, 2:], v[:, :, 1:, 2:]))


def test_time_reversed_is_the_scan_reversed() -> None:
    block, k, v = randomised(make(TemporalWeightedKeyValue)), tokens(), tokens()
    torch.testing.assert_close(block.scan(k.flip(1), v.flip(1)), block.scan(k, v).flip(1))


def test_an_impossible_reference_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="reference_tokens must be at least 1, got 0"):
        make(SpatialWeightedKeyValue, reference_tokens=0)
