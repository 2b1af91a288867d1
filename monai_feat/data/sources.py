# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One way in for clips, wherever they come from."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from monai_feat.data.clip_attributes import AttributedClips
from monai_feat.data.clip_folder import ClipFolderDataset, OnBad
from monai_feat.data.clip_search import find_clips, find_labelled_clips
from monai_feat.data.labelled_clips import LabelledClips
from monai_feat.data.mask_values import Legend
from monai_feat.data.phantoms import PhantomDataset
from monai_feat.data.preprocessing import Preprocessing
from monai_feat.data.source_names import is_phantom, parse_phantom
from monai_feat.transforms.functional import Fit
from monai_feat.transforms.video.functional import OnShort

__all__ = ["list_clips", "list_held_out", "open_clips"]

_SHOWN = 3


def list_clips(source: str | os.PathLike[str], label_channels: int = 0) -> list[dict[str, Any]]:
    """List what `open_clips` opens, as MONAI's datalists do, so that other programs can describe or replace it.

    Args:
        source: as `monai_feat.data.source_names` says.
        label_channels: whether masks are looked for: not if it is 0.

    Returns:
        A dict for each file: ``image``, its whole path, and ``label``, that of its mask, if it has one. For phantoms it
        is one dict that names them, for they have no files.

    Raises:
        FileNotFoundError: when the folder does not exist or holds no clip, or no mask where masks are asked for.
        DatalistError: when the datalist is none, leaks, or has no such side.
        ValueError: when the name of a phantom is of another form.

    Example:
        >>> list_clips("phantom:ultrasound")
        [{'image': 'phantom:ultrasound'}]
    """
    if is_phantom(source):
        parse_phantom(source)
        return [{"image": str(source)}]
    found = find_labelled_clips(source) if label_channels else dict.fromkeys(find_clips(source))
    pairs = ({"image": image, "label": label} for image, label in found.items())
    return [{key: str(Path(path).absolute()) for key, path in pair.items() if path} for pair in pairs]


def list_held_out(
    source: str | os.PathLike[str], training: str | os.PathLike[str], label_channels: int = 0
) -> list[dict[str, Any]]:
    """List clips as `list_clips` does, and refuse those that a training sees.

    Args:
        source: of the clips that validate.
        training: source of the clips that train.
        label_channels: as for `list_clips`.

    Raises:
        ValueError: clips are in both; names some, and says how to hold clips out.
        FileNotFoundError: as `list_clips`; so are the others.
    """
    held_out, trained = list_clips(source, label_channels), list_clips(training)
    if is_phantom(source):
        shared = [] if parse_phantom(source).seed is None else [item for item in held_out if item in trained]
    else:
        seen = {os.path.realpath(item["image"]) for item in trained}
        shared = [item for item in held_out if os.path.realpath(item["image"]) in seen]
    if shared:
        names = ", ".join(str(item["image"]) for item in shared[:_SHOWN]) + (", …" if len(shared) > _SHOWN else "")
        raise ValueError(
            f"{source}: {len(shared)} of its {len(held_out)} clips also train, in {training} ({names}); expected clips "
            "that do not: hold some out with monai-feat datalist --test-share 0.2, and name them as DATALIST:testing"
        )
    return held_out


def open_clips(
    data: str | os.PathLike[str] | Sequence[Mapping[str, Any]],
    num_clips: int,
    num_frames: int = 16,
    size: int | tuple[int, int] = 64,
    channels: int = 3,
    frame_rate: float | None = None,
    fit: Fit = "crop",
    on_bad: OnBad = "error",
    on_short: OnShort = "error",
    seed: int = 0,
    preprocessing: Preprocessing | None = None,
    label_channels: int = 0,
    mask_classes: int = 0,
    attributes: str | os.PathLike[str] | None = None,
    legend: Legend | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    on_read: Callable[[int, int], None] | None = None,
) -> Dataset[dict[str, Any]]:
    """Open a folder of videos, or procedural clips, as a data set of clips of one shape.

    Args:
        data: a folder, a datalist or a phantom, as `monai_feat.data.source_names` says; or what `list_clips` makes of
            any of them.
        num_clips: how many clips; a folder gives the next multiple of its number of videos, so that each video counts
            the same, or one clip of each of so many videos, spread over the folder, where it holds more.
        num_frames: frames T of each clip.
        size: frame size in pixels, ``(H, W)`` or one number.
        channels: 3 for RGB, 1 for grey.
        frame_rate: frames per second of the clips in Hz; None keeps that of each video, or the phantom's own.
        fit: how a video's frame becomes one of ``size``: ``crop`` or ``pad``. Phantoms are rendered at size.
        on_bad: ``error`` or ``skip``: what to do about a file that cannot be used.
        on_short: ``error`` or ``loop``: what to do about a video with fewer than ``num_frames`` frames.
        seed: decides which clips; another seed gives others. A phantom with a seed in its name has that one.
        preprocessing: what `ClipFolderDataset` does to each video at full size; phantoms have nothing to take away.
        label_channels: number of classes of the clips' masks, the background among them; 0 for clips without. A folder
            or a datalist may have masks for some of its clips only; see `find_labelled_clips`.
        mask_classes: number of classes of masks that are handed out as ``label``, but are no channels of the clips, for
            networks that are asked for masks; 0 for none. At most `label_channels`, where masks are channels too.
        attributes: a table of numbers about the clips of a folder, see `read_attributes`; phantoms know theirs.
        legend: what the values or colours of masks stand for, see `ClipFolderDataset`.
        cache_dir: where read frames of files are kept for the next time, see `FrameCache`; None keeps none.
        on_read: told after each file how many of how many were read; may raise to stop.

    Returns:
        A data set whose items hold ``image``, float32 ``(C, T, H, W)`` in [-1, 1], and, where masks are asked for,
        ``label``, uint8 ``(1, T, H, W)``; with `label_channels` it is `LabelledClips`, and images have C + K channels.

    Raises:
        FileNotFoundError: when the folder does not exist or holds no clip, or no mask where masks are asked for.
        ValueError: when an argument does not fit, or there is no such phantom.

    Example:
        >>> clips = open_clips("phantom:ultrasound", num_clips=4, num_frames=2, size=32, channels=1)
        >>> len(clips), tuple(clips[0]["image"].shape)
        (4, (1, 2, 32, 32))
    """
    if num_clips < 1:
        raise ValueError(f"num_clips must be at least 1, got {num_clips}")
    clips: Dataset[dict[str, Any]]
    num_classes = label_channels or mask_classes
    items = list_clips(data, num_classes) if isinstance(data, (str, os.PathLike)) else data
    if items and is_phantom(str(items[0].get("image"))):
        if attributes is not None:
            raise ValueError(f"phantoms know their attributes; leave out the table {attributes}")
        kind, own_seed = parse_phantom(items[0]["image"])
        seed = seed if own_seed is None else own_seed
        clips = _open_phantoms(kind, num_clips, num_frames, size, channels, frame_rate, seed)
    else:
        clips = ClipFolderDataset(
            items,
            num_frames=num_frames,
            size=size,
            channels=channels,
            frame_rate=frame_rate,
            clips_per_video=-(-num_clips // max(1, len(items))),
            max_videos=num_clips,
            fit=fit,
            on_bad=on_bad,
            on_short=on_short,
            seed=seed,
            label_channels=num_classes,
            legend=legend,
            preprocessing=preprocessing,
            cache_dir=cache_dir,
            on_read=on_read,
        )
        clips = clips if attributes is None else AttributedClips(clips, attributes)
    return LabelledClips(clips, label_channels) if label_channels else clips


def _open_phantoms(
    kind: str,
    num_clips: int,
    num_frames: int,
    size: int | tuple[int, int],
    channels: int,
    frame_rate: float | None,
    seed: int,
) -> PhantomDataset:
    options: dict[str, Any] = {} if frame_rate is None else {"frame_rate": frame_rate}
    phantoms = PhantomDataset(kind, num_clips, seed=seed, size=size, num_frames=num_frames, **options)
    if (made := phantoms[0]["image"].shape[0]) != channels:
        raise ValueError(f"{kind} phantoms have {made} channels, {channels} were asked for; set channels={made}")
    return phantoms
