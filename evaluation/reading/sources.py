# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From what was named on the command line to the opened recordings of one side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any

from torch import nn

from monai_feat.bundle import ClipReading
from monai_feat.data import PhantomDataset, VideoReadError, find_clips
from monai_feat.data.clip_listing import Namer
from monai_feat.data.preprocessing import Preprocessing
from monai_feat.data.source_names import datalist_of, is_phantom, items_of, parse_phantom

from .latents import open_latents
from .recordings import FileRecording, PhantomRecording, Recording, TileRecording, find_tiles

__all__ = [
    "DEFAULT_PHANTOMS",
    "Grid",
    "Side",
    "SourceError",
    "SourceOptions",
    "check_source",
    "open_side",
    "parse_grid",
]

DEFAULT_PHANTOMS = 64
_SHOWN = 5


class SourceError(ValueError):
    """A side that cannot be scored as it is; the message says what was given, what was expected and what to do."""


@dataclass(frozen=True)
class Grid:
    """How many tiles a video of samples shows, and how many pixels lie between them."""

    rows: int
    columns: int
    border: int = 0


@dataclass(frozen=True)
class SourceOptions:
    """What decides which recordings a side has.

    Attributes:
        num_frames: frames T of a clip.
        stride: step between frames, in frames of the recording.
        frame_rate: Hz between the frames of a clip, in place of a stride.
        max_clips: open no more recordings than this.
        group: names the patient or sequence of a file.
        grid: cut each video into tiles.
        on_bad: ``skip`` leaves out what cannot be read or is too short, and lists it; ``error`` refuses.
        autoencoder: decodes latents.
        reading: how a training made clips of files; those of this side are made alike. None takes them as they are.
        still_frames: how many frames a file of one frame has, which shows it standing still.
    """

    num_frames: int = 16
    stride: int = 1
    frame_rate: float | None = None
    max_clips: int | None = None
    group: Namer | None = None
    grid: Grid | None = None
    on_bad: str = "error"
    autoencoder: nn.Module | None = None
    reading: ClipReading | None = None
    still_frames: int = 1

    @cached_property
    def preprocessing(self) -> Preprocessing | None:
        """What files of this side pass at full size, made once for all of them; None for nothing."""
        return None if self.reading is None else self.reading.build_preprocessing()

    def offsets(self, file_rate: float) -> list[int]:
        """Frames of one clip, counted from its first, in a recording of this rate.

        Raises:
            ValueError: the recording has no rate, or fewer frames per second than were asked for.
        """
        step = float(self.stride)
        if self.frame_rate is not None:
            if not file_rate:
                raise ValueError(f"has no frame rate; {self.frame_rate:g} Hz were asked for: use --stride instead")
            step = file_rate / self.frame_rate
            if step < 0.999:
                raise ValueError(
                    f"has {file_rate:.4g} frames per second; {self.frame_rate:g} were asked for: ask for fewer"
                )
        return [int(t * step + 0.5) for t in range(self.num_frames)]


@dataclass
class Side:
    """The recordings that one argument of the command line stands for.

    Attributes:
        label: ``REAL``, ``FAKE`` or ``HELD``, for messages.
        spec: the argument.
        recordings: at least two.
        skipped: what was left out, each with its reason.
    """

    label: str
    spec: str
    recordings: list[Recording]
    skipped: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """Path, clips, groups, codecs, frame rates and sizes as found."""
        sizes = Counter("any" if r.size is None else f"{r.size[0]}x{r.size[1]}" for r in self.recordings)
        rates = sorted(r.frame_rate for r in self.recordings)
        lengths = sorted(r.frames for r in self.recordings)
        return {
            "path": self.spec,
            "clips": len(self.recordings),
            "groups": len({r.group for r in self.recordings}),
            "codec": dict(Counter(r.codec for r in self.recordings).most_common()),
            "frame_rate": {"lowest": rates[0], "median": rates[len(rates) // 2], "highest": rates[-1]},
            "size": dict(sizes.most_common(_SHOWN)),
            "frames": {"fewest": lengths[0], "most": lengths[-1]},
            "skipped": self.skipped,
        }


def check_source(spec: str) -> None:
    """Look whether a source is there, without opening a clip; so no side is opened before another is missed.

    Raises:
        ValueError: it is no phantom that there is, or the datalist has no clip on that side.
        OSError: there is no such file or folder.
    """
    if is_phantom(spec):
        parse_phantom(spec)
    elif items_of(spec) is None and not Path(spec).exists():
        find_clips(spec)


def open_side(label: str, spec: str, options: SourceOptions) -> Side:
    """Open the recordings of one side.

    Args:
        label: ``REAL``, ``FAKE`` or ``HELD``.
        spec: as `monai_feat.data.source_names` says, or safetensors of latents.
        options: which of them, and how they will be read.

    Raises:
        SourceError: there are fewer than two clips, or some are too short.
        VideoReadError: a clip cannot be read.
        OSError: there is no such file.
    """
    side = Side(label, spec, [])
    short: list[str] = []
    for opened in _openers(spec, options):
        if options.max_clips is not None and len(side.recordings) >= options.max_clips:
            break
        try:
            for recording in opened():
                _take(recording, side, short, options)
        except VideoReadError as error:
            if options.on_bad != "skip":
                raise
            side.skipped.append(str(error))
    side.recordings = side.recordings[: options.max_clips]
    if short and options.on_bad != "skip":
        raise SourceError(_too_short(side, short, options))
    side.skipped += [f"{text}: too short" for text in short]
    if len(side.recordings) < 2:
        raise SourceError(
            f"{label} ({spec}): {len(side.recordings)} usable clips; a distance needs at least 2 on each side"
            + (f"; left out: {'; '.join(side.skipped[:_SHOWN])}" if side.skipped else "")
        )
    return side


def parse_grid(text: str, border: int = 0) -> Grid:
    """Read ``4x4`` (rows x columns).

    Raises:
        ValueError: the text is of another form.
    """
    match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if match is None or border < 0:
        raise ValueError(f"expected a grid of rows x columns such as 4x4, and a border >= 0; got {text!r}, {border}")
    return Grid(int(match[1]), int(match[2]), border)


def _take(recording: Recording, side: Side, short: list[str], options: SourceOptions) -> None:
    try:
        needed = options.offsets(recording.frame_rate)[-1] + 1
    except ValueError as error:
        raise VideoReadError(recording.name, str(error)) from None
    if recording.frames < needed:
        short.append(f"{recording.name} ({recording.frames})")
    else:
        side.recordings.append(recording)


def _too_short(side: Side, short: list[str], options: SourceOptions) -> str:
    names = ", ".join(short[:_SHOWN]) + (", …" if len(short) > _SHOWN else "")
    total = len(short) + len(side.recordings)
    what = f"{options.num_frames} frames at stride {options.stride}"
    if options.frame_rate is not None:
        what = f"{options.num_frames} frames at {options.frame_rate:g} Hz"
    return (
        f"{side.label} ({side.spec}): {len(short)} of {total} clips are shorter than {what}: {names}; "
        "ask for fewer with --num-frames, or leave them out with --on-bad skip"
    )


_Opener = Callable[[], Iterable[Recording]]


def _openers(spec: str, options: SourceOptions) -> Iterator[_Opener]:
    """What opens the recordings of each file; nothing is opened yet."""
    if is_phantom(spec):
        return _phantoms(spec, options)
    if datalist_of(spec) is not None:
        return _datalist(spec, options)
    path = Path(spec)
    if path.suffix == ".safetensors" or (path.is_dir() and _only_latents(path)):
        return _latents(path, options)
    root = path if path.is_dir() else path.parent
    return (_file(found, found.relative_to(root), "", options) for found in find_clips(path))


def _file(path: Path, relative: PurePath, group: str, options: SourceOptions) -> _Opener:
    def opened() -> Iterator[Recording]:
        named = group if options.group is None else options.group(relative)
        recording = FileRecording(path, relative.as_posix(), named, options.preprocessing, options.still_frames)
        if options.grid is None:
            yield recording
            return
        frame = next(recording.iter_frames([0], (0, 0)))
        try:
            regions = find_tiles(frame, options.grid.rows, options.grid.columns, options.grid.border)
        except ValueError as error:
            raise VideoReadError(path, str(error)) from None
        for number, region in enumerate(regions):
            yield TileRecording(recording, region, number)

    return opened


def _phantoms(spec: str, options: SourceOptions) -> Iterator[_Opener]:
    kind, seed = parse_phantom(spec)
    rate = options.frame_rate or float(PhantomDataset(kind, 1, size=16, num_frames=1)[0]["frame_rate"])
    frames = options.offsets(rate)[-1] + 1
    for index in range(options.max_clips or DEFAULT_PHANTOMS):
        yield lambda index=index: [PhantomRecording(kind, seed or 0, index, frames, rate)]  # type: ignore[misc]


def _datalist(spec: str, options: SourceOptions) -> Iterator[_Opener]:
    named = datalist_of(spec)
    assert named is not None
    root = named[0].parent.resolve()
    for item in items_of(spec) or ():
        absolute = item.image.resolve()
        relative = absolute.relative_to(root) if absolute.is_relative_to(root) else absolute
        yield _file(item.image, relative, item.group, options)


def _only_latents(folder: Path) -> bool:
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return bool(files) and all(path.suffix == ".safetensors" for path in files)


def _latents(path: Path, options: SourceOptions) -> Iterator[_Opener]:
    if options.autoencoder is None:
        raise SourceError(f"{path}: latents have to be decoded; name the autoencoder with --autoencoder PATH")
    autoencoder = options.autoencoder
    for file in sorted(path.rglob("*.safetensors")) if path.is_dir() else [path]:
        yield lambda file=file: open_latents(file, autoencoder)  # type: ignore[misc]
