# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from monai_feat.checkpoints import CheckpointError, save_checkpoint
from monai_feat.importers import import_latte_checkpoint

D, HEADS, PATCH, SIDE, FRAMES, C = 8, 2, 2, 3, 4, 3


def sine(place: float, size: int) -> list[float]:
    angles = [place / 10_000 ** (2 * i / size) for i in range(size // 2)]
    return [math.sin(a) for a in angles] + [math.cos(a) for a in angles]


def published() -> dict[str, Tensor]:
    """Random weights of two blocks under the published names, written out by hand."""
    linears = {"t_embedder.mlp.0": (D, 256), "t_embedder.mlp.2": (D, D), "x_embedder.proj": (D, C, PATCH, PATCH)}
    linears |= {"final_layer.adaLN_modulation.1": (2 * D, D), "final_layer.linear": (PATCH**2 * 2 * C, D)}
    for block in ("blocks.0", "blocks.1"):
        linears |= {f"{block}.adaLN_modulation.1": (6 * D, D), f"{block}.attn.qkv": (3 * D, D)}
        linears |= {f"{block}.attn.proj": (D, D), f"{block}.mlp.fc1": (4 * D, D), f"{block}.mlp.fc2": (D, 4 * D)}
    state = {}
    for name, shape in linears.items():
        state |= {f"{name}.weight": 0.2 * torch.randn(shape).double(), f"{name}.bias": torch.randn(shape[0]).double()}
    # as the published code has it: the first half of the sines is of columns
    state["pos_embed"] = torch.tensor([[sine(x, D // 2) + sine(y, D // 2) for y in range(SIDE) for x in range(SIDE)]])
    state["temp_embed"] = torch.tensor([[sine(t, D) for t in range(FRAMES)]])
    return state


def attend(w: dict[str, Tensor], block: str, x: Tensor) -> Tensor:
    qkv = F.linear(x, w[f"{block}.attn.qkv.weight"], w[f"{block}.attn.qkv.bias"])
    q, k, v = qkv.reshape(*x.shape[:2], 3, HEADS, D // HEADS).permute(2, 0, 3, 1, 4)
    mixed = ((q @ k.mT * (D // HEADS) ** -0.5).softmax(-1) @ v).transpose(1, 2).reshape(x.shape)
    return F.linear(mixed, w[f"{block}.attn.proj.weight"], w[f"{block}.attn.proj.bias"])


def run_published(w: dict[str, Tensor], x: Tensor, t: Tensor) -> Tensor:
    """The published forward pass, frames and positions folded by hand, one clip: ``(C, T, H, W)``."""

    def linear(name: str, x: Tensor) -> Tensor:
        return F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])

    tokens = F.conv2d(x.transpose(0, 1), w["x_embedder.proj.weight"], w["x_embedder.proj.bias"], stride=PATCH)
    tokens = tokens.flatten(2).mT + w["pos_embed"]  # (T, h·w, D)
    angles = t.float() * torch.exp(-math.log(10_000) * torch.arange(128, dtype=torch.float32) / 128)
    c = linear("t_embedder.mlp.2", F.silu(linear("t_embedder.mlp.0", torch.cat((angles.cos(), angles.sin())).double())))
    for index, block in enumerate(("blocks.0", "blocks.1")):
        if index == 1:
            tokens = tokens.transpose(0, 1) + w["temp_embed"]
        s1, a1, g1, s2, a2, g2 = linear(f"{block}.adaLN_modulation.1", F.silu(c)).chunk(6)
        tokens = tokens + g1 * attend(w, block, F.layer_norm(tokens, (D,), eps=1e-6) * (1 + a1) + s1)
        hidden = linear(f"{block}.mlp.fc1", F.layer_norm(tokens, (D,), eps=1e-6) * (1 + a2) + s2)
        tokens = tokens + g2 * linear(f"{block}.mlp.fc2", F.gelu(hidden, approximate="tanh"))
    shift, scale = linear("final_layer.adaLN_modulation.1", F.silu(c)).chunk(2)
    out = linear("final_layer.linear", F.layer_norm(tokens.transpose(0, 1), (D,), eps=1e-6) * (1 + scale) + shift)
    out = out.reshape(FRAMES, SIDE, SIDE, PATCH, PATCH, 2 * C).permute(5, 0, 1, 3, 2, 4)
    return out.reshape(2 * C, FRAMES, SIDE * PATCH, SIDE * PATCH)


def test_gives_the_published_numbers(tmp_path: Path) -> None:
    weights = published()
    save_checkpoint(weights, tmp_path / "latte.safetensors")
    network = import_latte_checkpoint(tmp_path / "latte.safetensors", num_heads=HEADS)
    x, t = torch.randn(2, C, FRAMES, SIDE * PATCH, SIDE * PATCH, dtype=torch.float64), torch.tensor([3, 700])
    expected = torch.stack([run_published(weights, clip, step) for clip, step in zip(x, t, strict=True)])
    torch.testing.assert_close(network(x, t), expected, rtol=1e-6, atol=1e-6)  # sinusoids are float32


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda w: w.pop("temp_embed"), "is not a published Latte checkpoint: it has no temp_embed"),
        (lambda w: w.pop("blocks.1.mlp.fc2.bias"), r"missing.*blocks\.1\.mlp\.fc2\.bias"),
        (lambda w: w.update({"y_embedder.embedding_table.weight": torch.zeros(3, D)}), r"y_embedder\.embedding_table"),
        (lambda w: w.update(pos_embed=w["pos_embed"] + 0.1), "pos_embed is not the published sines"),
        (lambda w: w.pop("blocks.0.mlp.fc1.weight"), "its shapes are not those of a Latte of 2 heads"),
    ],
)
def test_other_weights_are_refused(change, complaint: str, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    weights = published()
    change(weights)
    save_checkpoint({name: value.contiguous() for name, value in weights.items()}, tmp_path / "latte.safetensors")
    with pytest.raises(CheckpointError, match=complaint):
        import_latte_checkpoint(tmp_path / "latte.safetensors", num_heads=HEADS)
