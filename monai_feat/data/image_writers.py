# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Writers of clips that MONAI's ``SaveImage`` finds by suffix: mp4, gif, png frames and NIfTI.

Importing `monai_feat.data` registers them. For png and NIfTI they take only clips, four-dimensional tensors whose
metadata have a ``frame_rate``; everything else goes on to MONAI's own writers.
"""

from __future__ import annotations

import gzip
import re
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
from monai.config import PathLike
from monai.data import ImageWriter
from monai.data import image_writer as monai_writers
from nibabel.nifti1 import Nifti1Extension
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from monai_feat.data.video_writer import write_gif, write_mp4
from monai_feat.files import replacing, replacing_folder

__all__ = ["FramesWriter", "GifWriter", "Mp4Writer", "NiftiClipWriter", "png_comment"]

_RGB24 = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])


class _ClipWriter(ImageWriter):
    """Takes a clip ``(C, T, H, W)`` of whole numbers from 0 to 255, of any type, with its metadata.

    Args:
        output_dtype: given by ``SaveImage``; pixels are written as uint8 whatever it says.
        scale: 255 maps [0, 1] to [0, 255] before; None leaves pixels as they are.

    Raises:
        ValueError: this is not a clip, or its pixels would not be kept.
    """

    def __init__(self, output_dtype: Any = np.uint8, scale: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        if scale not in (None, 255):
            raise ValueError(f"expected scale None or 255, got {scale}")
        self.scale = scale
        self.clip = torch.empty(0)
        self.comment = ""
        self.frame_rate: float | None = None
        self.spacing: tuple[float, float] = (float("nan"), float("nan"))

    def set_data_array(self, data_array: Any, channel_dim: int | None = 0, **kwargs: Any) -> None:
        """Check and keep the pixels."""
        data = torch.as_tensor(data_array).detach().cpu()
        data = data.as_tensor() if hasattr(data, "as_tensor") else data
        if data.ndim != 4 or channel_dim not in (0, -4) or data.shape[0] not in (1, 3) or 0 in data.shape:
            raise ValueError(
                f"expected a clip (C, T, H, W) with C = 1 or 3 and channel_dim 0, got {tuple(data.shape)} and "
                f"channel_dim {channel_dim}"
            )
        data = data.float().clamp(0, 1).mul(255).round() if self.scale else data
        self.clip = data.to(torch.uint8)
        if not torch.equal(self.clip.to(data.dtype), data):
            raise ValueError(
                f"expected whole numbers from 0 to 255, got {data.dtype} from {float(data.min()):g} to "
                f"{float(data.max()):g}; see monai_feat.transforms.functional.to_uint8, or pass scale=255 for [0, 1]"
            )

    def set_metadata(self, meta_dict: Mapping[str, Any] | None, **options: Any) -> None:
        """Keep the frame rate and the spacing."""
        meta = meta_dict or {}
        self.frame_rate = None if meta.get("frame_rate") is None else float(meta["frame_rate"])
        if meta.get("spacing") is not None:
            rows, columns = (float(step) for step in meta["spacing"])
            self.spacing = (rows, columns)

    def write(self, filename: PathLike, verbose: bool = True, **kwargs: Any) -> None:
        """Write the file.

        Args:
            filename: with its suffix; its folder must exist.
            verbose: log the name.
            kwargs: ``frame_rate`` in Hz, where the metadata have none or another is wanted;
                ``SaveImage(…).set_options(write_kwargs={"frame_rate": 25})``; ``comment``, a text in ASCII that the
                file keeps among its metadata.

        Raises:
            ValueError: there is no frame rate where the format needs one.
            OSError: the file cannot be written.
        """
        super().write(filename, verbose=verbose)
        self.frame_rate, self.comment = kwargs.get("frame_rate", self.frame_rate), kwargs.get("comment", "")
        if self.frame_rate is None:
            raise ValueError("expected a clip whose metadata have a frame_rate, or frame_rate among write_kwargs")
        self._write(Path(filename), self.frame_rate)

    @abstractmethod
    def _write(self, path: Path, frame_rate: float) -> None:
        """Write the clip; a frame rate of 0.0 is an unknown one."""

    def _known_rate(self, frame_rate: float) -> float:
        if frame_rate > 0:
            return frame_rate
        if self.clip.shape[1] == 1:
            return 1.0
        raise ValueError("the clip has no frame rate: give frame_rate among write_kwargs, or write frames or NIfTI")


class Mp4Writer(_ClipWriter):
    """Writes mp4, as `write_mp4` does: visually lossless H.264 in 4:2:0."""

    def _write(self, path: Path, frame_rate: float) -> None:
        write_mp4(self.clip, path, self._known_rate(frame_rate), comment=self.comment)


class GifWriter(_ClipWriter):
    """Writes gif, as `write_gif` does."""

    def _write(self, path: Path, frame_rate: float) -> None:
        write_gif(self.clip, path, self._known_rate(frame_rate), comment=self.comment)


class FramesWriter(_ClipWriter):
    """Writes the frames as png, exactly, into a folder of the file's name without suffix, from ``clip/000000.png`` on.

    The folder appears when it is complete, and takes the place of an earlier one with nothing but such frames in it.
    The frame rate is not written.
    """

    def _write(self, path: Path, frame_rate: float) -> None:
        folder = path.with_suffix("")
        if folder.exists() and not all(re.fullmatch(r"\d{6}\.png", entry.name) for entry in folder.iterdir()):
            raise FileExistsError(f"{folder}: is there already and holds other things than frames; choose another name")
        with replacing_folder(folder) as temporary:
            for t, frame in enumerate(self.clip.unbind(1)):
                _picture(frame).save(temporary / f"{t:06d}.png", pnginfo=png_comment(self.comment))


class NiftiClipWriter(_ClipWriter):
    """Writes NIfTI that reads back identical: columns, rows, 1, frames; RGB24 for colour; mm and seconds."""

    def _write(self, path: Path, frame_rate: float) -> None:
        pixels = np.ascontiguousarray(self.clip.permute(3, 2, 1, 0).numpy())[:, :, None]  # (W, H, 1, T, C)
        pixels = pixels[..., 0] if pixels.shape[-1] == 1 else pixels.view(_RGB24)[..., 0]
        rows, columns = (step if step == step else 1.0 for step in self.spacing)
        # These signs give an identity direction in ITK, whose axes point the other way.
        image = nib.Nifti1Image(pixels, np.diag([-columns, -rows, 1.0, 1.0]))
        image.header.set_xyzt_units("mm", "sec")
        image.header["pixdim"][4] = 1 / frame_rate if frame_rate > 0 else 0.0
        if self.comment:
            image.header.extensions.append(Nifti1Extension("comment", self.comment.encode("ascii")))
        data = image.to_bytes()
        with replacing(path) as file:
            file.write(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)


def png_comment(comment: str) -> PngInfo | None:
    """Return what Pillow writes into a PNG file as its comment; None for an empty one."""
    if not comment:
        return None
    info = PngInfo()
    info.add_text("Comment", comment)  # a keyword of the PNG specification, section 11.3.3
    return info


def _picture(frame: Tensor) -> Image.Image:
    return Image.fromarray(frame[0].numpy() if len(frame) == 1 else frame.permute(1, 2, 0).contiguous().numpy())


class _NotForClips(ImageWriter):
    """Mixed into MONAI's writers: a clip that ours refused must not become a file of another layout."""

    def set_data_array(self, data_array: Any, *args: Any, **kwargs: Any) -> None:
        self._axes = len(data_array.shape)
        super().set_data_array(data_array, *args, **kwargs)  # type: ignore[no-untyped-call]

    def set_metadata(self, meta_dict: Mapping[str, Any] | None, *args: Any, **kwargs: Any) -> None:
        if self._axes == 4 and "frame_rate" in (meta_dict or {}):
            raise ValueError("this is a clip, which this writer does not know; the error above says what is wrong")
        super().set_metadata(meta_dict, *args, **kwargs)


def register_writers() -> None:
    """Put these writers before MONAI's own, which MONAI would register only into an empty table."""
    if not monai_writers.SUPPORTED_WRITERS:
        monai_writers.init()
    table = monai_writers.SUPPORTED_WRITERS
    for suffix, writer in _WRITERS.items():
        if writer not in (others := table.get(suffix, ())):
            guarded = [type(other.__name__, (_NotForClips, other), {}) for other in others]
            table[suffix] = (writer, *guarded)


_WRITERS: dict[str, type[_ClipWriter]] = {
    "mp4": Mp4Writer,
    "gif": GifWriter,
    "png": FramesWriter,
    "nii": NiftiClipWriter,
    "nii.gz": NiftiClipWriter,
}
register_writers()
