# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips from latents: safetensors files that an autoencoder decodes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import safetensors
import torch
from monai.bundle import ConfigParser
from torch import Tensor, nn

from monai_feat.bundle import shipped_bundles
from monai_feat.data import VideoReadError, autoencoder_digest
from monai_feat.importers import import_sd_vae
from monai_feat.networks.nets import FrameAutoencoder
from monai_feat.transforms import to_uint8

from .recordings import Recording, file_digest

__all__ = ["LatentRecording", "load_autoencoder", "open_latents"]

SD_SCALE_FACTOR = 0.18215
_SHA256 = re.compile(r"[0-9a-f]{64}")


class LatentRecording(Recording):
    """The latents of one clip, ``(C, T, h, w)``, scaled as the diffusion model sees them; decoded when read."""

    def __init__(self, path: Path, key: str, index: int | None, shape: Sequence[int], decoder: _Decoder) -> None:
        self._path, self._key, self._index, self._decoder = path, key, index, decoder
        number = "" if index is None else f"[{index}]"
        name = f"{path.name}:{key}{number}"
        frames, latent_size = shape[1], (shape[2], shape[3])
        super().__init__(name, "", frames, 0.0, decoder.size_of(latent_size, shape[0]), "latents")

    def _digest(self) -> str:
        text = f"{file_digest(self._path)} {self._key} {self._index} {self._decoder.digest}"
        return hashlib.sha256(text.encode()).hexdigest()

    def iter_frames(self, numbers: Sequence[int], size: tuple[int, int]) -> Iterator[Tensor]:  # noqa: D102
        with safetensors.safe_open(self._path, framework="pt") as file:
            stored = file.get_slice(self._key)
            latents = stored[:] if self._index is None else stored[self._index]
        if not torch.isfinite(latents).all():
            raise VideoReadError(self._path, f"latents {self._key} are NaN or infinite")
        yield from self._decoder(latents[:, list(numbers)]).unbind(dim=1)


def open_latents(path: Path, autoencoder: nn.Module) -> list[LatentRecording]:
    """List the clips of one safetensors file: tensors ``(C, T, h, w)``, or ``(N, C, T, h, w)`` of N clips.

    The shards of a `LatentCache`, whose tensors are mean and log-variance before scaling, are refused.

    Raises:
        VideoReadError: the file is damaged, or holds something else.
    """
    decoder = _Decoder(autoencoder)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError) as error:
        raise VideoReadError(path, f"is truncated, damaged or no safetensors file ({error})") from None
    recordings = []
    for key, shape in shapes.items():
        if len(shape) not in (4, 5) or (shape[0] == 2 and _SHA256.fullmatch(key)):
            raise VideoReadError(
                path,
                f"{key} has shape {shape}; expected latents of one clip (C, T, h, w) or of N clips (N, C, T, h, w)",
            )
        indices = [None] if len(shape) == 4 else list(range(shape[0]))
        recordings += [LatentRecording(path, key, index, shape[-4:], decoder) for index in indices]
    return recordings


def load_autoencoder(path: Path, device: torch.device) -> nn.Module:
    """Load what decodes latents.

    Args:
        path: a bundle (the name of a shipped one, a folder, or a config that defines ``autoencoder``), or a
            Stable-Diffusion autoencoder as `import_sd_vae` reads it, which is given its scale of 0.18215.
        device: where it shall decode.

    Raises:
        CheckpointError: the weights cannot be read.
        ValueError: the config defines no ``autoencoder``.
    """
    path = shipped_bundles().get(str(path), path)
    config = path / "configs" / "inference.json" if path.is_dir() else path
    if not (config.is_file() and config.suffix in (".json", ".yaml", ".yml")) or config.name == "config.json":
        return FrameAutoencoder(import_sd_vae(path), SD_SCALE_FACTOR).to(device).eval()
    parser = ConfigParser()
    parser.read_config(str(config))
    if "autoencoder" not in parser:
        raise ValueError(f"{config}: defines no autoencoder; it has {', '.join(map(str, parser.get()))}")
    parser["bundle_root"], parser["device"] = str(config.parent.parent), device
    autoencoder: nn.Module = parser.get_parsed_content("autoencoder")
    return autoencoder.eval()


class _Decoder:
    """An autoencoder's decoder, from latents of one clip to uint8 pixels."""

    def __init__(self, autoencoder: nn.Module) -> None:
        self._autoencoder: Any = autoencoder
        self._device = next(autoencoder.parameters(), torch.empty(0)).device
        self._sizes: dict[tuple[int, int], tuple[int, int]] = {}
        self.digest = autoencoder_digest(autoencoder)

    @torch.no_grad()
    def __call__(self, latents: Tensor) -> Tensor:
        pixels: Tensor = self._autoencoder.decode(latents[None].float().to(self._device))[0]
        return to_uint8(pixels.cpu())

    def size_of(self, latent_size: tuple[int, int], channels: int) -> tuple[int, int]:
        if latent_size not in self._sizes:
            pixels = self(torch.zeros(channels, 1, *latent_size))
            self._sizes[latent_size] = (pixels.shape[-2], pixels.shape[-1])
        return self._sizes[latent_size]
