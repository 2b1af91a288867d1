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
import torch
from torch import Tensor

from monai_feat.checkpoints import save_checkpoint
from monai_feat.data import NiftiClipWriter, write_gif, write_mp4
from monai_feat.data.folder_search.sampled import MANIFEST
from monai_feat.files import describe_changes, read_json, write_text
from monai_feat.marks import make_statement
from monai_feat.transforms.functional import to_uint8
from monai_feat.transforms.labels import split_labels

__all__ = ["SampleFolder"]

LATENTS = "latents"


def _write_latents(clip: Tensor, path: Path, frame_rate: float, comment: str) -> None:
    metadata = {"frame_rate": f"{frame_rate:g}", **({"comment": comment} if comment else {})}
    save_checkpoint({"latent": clip.contiguous()}, path, metadata=metadata)


def _write_nifti(pixels: Tensor, path: Path, frame_rate: float, comment: str) -> None:
    writer = NiftiClipWriter()
    writer.set_data_array(pixels)
    writer.set_metadata({"frame_rate": frame_rate})
    writer.write(path, comment=comment)


_WRITERS: dict[str, tuple[str, Callable[[Tensor, Path, float, str], Any]]] = {
    "mp4": (".mp4", lambda clip, path, rate, comment: write_mp4(to_uint8(clip), path, rate, comment=comment)),
    "gif": (".gif", lambda clip, path, rate, comment: write_gif(to_uint8(clip), path, rate, comment)),
    "nifti": (".nii.gz", lambda clip, path, rate, comment: _write_nifti(to_uint8(clip), path, rate, comment)),
    LATENTS: (".safetensors", _write_latents),
}


class SampleFolder:
    """Where clips are written as ``clip_<index>``, each once, beside a manifest of what made them.

    The mask of a labelled clip is written as ``clip_<index>_label.nii.gz``, uint8 classes, whatever the clip's format.

    A clip depends on the settings and its index alone. So a run that was stopped goes on with the clips that are
    missing, and several runs or processes with other indices may fill one folder, one after another or side by side; a
    run with other settings is refused. Files and manifest (``manifest.json``) are written atomically, and the manifest
    first: wherever a run is killed, each clip that is there is whole and known.

    Args:
        path: the folder; made when the first clip is written.
        settings: everything that decides what a clip looks like: seed, steps, digests of the weights. JSON values.
        frame_rate: frames per second of the files, Hz.
        file_format: ``"mp4"``, ``"gif"``, ``"nifti"``, or ``"latents"`` for what an autoencoder has yet to decode.
        label_channels: how many of a clip's last channels are the classes of its mask; 0 for clips without masks.
        asked_masks: returns the masks that clips were asked to show, ``(B, 1, T, H, W)``, or None, by their indices
            ``(B,)``; they are written beside clips that have none of their own.
        reading: how real clips are brought into the form of these, see `ClipReading`.
        marked: whether the metadata of each file say that it is synthetic, see `monai_feat.marks`; the manifest says
            which. Pixels are the same.

    Raises:
        ValueError: the format is unknown, or the folder's manifest is not one of sampled clips.
        FileExistsError: the folder holds clips that other settings made, and names these, or that no manifest knows.

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
        asked_masks: Callable[[Tensor], Tensor | None] | None = None,
        reading: Mapping[str, Any] | None = None,
        marked: bool = True,
    ) -> None:
        if file_format not in _WRITERS:
            raise ValueError(f"expected a file_format of {', '.join(_WRITERS)}; got {file_format!r}")
        self.path = Path(path)
        self.frame_rate, self.file_format = frame_rate, file_format
        self.label_channels = 0 if file_format == LATENTS else label_channels  # latents hold the mask undivided
        self.asked_masks = asked_masks or (lambda indices: None)
        self._has_labels = self.label_channels > 0 or self.asked_masks(torch.tensor([0])) is not None
        described = {**settings, "frame_rate": frame_rate, "file_format": file_format, "marked": marked}
        self.settings: dict[str, Any] = json.loads(json.dumps(described))
        self.reading = dict(reading or {})
        self._comment = make_statement() if marked else ""
        earlier = self._clips()  # before the manifest: another process may be about to write first it and then a clip
        self._has_manifest = (self.path / MANIFEST).is_file()
        self._check_earlier(earlier)

    @property
    def finished(self) -> set[int]:
        """Indices of the clips that are there, whichever run wrote them."""
        return set(self._clips())

    def label_file(self, index: int) -> Path:
        """Return where the mask of a clip is."""
        return self.path / f"clip_{index:06d}_label.nii.gz"

    def write(self, index: int, clip: Tensor) -> Path:
        """Write one clip, ``(C, T, H, W)`` in [-1, 1], or its latents; return the file. A mask gets its own."""
        suffix, writer = _WRITERS[self.file_format]
        if not self._has_manifest:
            self.save_manifest()
        file = self.path / f"clip_{index:06d}{suffix}"
        image, label = split_labels(clip, self.label_channels)
        if label is None and (asked := self.asked_masks(torch.tensor([index]))) is not None:
            label = asked[0]
        if label is not None:
            _write_nifti(label, self.label_file(index), self.frame_rate, self._comment)
        writer(image, file, self.frame_rate, self._comment)
        return file

    def save_manifest(self) -> None:
        """Write down the settings, how real clips are read, and the clips that are there."""
        clips = {str(index): name for index, name in sorted(self._clips().items())}
        content = {"settings": self.settings, "reading": self.reading, "clips": clips}
        self.path.mkdir(parents=True, exist_ok=True)
        write_text(self.path / MANIFEST, json.dumps(content, indent=1, default=str))
        self._has_manifest = True

    def collect(self) -> None:
        """Write down the clips of all processes: in the first, once all have written theirs."""
        if idist.get_rank() == 0 and self._clips():
            self.save_manifest()

    def _clips(self) -> dict[int, str]:
        """Return the names of the files of clips by index."""
        suffix, _ = _WRITERS[self.file_format]
        numbers = {file.name[len("clip_") : -len(suffix)]: file.name for file in self.path.glob(f"clip_*{suffix}")}
        clips = {int(number): name for number, name in numbers.items() if number.isdecimal()}
        return {index: name for index, name in clips.items() if not self._has_labels or self._has_label(index)}

    def _has_label(self, index: int) -> bool:
        return self.label_file(index).is_file()

    def _check_earlier(self, clips: Mapping[int, str]) -> None:
        if not self._has_manifest:
            if clips:
                raise FileExistsError(
                    f"{self.path} holds {len(clips)} clips, but no {MANIFEST} that says what made them; name another "
                    "--output_dir, or remove it"
                )
            return
        if changes := describe_changes(self._earlier_settings(), self.settings):
            raise FileExistsError(
                f"{self.path} holds clips that other settings made ({changes}); name another --output_dir, or remove it"
            )

    def _earlier_settings(self) -> dict[str, Any]:
        try:
            return dict(read_json(self.path / MANIFEST)["settings"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{self.path / MANIFEST} is not a manifest of sampled clips ({error!r}): name another --output_dir"
            ) from error
