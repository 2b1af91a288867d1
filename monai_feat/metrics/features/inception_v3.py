# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Inception of 2015-12-05, as the Fréchet inception distance has it: the graph of TensorFlow, with its peculiarities.

Letters: N frames, C channels, H × W pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["InceptionV3", "resize_like_tensorflow"]

SIDE = 299
NUM_FEATURES = 2048
NUM_CLASSES = 1008  # of which 1000 are used

Kernel = int | tuple[int, int]
Step = Sequence[tuple[str, int, Kernel]]  # convolutions side by side: published name, output channels, kernel
Branch = Sequence[Step]  # steps one after another


class InceptionV3(nn.Module):
    """Szegedy et al. 2016, with the parameter names of pytorch-fid and torch-fidelity.

    Other than later versions it averages without padding, pools by maximum in its last block, and has 1008 classes. It
    is called as NVIDIA's TorchScript of the same graph is.
    """

    def __init__(self) -> None:
        super().__init__()
        layers = {**_stem(), **_mixed()}
        self.order = tuple(layers)
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.fc = nn.Linear(NUM_FEATURES, NUM_CLASSES)

    def forward(self, images: Tensor, return_features: bool = False, no_output_bias: bool = False) -> Tensor:
        """Return features ``(N, 2048)``, or class probabilities ``(N, 1008)``.

        Args:
            images: RGB ``(N, 3, H, W)`` in [0, 255], of any size.
            return_features: return what the classifier would have been given.
            no_output_bias: leave out the classifier's bias, as the inception score does.
        """
        x = (resize_like_tensorflow(images.float(), SIDE) - 128) / 128  # (N, 3, 299, 299)
        for name in self.order:
            x = self.get_submodule(name)(x)
        features = x.mean(dim=(2, 3))  # (N, 2048)
        if return_features:
            return features
        return F.linear(features, self.fc.weight, None if no_output_bias else self.fc.bias).softmax(dim=1)


def resize_like_tensorflow(images: Tensor, size: int) -> Tensor:
    """Resize float images ``(N, C, H, W)`` to ``(N, C, size, size)`` as ``tf.image.resize_bilinear`` of TensorFlow 1.

    Output pixel i lies at i · H / size of the input, not at the centres' (i + ½) · H / size - ½, and nothing is
    averaged where the image shrinks.
    """
    for dim in (2, 3):
        position = torch.arange(size, device=images.device) * (images.shape[dim] / size)
        low = position.long()
        high = (low + 1).clamp(max=images.shape[dim] - 1)
        weight = (position - low).unsqueeze(-1) if dim == 2 else position - low
        images = torch.lerp(images.index_select(dim, low), images.index_select(dim, high), weight)
    return images


class _Convolution(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: Kernel, stride: int, padding: Kernel) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class _Mixed(nn.Module):
    """Branches of convolutions, and one of pooling, side by side.

    Args:
        in_channels: of the input.
        branches: of convolutions.
        pool: how the last branch begins.
        pool_channels: of the convolution that follows it; None for no such convolution.
        halve: whether the last step of every branch has stride 2 and no padding.
    """

    def __init__(
        self,
        in_channels: int,
        branches: Sequence[Branch],
        pool: nn.Module,
        pool_channels: int | None,
        halve: bool = False,
    ) -> None:
        super().__init__()
        for branch in branches:
            self._add(branch, in_channels, halve)
        self.names = [[[name for name, *_ in step] for step in branch] for branch in branches]
        self.pool = pool
        self.branch_pool = nn.Identity() if pool_channels is None else _Convolution(in_channels, pool_channels, 1, 1, 0)

    def _add(self, branch: Branch, channels: int, halve: bool) -> None:
        for step in branch:
            last = halve and step is branch[-1]
            for name, out_channels, kernel in step:
                stride, padding = (2, 0) if last else (1, _same(kernel))
                self.add_module(name, _Convolution(channels, out_channels, kernel, stride, padding))
            channels = sum(out_channels for _, out_channels, _ in step)

    def forward(self, x: Tensor) -> Tensor:
        outputs = [self._run(x, branch) for branch in self.names]
        return torch.cat([*outputs, self.branch_pool(self.pool(x))], dim=1)

    def _run(self, x: Tensor, branch: list[list[str]]) -> Tensor:
        for step in branch:
            x = torch.cat([self.get_submodule(name)(x) for name in step], dim=1)
        return x


def _same(kernel: Kernel) -> Kernel:
    return kernel // 2 if isinstance(kernel, int) else (kernel[0] // 2, kernel[1] // 2)


def _stem() -> dict[str, nn.Module]:
    return {
        "Conv2d_1a_3x3": _Convolution(3, 32, 3, 2, 0),
        "Conv2d_2a_3x3": _Convolution(32, 32, 3, 1, 0),
        "Conv2d_2b_3x3": _Convolution(32, 64, 3, 1, 1),
        "MaxPool_1": nn.MaxPool2d(3, 2),
        "Conv2d_3b_1x1": _Convolution(64, 80, 1, 1, 0),
        "Conv2d_4a_3x3": _Convolution(80, 192, 3, 1, 0),
        "MaxPool_2": nn.MaxPool2d(3, 2),
    }


def _mixed() -> dict[str, nn.Module]:
    average = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    maximum = nn.MaxPool2d(3, stride=1, padding=1)
    halving = nn.MaxPool2d(3, stride=2)
    return {
        "Mixed_5b": _Mixed(192, _block_a(), average, 32),
        "Mixed_5c": _Mixed(256, _block_a(), average, 64),
        "Mixed_5d": _Mixed(288, _block_a(), average, 64),
        "Mixed_6a": _Mixed(288, _block_b(), halving, None, halve=True),
        "Mixed_6b": _Mixed(768, _block_c(128), average, 192),
        "Mixed_6c": _Mixed(768, _block_c(160), average, 192),
        "Mixed_6d": _Mixed(768, _block_c(160), average, 192),
        "Mixed_6e": _Mixed(768, _block_c(192), average, 192),
        "Mixed_7a": _Mixed(768, _block_d(), halving, None, halve=True),
        "Mixed_7b": _Mixed(1280, _block_e(), average, 192),
        "Mixed_7c": _Mixed(2048, _block_e(), maximum, 192),
    }


def _chain(name: str, *convolutions: tuple[int, Kernel]) -> Branch:
    """Return a branch of single convolutions, which are numbered if there are several."""
    if len(convolutions) == 1:
        return [[(name, *convolutions[0])]]
    return [[(f"{name}_{number}", *convolution)] for number, convolution in enumerate(convolutions, start=1)]


def _fork(name: str, channels: int) -> Step:
    return [(f"{name}a", channels, (1, 3)), (f"{name}b", channels, (3, 1))]


def _block_a() -> list[Branch]:
    return [
        _chain("branch1x1", (64, 1)),
        _chain("branch5x5", (48, 1), (64, 5)),
        _chain("branch3x3dbl", (64, 1), (96, 3), (96, 3)),
    ]


def _block_b() -> list[Branch]:
    return [_chain("branch3x3", (384, 3)), _chain("branch3x3dbl", (64, 1), (96, 3), (96, 3))]


def _block_c(inner: int) -> list[Branch]:
    row, column = (1, 7), (7, 1)
    return [
        _chain("branch1x1", (192, 1)),
        _chain("branch7x7", (inner, 1), (inner, row), (192, column)),
        _chain("branch7x7dbl", (inner, 1), (inner, column), (inner, row), (inner, column), (192, row)),
    ]


def _block_d() -> list[Branch]:
    return [
        _chain("branch3x3", (192, 1), (320, 3)),
        _chain("branch7x7x3", (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3)),
    ]


def _block_e() -> list[Branch]:
    return [
        _chain("branch1x1", (320, 1)),
        [*_chain("branch3x3_1", (384, 1)), _fork("branch3x3_2", 384)],
        [*_chain("branch3x3dbl", (448, 1), (384, 3)), _fork("branch3x3dbl_3", 384)],
    ]
