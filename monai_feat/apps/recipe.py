# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How the commands train a bundle within a time: its autoencoder, then FEAT in its latent space.

Bundle commands do all of it. Each is printed before it runs, so that anyone can take it from there.
"""

from __future__ import annotations

import math
import shlex
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from monai.bundle import run

from monai_feat.bundle import find_bundle
from monai_feat.checkpoints import load_checkpoint, save_checkpoint, widen_autoencoder
from monai_feat.data import VideoReadError, find_clips, is_phantom, open_clip
from monai_feat.data.folder_search.contents import search_folder
from monai_feat.data.source_names import parse_phantom
from monai_feat.files import check_folder, read_json, write_json

__all__ = [
    "Look",
    "Recipe",
    "epochs_for",
    "is_training",
    "look_at",
    "make_recipe",
    "trained_weights",
    "training_seconds",
]

AUTOENCODER_SHARE = 0.3  # of the time; the rest is FEAT's
CLIP_FRAMES = 16  # of a clip that FEAT trains on, as its config has it
FINE_TUNING_RATE = 0.0003
MANY_EPOCHS = 100_000  # time ends the training
FEWEST_CLIPS, MOST_CLIPS, CLIPS_PER_SECOND = 120, 2000, 0.5  # encoded before FEAT trains, whatever the time
# Mean spread of the colour channels, in grey levels; coloured marks on a scanner's screen give up to 15.
GREY_TOLERANCE = 20.0
_RECORD, _ASKED = "training.json", ("modality", "from_scratch", "num_frames", "label_channels")


class Look(NamedTuple):
    """What a folder of clips seems to hold."""

    modality: str
    only_stills: bool


@dataclass(frozen=True)
class Recipe:
    """One training of one bundle.

    Attributes:
        modality: which of the shipped bundles.
        source: a folder of clips, a datalist, or a phantom.
        output: where results go.
        from_scratch: whether to start without the shipped weights.
        num_frames: frames of a clip; None for as many as the configs say.
        seconds: time for both trainings together.
        label_channels: classes of the masks that clips carry, the background among them; 0 for clips without masks.
    """

    modality: str
    source: str
    output: Path
    from_scratch: bool
    num_frames: int | None = None
    seconds: float = 300.0
    label_channels: int = 0

    @property
    def bundle(self) -> Path:
        """Folder of the bundle."""
        return find_bundle(f"feat_{self.modality}")

    @property
    def is_phantom(self) -> bool:
        """Whether clips are procedural."""
        return is_phantom(self.source)

    def weights(self, name: str) -> Path:
        """Return the path of shipped weights."""
        return self.bundle / "models" / f"{name}.safetensors"

    @property
    def on_bad(self) -> str | None:
        """What to do about files that cannot be read: leave them out, and name them; None where there are no files."""
        return None if self.is_phantom else "skip"

    def start_weights(self, name: str) -> str | None:
        """Return the path of the weights that training starts from, if any."""
        return None if self.from_scratch else str(self.weights(name))

    def run(self, config: str, /, *overlays: str, **overrides: Any) -> None:
        """Print a bundle command, then run it in this process; values of None are left out."""
        files = [str(self.bundle / "configs" / f"{name}.json") for name in (config, *overlays)]
        given = {key: value for key, value in overrides.items() if value is not None}
        options = {"config_file": files if overlays else files[0], "bundle_root": str(self.bundle), **given}
        arguments = [f"--{key} {shlex.quote(str(value))}" for key, value in options.items()]
        python = shlex.quote(sys.executable)
        print(f"\n$ {python} -m monai.bundle run \\\n    " + " \\\n    ".join(arguments), flush=True)
        run(**options)

    def sheets(self) -> list[Path]:
        """Pictures that the trainings have left to look at: reconstructions, losses, and the latest samples."""
        found = [self.output / "autoencoder" / "reconstructions.png", self.output / "feat" / "loss.png"]
        samples = sorted((self.output / "feat" / "samples").glob("epoch_*.png"))
        return [*(path for path in found if path.is_file()), *samples[-1:]]

    def claim(self) -> None:
        """Take a new folder for the results, or one in which the same training has begun, which then goes on.

        Raises:
            FileExistsError: it holds a training on other clips, or of other masks.
            OSError: it cannot be written.
        """
        check_folder(self.output)
        record = self.output / _RECORD
        source = self.source if self.is_phantom else str(Path(self.source).absolute())
        wanted = {"source": source, **{name: getattr(self, name) for name in _ASKED}}
        if record.is_file() and (there := read_json(record)) != wanted:
            changed = [f"{name} was {there.get(name)!r} and is {wanted[name]!r}" for name in wanted
                       if there.get(name) != wanted[name]]  # fmt: skip
            raise FileExistsError(f"{self.output} holds another training ({'; '.join(changed)}): name another folder")
        self.output.mkdir(parents=True, exist_ok=True)
        write_json(record, wanted)

    def train(self) -> tuple[Path, Path]:
        """Train the autoencoder, then FEAT in its latent space, and return the paths of their weights.

        In a folder where the same training began it goes on, until the time of all its parts together is up. A whole
        autoencoder is kept: the latent space of FEAT must not move.
        """
        common = {"dataset_dir": self.source, "seed": 1, "on_bad": self.on_bad, "max_epochs": MANY_EPOCHS}
        common["resume_from"] = "last"
        # The shipped weights know procedural clips already; for anything else, the configs' own rates stand.
        common["learning_rate"] = FINE_TUNING_RATE if self.is_phantom and not self.from_scratch else None
        paths = trained_weights(self.output)
        seconds = (1 - AUTOENCODER_SHARE) * self.seconds
        if paths["autoencoder_weights"].is_file():
            print(f"{paths['autoencoder_weights']} is there, and is kept", flush=True)
        else:
            started = time.monotonic()
            self._train_autoencoder(common)
            seconds = min(seconds, self.seconds - (time.monotonic() - started))  # reading was the larger part of it
        self._train_feat(common, math.ceil(max(1.0, seconds)))
        return paths["autoencoder_weights"], paths["network_weights"]

    @property
    def _num_clips(self) -> int:
        """Clips that FEAT trains on; the autoencoder trains on frames of the same ones, so that all are read once."""
        fewest = FEWEST_CLIPS if self.num_frames is None else 300  # stills are encoded sooner
        return round(min(max(fewest, CLIPS_PER_SECOND * (1 - AUTOENCODER_SHARE) * self.seconds), MOST_CLIPS))

    def _train_autoencoder(self, common: dict[str, Any]) -> None:
        self.run(
            "train_autoencoder",
            **common,
            output_dir=str(self.output / "autoencoder"),
            num_clips=600 if self.is_phantom else self._num_clips,
            num_frames=None if self.is_phantom else self.num_frames or CLIP_FRAMES,
            on_short=None if self.is_phantom else "loop",
            num_statistics_frames=256,
            max_seconds=self.seconds,
            label_channels=self.label_channels or None,
            autoencoder_weights=self._first_autoencoder(),
            **{"train::named_handlers::time_budget::share": AUTOENCODER_SHARE},
        )

    def _first_autoencoder(self) -> str | None:
        """Return the weights that the autoencoder starts from: the shipped ones, with room for any masks."""
        shipped = self.start_weights("autoencoder")
        if shipped is None or not self.label_channels:
            return shipped
        widened = self.output / "autoencoder_start.safetensors"
        widened.parent.mkdir(parents=True, exist_ok=True)
        save_checkpoint(widen_autoencoder(load_checkpoint(shipped), self.label_channels), widened)
        return str(widened)

    def _train_feat(self, common: dict[str, Any], seconds: int) -> None:
        self.run(
            "train",
            **common,
            output_dir=str(self.output / "feat"),
            num_clips=self._num_clips,
            num_frames=self.num_frames,
            warmup_steps=20,
            max_seconds=seconds,
            val_interval=1000,
            on_short=None if self.is_phantom else "loop",
            autoencoder_weights=str(trained_weights(self.output)["autoencoder_weights"]),
            network_weights=self.start_weights("feat"),
        )


def epochs_for(num_steps: int, num_clips: int, batch_size: int) -> int:
    """Return the fewest whole epochs that make at least so many steps."""
    return math.ceil(num_steps / math.ceil(num_clips / batch_size))


def training_seconds(minutes: float) -> float:
    """Return the time of ``--minutes`` in seconds.

    Raises:
        ValueError: it is no time, or endless.
    """
    if not 0 < minutes < math.inf:
        raise ValueError(f"--minutes is the time to train, and must be over 0; got {minutes:g}")
    return 60 * minutes


def trained_weights(output: Path) -> dict[str, Path]:
    """Return the weights that a `Recipe` has trained, by the keys that configs have for them."""
    return {
        "autoencoder_weights": output / "autoencoder" / "autoencoder.safetensors",
        "network_weights": output / "feat" / "feat.safetensors",
    }


def is_training(output: Path) -> bool:
    """Return whether a folder is one in which a `Recipe` has begun to train."""
    return (output / _RECORD).is_file()


def make_recipe(data: str | None, modality: str | None, output: Path, from_scratch: bool, seconds: float) -> Recipe:
    """Look at the clips, and choose what suits them.

    Args:
        data: a folder of clips, one clip or a datalist; procedural clips where it is None.
        modality: which bundle; None to guess it from the colours of the clips.
        output: as for `Recipe`.
        from_scratch: as for `Recipe`.
        seconds: as for `Recipe`.

    Raises:
        FileNotFoundError: when there is no clip.
        VideoReadError: when none can be read.
    """
    if data is None or is_phantom(data):
        source = data or f"phantom:{modality or 'endoscopy'}"
        return Recipe(modality or parse_phantom(source).kind, source, output, from_scratch, None, seconds)
    source = str(Path(data).expanduser())
    look = look_at(source)
    num_frames = 1 if look.only_stills else None  # looped, stills would teach that nothing moves
    return Recipe(modality or look.modality, source, output, from_scratch, num_frames, seconds)


def look_at(source: str, num_files: int = 9) -> Look:
    """Look at some clips of the whole folder: most are grey (ultrasound) or coloured, all are stills or they are not.

    Raises:
        FileNotFoundError: when there is no clip.
        VideoReadError: when none can be read.
    """
    paths = _found(Path(source))
    spreads, lengths = [], []
    for path in paths[:: max(1, len(paths) // num_files)]:
        try:
            clip = open_clip(path)
            pixels = clip.read(start=clip.frames // 2, num_frames=1).float()  # (C, 1, H, W)
        except VideoReadError:
            continue  # reported by name when the clips are read for training
        spreads.append((pixels.amax(0) - pixels.amin(0)).mean().item())
        lengths.append(clip.frames)
    if not spreads:
        raise VideoReadError(Path(source), f"none of the {len(paths)} clips can be read: ask monai-feat doctor why")
    return Look("ultrasound" if statistics.median(spreads) < GREY_TOLERANCE else "endoscopy", max(lengths) == 1)


def _found(source: Path) -> list[Path]:
    """The clips of a source; of a folder it is said what was seen, used and left."""
    if not source.is_dir():
        return find_clips(source)
    contents = search_folder(source)
    print(contents.describe())
    return list(contents.pairs)
