# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips to files that every player opens. A file appears under its name only when it is complete."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import BinaryIO, cast

import av
import numpy as np
import numpy.typing as npt
import torch
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from PIL import Image
from torch import Tensor

from monai_feat.files import replacing

__all__ = ["COMMENT_TAG", "encode_mp4", "replacing", "write_gif", "write_mp4"]

# Colours that the gif palette is made from are taken from this many pixels at most.
_PALETTE_PIXELS = 1 << 18
COMMENT_TAG = "comment"
"""Where the comment of a video is among the metadata of its container."""


def write_mp4(clip: Tensor, path: str | os.PathLike[str], frame_rate: float, crf: int = 16, comment: str = "") -> None:
    """Write a clip as H.264 in mp4, visually lossless.

    Pixels are stored as 8-bit 4:2:0 (``yuv420p``, BT.601, limited range, tagged so), the only layout that browsers,
    office programs and phones all play: colour has half the resolution of brightness. For exact pixels store a tensor.
    4:2:0 has no odd sizes: an odd last row or column is repeated once, so that 63 x 65 pixels become 64 x 66.

    Args:
        clip: uint8 tensor ``(C, T, H, W)`` in [0, 255]; C = 3 (RGB) or 1 (grey).
        path: the file, overwritten where it exists; its folder must exist.
        frame_rate: frames per second in Hz.
        crf: constant rate factor of x264, 0 (nearly exact) to 51; 16 is visually lossless.
        comment: to be kept in the metadata of the file; empty for none.

    Raises:
        TypeError: `clip` is not uint8.
        ValueError: the shape or the frame rate is not as described.
        OSError: the file cannot be written; what was there before is kept.
    """
    _check(clip, frame_rate)
    encode_mp4(clip.detach().cpu().unbind(1), path, frame_rate, crf, comment)


def encode_mp4(
    frames: Iterable[Tensor], path: str | os.PathLike[str], frame_rate: float, crf: int = 16, comment: str = ""
) -> None:
    """Write frames as `write_mp4` does, one in memory at a time.

    Args:
        frames: uint8 ``(C, H, W)`` in [0, 255], all of one size; C = 3 (RGB) or 1 (grey).
        path: the file, overwritten where it exists; its folder must exist.
        frame_rate: frames per second in Hz.
        crf: constant rate factor of x264.
        comment: to be kept in the metadata of the file; empty for none.

    Raises:
        OSError: the file cannot be written; what was there before is kept.
    """
    pictures = (_yuv_picture(_even(frame.expand(3, -1, -1).permute(1, 2, 0).numpy())) for frame in frames)
    with replacing(path) as temporary:
        _encode(pictures, temporary, "mp4", "libx264", frame_rate, comment, crf=str(crf))


def write_gif(clip: Tensor, path: str | os.PathLike[str], frame_rate: float, comment: str = "") -> None:
    """Write a clip as an endlessly repeating gif with one palette of 256 colours; grey clips lose nothing.

    Gif times frames in hundredths of a second, and viewers show nothing faster than 50 Hz.

    Args:
        clip: uint8 tensor ``(C, T, H, W)`` in [0, 255]; C = 3 (RGB) or 1 (grey).
        path: the file, overwritten where it exists; its folder must exist.
        frame_rate: frames per second in Hz, at most 50.
        comment: to be kept in the file, in ASCII; empty for none.

    Raises:
        TypeError: `clip` is not uint8.
        ValueError: the shape or the frame rate is not as described.
        OSError: the file cannot be written; what was there before is kept.
    """
    if frame_rate > 50:
        raise ValueError(f"expected at most 50 Hz for a gif, got {frame_rate}; drop frames or write an mp4")
    rgb = _rgb_frames(clip, frame_rate)
    encoded = io.BytesIO()
    _encode(_paletted(rgb), encoded, "gif", "gif", frame_rate)
    with replacing(path) as temporary:
        temporary.write(_with_comment(encoded.getvalue(), comment.encode("ascii")))


def _with_comment(gif: bytes, comment: bytes) -> bytes:
    """Insert a comment extension (GIF89a, section 24) before the first block, for ffmpeg writes none."""
    if not comment:
        return gif
    packed = gif[10]
    first = 13 + (3 << (packed & 7) + 1 if packed & 0x80 else 0)  # header, screen, colours
    parts = [comment[i : i + 255] for i in range(0, len(comment), 255)]
    extension = b"\x21\xfe" + b"".join(bytes([len(part)]) + part for part in parts) + b"\0"
    return gif[:first] + extension + gif[first:]


def _check(clip: Tensor, frame_rate: float) -> None:
    if clip.dtype != torch.uint8:
        raise TypeError(f"expected a uint8 clip, got {clip.dtype}; see monai_feat.transforms.functional.to_uint8")
    if clip.ndim != 4 or clip.shape[0] not in (1, 3) or 0 in clip.shape:
        raise ValueError(f"expected a clip of shape (C, T, H, W) with C = 1 or 3, got {tuple(clip.shape)}")
    if not 0 < frame_rate < float("inf"):
        raise ValueError(f"expected a frame rate above 0 Hz, got {frame_rate}")


def _even(frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A frame ``(H, W, 3)`` with an odd last row or column repeated."""
    padded = np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(padded)


def _rgb_frames(clip: Tensor, frame_rate: float) -> npt.NDArray[np.uint8]:
    """Check a clip and turn it into frames ``(T, H, W, 3)``."""
    _check(clip, frame_rate)
    return np.ascontiguousarray(clip.detach().cpu().expand(3, -1, -1, -1).permute(1, 2, 3, 0).numpy())


def _yuv_picture(frame: npt.NDArray[np.uint8]) -> VideoFrame:
    picture = VideoFrame.from_ndarray(frame, format="rgb24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.SMPTE170M, dst_color_range=ColorRange.MPEG
    )
    picture.colorspace, picture.color_range = Colorspace.SMPTE170M, ColorRange.MPEG
    return picture


def _encode(
    pictures: Iterable[VideoFrame],
    file: BinaryIO,
    container: str,
    codec: str,
    frame_rate: float,
    comment: str = "",
    **options: str,
) -> None:
    """Encode pictures of one size and one pixel format, which the stream takes over from the first of them."""
    with av.open(file, mode="w", format=container) as output:
        if comment:
            output.metadata[COMMENT_TAG] = comment
        rate = Fraction(frame_rate).limit_denominator(1_001_000)
        stream = cast(VideoStream, output.add_stream(codec, rate=rate, options=options))
        stream.codec_context.thread_count = 1  # with more, x264 sometimes encodes the same small pictures differently
        for i, picture in enumerate(pictures):
            if i == 0:
                stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, picture.format.name
                stream.codec_context.colorspace = picture.colorspace
                stream.codec_context.color_range = picture.color_range
            picture.pts = i
            picture.time_base = 1 / rate
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))


def _paletted(frames: npt.NDArray[np.uint8]) -> Iterator[VideoFrame]:
    """Frames of 256 colours that are the same in all of them, so that a static region does not flicker."""
    is_grey = (frames == frames[..., :1]).all()
    if is_grey:
        colours = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    else:
        sample = frames.reshape(-1, 3)[:: max(1, frames[..., 0].size // _PALETTE_PIXELS)]
        quantized = Image.fromarray(sample[None]).quantize(256)
        colours = np.zeros((256, 3), dtype=np.uint8)
        found = np.asarray(quantized.getpalette(), dtype=np.uint8).reshape(-1, 3)
        colours[: len(found)] = found
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours.tobytes())
    argb = np.concatenate([np.full((256, 1), 255, dtype=np.uint8), colours], axis=1)
    for frame in frames:
        indices = frame[..., 0] if is_grey else np.asarray(Image.fromarray(frame).quantize(palette=palette))
        pair = (np.ascontiguousarray(indices), argb)
        yield VideoFrame.from_ndarray(pair, format="pal8")  # type: ignore[arg-type]  # PyAV's stubs forget this format
