# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A folder of sampled clips that says what made them, and which are there."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ignite.distributed as idist
from torch import Tensor

from monai_feat.checkpoints import save_checkpoint
from monai_feat.data import NiftiClipWriter, write_gif, write_mp4
from monai_feat.data.video_writer import replacing
from monai_feat.transforms.functional import to_uint8
from monai_feat.transforms.labels import split_labels

__all__ = ["SampleFolder"]

MANIFEST = "manifest.json"
MANIFESTS = "manifest*.json"
LATENTS = "latents"


def _write_latents(clip: Tensor, path: Path, frame_rate: float) -> None:
    save_checkpoint({"latent": clip.contiguous()}, path, metadata={"frame_rate": f"{frame_rate:g}"})


def _write_nifti(pixels: Tensor, path: Path, frame_rate: float) -> None:
    writer = NiftiClipWriter()
    writer.set_data_array(pixels)
    writer.set_metadata({"frame_rate": frame_rate})
    writer.write(path)


_WRITERS: dict[str, tuple[str, Callable[[Tensor, Path, float], Any]]] = {
    "mp4": (".mp4", lambda clip, path, rate: write_mp4(to_uint8(clip), path, rate)),
    "gif": (".gif", lambda clip, path, rate: write_gif(to_uint8(clip), path, rate)),
    "nifti": (".nii.gz", lambda clip, path, rate: _write_nifti(to_uint8(clip), path, rate)),
    LATENTS: (".safetensors", _write_latents),
}


class SampleFolder:
    """Where clips are written as ``clip_<index>``, each once, beside a manifest of what made them.

    The mask of a labelled clip is written as ``clip_<index>_label.nii.gz``, uint8 classes, whatever the clip's format.

    A clip depends on the settings and its index alone. So a run that was stopped goes on with the clips that are
    missing, and several runs with other indices may fill one folder; a run with other settings is refused. Files and
    manifest (``manifest.json``) are written atomically. Of several processes that share the work, each has a manifest
    of its own until `collect` makes them one.

    Args:
        path: the folder; made when the first clip is written.
        settings: everything that decides what a clip looks like: seed, steps, digests of the weights. JSON values.
        frame_rate: frames per second of the files, Hz.
        file_format: ``"mp4"``, ``"gif"``, ``"nifti"``, or ``"latents"`` for what an autoencoder has yet to decode.
        label_channels: how many of a clip's last channels are the classes of its mask; 0 for clips without masks.

    Raises:
        ValueError: the format is unknown.
        FileExistsError: the folder holds clips that other settings made; names the settings that differ.

    Example:
        >>> import tempfile, torch
        >>> folder = SampleFolder(tempfile.mkdtemp(), {"seed": 0}, frame_rate=8, file_format="gif")
        >>> folder.write(3, torch.zeros(1, 2, 16, 16)).name, folder.finished
        ('clip_000003.gif', {3})
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        settings: Mapping[str, Any],
        frame_rate: float,
        file_format: str = "mp4",
        label_channels: int = 0,
    ) -> None:
        if file_format not in _WRITERS:
            raise ValueError(f"expected a file_format of {', '.join(_WRITERS)}; got {file_format!r}")
        self.path = Path(path)
        self.frame_rate, self.file_format = frame_rate, file_format
        self.label_channels = 0 if file_format == LATENTS else label_channels  # latents hold the mask undivided
        described = {**settings, "frame_rate": frame_rate, "file_format": file_format}
        self.settings: dict[str, Any] = json.loads(json.dumps(described))
        self._clips = self._earlier_clips()

    @property
    def finished(self) -> set[int]:
        """Indices of the clips that are there."""
        return {
            index
            for index, name in self._clips.items()
            if (self.path / name).is_file() and (not self.label_channels or self.label_file(index).is_file())
        }

    def label_file(self, index: int) -> Path:
        """Return where the mask of a clip is."""
        return self.path / f"clip_{index:06d}_label.nii.gz"

    def write(self, index: int, clip: Tensor) -> Path:
        """Write one clip, ``(C, T, H, W)`` in [-1, 1], or its latents; return the file. A mask gets its own."""
        suffix, writer = _WRITERS[self.file_format]
        self.path.mkdir(parents=True, exist_ok=True)
        file = self.path / f"clip_{index:06d}{suffix}"
        image, label = split_labels(clip, self.label_channels)
        if label is not None:
            _write_nifti(label, self.label_file(index), self.frame_rate)
        writer(image, file, self.frame_rate)
        self._clips[index] = file.name
        return file

    def save_manifest(self) -> None:
        """Write down the settings and the clips that are there."""
        clips = {str(index): self._clips[index] for index in sorted(self._clips)}
        text = json.dumps({"settings": self.settings, "clips": clips}, indent=1)
        self.path.mkdir(parents=True, exist_ok=True)
        with replacing(self.path / self._manifest) as file:
            file.write(text.encode())

    def collect(self) -> None:
        """Make one manifest of those of all processes: in the first, once all have written their clips."""
        parts = list(self.path.glob(MANIFESTS))
        if idist.get_rank() or not parts:
            return
        self._clips = self._earlier_clips()
        self.save_manifest()
        for part in parts:
            if part.name != self._manifest:
                part.unlink()

    @property
    def _manifest(self) -> str:
        return f"manifest_{idist.get_rank()}.json" if idist.get_rank() else MANIFEST

    def _earlier_clips(self) -> dict[int, str]:
        manifests = (self._read(file) for file in sorted(self.path.glob(MANIFESTS)))
        return {index: name for clips in manifests for index, name in clips.items()}

    def _read(self, file: Path) -> dict[int, str]:
        """Return the clips in a manifest, if the settings are the same."""
        manifest = json.loads(file.read_text(encoding="utf-8"))
        before = manifest["settings"]
        differing = sorted(
            key for key in self.settings.keys() | before.keys() if self.settings.get(key) != before.get(key)
        )
        if differing:
            changes = ", ".join(f"{key}: {before.get(key)} there, {self.settings.get(key)} now" for key in differing)
            raise FileExistsError(
                f"{self.path} holds clips that other settings made ({changes}); name another --output_dir, or remove it"
            )
        return {int(index): name for index, name in manifest["clips"].items()}
