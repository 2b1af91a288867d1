# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a training leaves in its folder: what it is made of, and its best weights."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ignite.engine import Engine, Events
from monai.engines import SupervisedEvaluator

from monai_feat.apps.auto3dseg.settings import SegmentationSettings
from monai_feat.checkpoints import Pretrained, read_metadata, save_checkpoint
from monai_feat.files import compare_keys, read_json, write_json

__all__ = ["METRIC", "Items", "KeptWeights", "claim_folder"]

METRIC = "dice"

Items = Sequence[Mapping[str, Any]]


def claim_folder(folder: Path, settings: SegmentationSettings, **lists: Items) -> None:
    """Write what a training is made of into its folder, ``training.json``, or refuse the folder of another training.

    Args:
        folder: made where it is missing.
        settings: of the training.
        lists: its items, by what they are for; the paths ``image`` and ``label`` count.

    Raises:
        FileExistsError: names what is different there.
    """
    files = {name: [_files(item) for item in items] for name, items in lists.items()}
    description = {"settings": json.loads(settings.to_json()), **files}
    note = folder / "training.json"
    if not note.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_json(note, description)
    elif (earlier := read_json(note)) != description:
        found = compare_keys(description, earlier)
        differing = ", ".join([*found.missing, *found.unexpected, *found.changed])
        raise FileExistsError(f"{folder} holds another training (other {differing}); name another folder or remove it")


class KeptWeights:
    """Keep the weights with the best mean Dice, or the latest where nothing is validated, with their settings.

    The file says how good its weights are, so that a resumed training goes on comparing.

    Args:
        network: whose weights are kept.
        evaluator: has the metric ``dice`` when an epoch of the trainer is complete; None where nothing is validated.
        path: a ``.safetensors`` file.
        settings: to keep beside the weights, with ``step`` and ``dice``.
    """

    def __init__(
        self, network: Pretrained, evaluator: SupervisedEvaluator | None, path: Path, settings: SegmentationSettings
    ) -> None:
        self.network, self.evaluator, self.path, self.settings = network, evaluator, path, settings

    def attach(self, engine: Engine) -> None:
        """Register with a trainer, behind the validation."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Engine) -> None:
        """Save the weights, unless better ones are saved."""
        description = self.network.describe(self.settings.clips)
        notes = {"settings": self.settings.to_json(), "step": str(engine.state.iteration)}
        if self.evaluator is not None:
            score = float(self.evaluator.state.metrics[METRIC])
            if self.path.is_file() and score <= float(read_metadata(self.path)[METRIC]):
                return
            notes[METRIC] = repr(score)
        save_checkpoint(self.network.state_dict(), self.path, {**description.to_metadata(), **notes})


def _files(item: Mapping[str, Any]) -> dict[str, str]:
    return {key: os.fspath(item[key]) for key in ("image", "label") if item.get(key) is not None}
