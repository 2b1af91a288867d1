# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Moments of clips' latents on disk: encoded once for all runs.

A cache is a folder of `TensorCache` folders, one for each autoencoder, named by its hash. Mean and log-variance of a
clip are one tensor, ``(2, C, T, H, W)``, under the hash of the clip's pixels.
"""

from __future__ import annotations

import hashlib
import os
from itertools import chain
from pathlib import Path

import torch
from monai.utils import convert_to_tensor
from torch import Tensor, nn

from monai_feat.data.tensor_cache import TensorCache, TensorCacheError

__all__ = ["LatentCache", "LatentCacheError", "autoencoder_digest", "clip_digest"]

LAYOUT = "monai-feat latents 1"  # hashed with the autoencoder: another layout would never meet files of this one
LatentCacheError = TensorCacheError


def clip_digest(clip: Tensor) -> str:
    """Hash a clip's pixels, their shape and number type with SHA-256; meta data do not count.

    Args:
        clip: any tensor, on any device.

    Returns:
        64 hexadecimal digits.
    """
    dense: Tensor = convert_to_tensor(clip, track_meta=False).detach().cpu().contiguous()
    digest = hashlib.sha256(f"{dense.dtype} {tuple(dense.shape)} ".encode())
    digest.update(dense.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def autoencoder_digest(autoencoder: nn.Module) -> str:
    """Hash a network's weights, buffers, the class of every module in it and their settings with SHA-256.

    The settings are the public attributes, such as the groups of a normalisation, which change what a network computes
    without a trace in its weights. The code of the classes does not count.

    Returns:
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(LAYOUT.encode())
    for name, module in autoencoder.named_modules():
        settings = {key: _setting(value) for key, value in vars(module).items() if not key.startswith("_")}
        kind = f"{type(module).__module__}.{type(module).__qualname__}"
        digest.update(repr((name, kind, sorted(settings.items()))).encode())
    for name, tensor in chain(autoencoder.named_parameters(), autoencoder.named_buffers()):
        digest.update(repr((name, clip_digest(tensor))).encode())
    return digest.hexdigest()


def _setting(value: object) -> object:
    """Describe an attribute so that equal ones are described the same in every process."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)):
        return tuple(_setting(item) for item in value)
    if isinstance(value, Tensor):
        return clip_digest(value)
    return str(getattr(value, "__qualname__", type(value).__qualname__))


class LatentCache(TensorCache):
    """Means and log-variances of the latents that one autoencoder, as it is now, gives to clips.

    Args:
        cache_dir: where all caches are; made if it is missing. ``~`` is the home folder.
        autoencoder: decides which of them this one is, see `autoencoder_digest`.

    Raises:
        LatentCacheError: when the folder cannot be made.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cache = LatentCache(folder, nn.Identity())
        ...     cache.add("a clip's hash", torch.zeros(4, 2, 8, 8), torch.ones(4, 2, 8, 8))
        ...     cache.flush()
        ...     again = LatentCache(folder, nn.Identity())
        ...     "a clip's hash" in again, again["a clip's hash"][1].mean()
        (True, tensor(1.))
    """

    def __init__(self, cache_dir: str | os.PathLike[str], autoencoder: nn.Module) -> None:
        super().__init__(Path(cache_dir).expanduser() / autoencoder_digest(autoencoder)[:32])

    def __getitem__(self, key: str) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.get(key)
        return mean, log_variance

    def add(self, key: str, mean: Tensor, log_variance: Tensor) -> None:
        """Take the moments of a clip, each ``(C, T, H, W)``, and write a shard when there is enough for one.

        Raises:
            LatentCacheError: when it cannot be written.
        """
        self.put(key, torch.stack([mean, log_variance]))
