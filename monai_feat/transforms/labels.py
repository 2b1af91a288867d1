# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Masks as further channels of a clip, so that one autoencoder and one latent space carry both.

A labelled clip is ``(..., C + K, T, H, W)``: the C channels of the image, then one channel for each of K classes, the
background among them: +1 where the class is, -1 where it is not, and 0 in all of them where the class is unknown.
Networks answer with logits in the place of the K channels, which are read the same way: the highest is the class.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["UNKNOWN_LABEL", "join_labels", "split_labels"]

UNKNOWN_LABEL = 255
"""The class of unlabelled pixels, in masks of whole numbers."""
_CHANNEL = -4


def join_labels(image: Tensor, labels: Tensor, label_channels: int) -> Tensor:
    """Put a mask behind the image, as one channel for each class.

    Args:
        image: float ``(..., C, T, H, W)`` in [-1, 1].
        labels: classes 0 … K - 1, or `UNKNOWN_LABEL`, as whole numbers ``(..., 1, T, H, W)``.
        label_channels: number of classes K, the background among them.

    Returns:
        Labelled clips ``(..., C + K, T, H, W)``, of the image's type.

    Raises:
        TypeError: the labels are not whole numbers.
        ValueError: there are fewer than 2 classes, a class is out of range, or the shapes differ.

    Example:
        >>> clip = join_labels(torch.zeros(1, 1, 1, 3), torch.tensor([[[[0, 1, 255]]]]), label_channels=2)
        >>> clip[:, 0, 0]
        tensor([[ 0.,  0.,  0.],
                [ 1., -1.,  0.],
                [-1.,  1.,  0.]])
    """
    check_label_channels(label_channels)
    if labels.is_floating_point():
        raise TypeError(f"expected labels of whole numbers, got {labels.dtype}")
    if labels.ndim < 4 or labels.shape != (*image.shape[:_CHANNEL], 1, *image.shape[-3:]):
        raise ValueError(
            f"expected labels (..., 1, T, H, W) of the clip's size, got {tuple(labels.shape)} and {tuple(image.shape)}"
        )
    check_classes(labels, label_channels)
    unknown = labels == UNKNOWN_LABEL
    classes = labels.masked_fill(unknown, 0).long().squeeze(_CHANNEL)  # (..., T, H, W)
    channels = (2 * F.one_hot(classes, label_channels) - 1).movedim(-1, _CHANNEL)  # (..., K, T, H, W)
    return torch.cat([image, channels.to(image.dtype).masked_fill(unknown, 0)], dim=_CHANNEL)


def split_labels(clips: Tensor, label_channels: int) -> tuple[Tensor, Tensor | None]:
    """Take labelled clips, or what an autoencoder decodes, apart; inverts `join_labels`.

    Args:
        clips: ``(..., C + K, T, H, W)``; the last K channels are encoded classes or logits.
        label_channels: number of classes K; 0 for clips without masks.

    Returns:
        Images ``(..., C, T, H, W)`` and masks, uint8 ``(..., 1, T, H, W)``; None without label channels.

    Raises:
        ValueError: there are too few channels, or there is one class only.

    Example:
        >>> image, labels = split_labels(torch.tensor([0.5, -2.0, 3.0]).reshape(3, 1, 1, 1), label_channels=2)
        >>> image.item(), labels.item()
        (0.5, 1)
    """
    if label_channels == 0:
        return clips, None
    check_label_channels(label_channels)
    channels = clips.shape[_CHANNEL] - label_channels
    if channels < 1:
        raise ValueError(f"expected more than {label_channels} channels, got clips {tuple(clips.shape)}")
    image, classes = clips.split([channels, label_channels], dim=_CHANNEL)
    unknown = (classes == 0).all(dim=_CHANNEL, keepdim=True)
    labels = classes.argmax(dim=_CHANNEL, keepdim=True).to(torch.uint8)
    return image, labels.masked_fill(unknown, UNKNOWN_LABEL)


def check_label_channels(label_channels: int) -> None:
    """Refuse a number of classes that no mask has.

    Raises:
        ValueError: it is not from 2 to 255.
    """
    if not 2 <= label_channels <= UNKNOWN_LABEL:
        raise ValueError(
            f"expected label_channels from 2 to {UNKNOWN_LABEL}, one for each class with the background, or 0 for no "
            f"masks; got {label_channels}"
        )


def check_classes(labels: Tensor, label_channels: int) -> None:
    """Refuse masks with other classes than 0 … K - 1 and `UNKNOWN_LABEL`.

    Raises:
        ValueError: names the classes that are there and those that are known.
    """
    wrong = labels[(labels != UNKNOWN_LABEL) & ((labels < 0) | (labels >= label_channels))].unique()
    if len(wrong):
        found = ", ".join(str(value) for value in wrong[:8].tolist()) + (" …" if len(wrong) > 8 else "")
        raise ValueError(
            f"the mask holds the classes {found}; label_channels={label_channels} expects 0 to {label_channels - 1}, "
            f"and {UNKNOWN_LABEL} for unknown pixels: set label_channels to the number of classes, or change the mask"
        )
