# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the scripts of the Auto3DSeg template do: choose hyper-parameters, train one fold, predict one clip."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from monai.auto3dseg.utils import datafold_read
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.utils import ensure_tuple

from monai_feat.apps.auto3dseg.analysis import analyze_clips, read_stats
from monai_feat.apps.auto3dseg.prediction import default_device, predict_probabilities
from monai_feat.apps.auto3dseg.settings import SegmentationSettings, load_segmenter
from monai_feat.apps.auto3dseg.training import train_segmenter
from monai_feat.checkpoints import read_metadata
from monai_feat.documents import read_config, read_yaml
from monai_feat.files import write_text

__all__ = ["ClipPredictor", "choose_parameters", "read_parameters", "template_folder", "train_fold"]

_LARGEST_FRAME = 256
_STEP = 32


def template_folder() -> Path:
    """The folder to give to ``AutoRunner`` or ``BundleGen`` as ``templates_path_or_url``."""
    return Path(__file__).resolve().parent / "templates"


def choose_parameters(config: Mapping[str, Any], data_stats: str, data_source: str, fold: int) -> dict[str, Any]:
    """Fill in the hyper-parameters of a template that depend on the data.

    Args:
        config: the template's ``hyper_parameters.yaml``; what is not null there stays.
        data_stats: a ``datastats.yaml``; where it says nothing about clips, these are looked at.
        data_source: the ``input.yaml`` of Auto3DSeg, with ``datalist``, ``dataroot`` and perhaps ``class_names``.
        fold: number of the fold that validates.

    Raises:
        ValueError: no clip has a mask.
    """
    source = read_config(data_source)
    datalist, dataroot = (os.path.abspath(source[key]) for key in ("datalist", "dataroot"))  # noqa: PTH100
    items = [*chain(*datafold_read(datalist, dataroot, fold))]
    stats = read_stats(data_stats) or analyze_clips(items, config.get("legend"))
    names = source.get("class_names")
    side = min(_LARGEST_FRAME, max(_STEP, _STEP * round(min(stats.rows, stats.columns) / _STEP)))
    found = {
        "num_classes": len(names) + 1 if names else stats.num_classes,
        "image_channels": stats.image_channels,
        "frame_size": side,
    }
    chosen = {name: value for name, value in found.items() if config.get(name) is None}
    return {**config, **chosen, "datalist": datalist, "dataroot": dataroot, "fold": fold}


def train_fold(bundle_root: str | os.PathLike[str], config: Mapping[str, Any]) -> Path:
    """Train on all folds but one, and write ``progress.yaml``, in which Auto3DSeg looks for the score.

    Clips without a label are taken for unlabelled ones, see `train_segmenter`. A training that was stopped goes on;
    one with other settings or clips has a folder of its own.

    Args:
        bundle_root: folder of the algorithm of this fold.
        config: its hyper-parameters.

    Returns:
        The weights.

    Raises:
        ValueError: a setting is unknown or out of range, or the fold has no clips to validate on.
    """
    known = ("datalist", "dataroot", "fold")
    settings = SegmentationSettings.from_dict({name: value for name, value in config.items() if name not in known})
    training, validation = datafold_read(config["datalist"], config["dataroot"], config["fold"])
    if not validation:
        raise ValueError(
            f'{config["datalist"]}: no clip has "fold": {config["fold"]}, expected some to validate on: choose another'
        )
    labelled = [item for item in training if item.get("label")]
    unlabelled = [item for item in training if not item.get("label")]
    content = json.dumps([settings.to_json(), training, validation], sort_keys=True).encode()
    folder = Path(bundle_root) / "trainings" / hashlib.sha256(content).hexdigest()[:12]
    weights = train_segmenter(settings, labelled, validation, folder, unlabelled)
    notes = read_metadata(weights)
    progress = {
        "best_avg_dice_score": float(notes["dice"]),
        "best_avg_dice_score_step": int(notes["step"]),
        "weights": weights.relative_to(bundle_root).as_posix(),
    }
    write_text(Path(bundle_root) / "progress.yaml", yaml.safe_dump([progress], sort_keys=False))
    return weights


class ClipPredictor:
    """The trained algorithm of one fold, as Auto3DSeg's ensembles want it.

    Args:
        bundle_root: folder of the algorithm of this fold.

    Attributes:
        progress: score and weights, as ``train_fold`` has written them.

    Raises:
        FileNotFoundError: it is not trained.
    """

    def __init__(self, bundle_root: str | os.PathLike[str]) -> None:
        progress = Path(bundle_root) / "progress.yaml"
        if not progress.is_file():
            raise FileNotFoundError(f"{bundle_root}: is not trained yet, for it has no progress.yaml: train it first")
        (self.progress,) = read_yaml(progress)
        self.network, self.settings = load_segmenter(Path(bundle_root) / self.progress["weights"])
        self.network.to(default_device())

    def infer(self, image_file: str | os.PathLike[str] | Mapping[str, Any]) -> MetaTensor:
        """Return the probabilities of the classes, ``(K, T, H, W)``, of a clip or of an item with one."""
        image = image_file["image"] if isinstance(image_file, Mapping) else image_file
        return predict_probabilities(self.network, self.settings, image)


def read_parameters(files: str | Sequence[str], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Read hyper-parameters, and replace some; an unknown name is an error when they are used."""
    for file in ensure_tuple(files):
        read_config(file)
    config = ConfigParser.load_config_files(files)
    return {**config, **overrides}
