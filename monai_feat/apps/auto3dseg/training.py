# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One segmentation training, from lists of files to a file of weights."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, cast

import torch
from ignite.engine import Engine, Events
from monai.data import DataLoader
from monai.engines import SupervisedEvaluator, SupervisedTrainer
from monai.handlers import IgniteMetricHandler, ValidationHandler, from_engine
from monai.inferers import SimpleInferer
from monai.metrics import DiceMetric
from monai.transforms import AsDiscreted
from torch import nn

from monai_feat.apps.auto3dseg.prediction import default_device
from monai_feat.apps.auto3dseg.records import METRIC, Items, KeptWeights, claim_folder
from monai_feat.apps.auto3dseg.sampling import TrainingSamples
from monai_feat.apps.auto3dseg.settings import SegmentationSettings
from monai_feat.bundle import epoch_of, find_checkpoint
from monai_feat.data import SegmentationClips
from monai_feat.engines import MeanTeacherPrepareBatch
from monai_feat.handlers import (
    ExponentialMovingAverage,
    GradientGuard,
    SafeCheckpointLoader,
    SafeCheckpointSaver,
    StepSchedule,
    TrainingProgress,
    warmup_cosine,
)
from monai_feat.losses import ClipSegmentationLoss
from monai_feat.networks.nets import ClipSegmenter

__all__ = ["WEIGHTS_NAME", "train_segmenter"]

WEIGHTS_NAME = "model.safetensors"


def train_segmenter(
    settings: SegmentationSettings,
    items: Items,
    val_items: Items,
    output_dir: str | os.PathLike[str],
    unlabelled_items: Items = (),
    progress: bool = True,
    device: str | torch.device | None = None,
) -> Path:
    """Train a network on clips with masks, and keep the best weights by the mean Dice of the validation clips.

    The same steps are made whatever the number of clips, see `TrainingSamples`. A training that was stopped goes on
    from its last validation with the same samples; one that is complete is not repeated.

    Args:
        settings: of the training.
        items: dicts with the paths ``image`` and ``label`` of clips and masks; other keys are ignored.
        val_items: clips to validate on; without any, the last weights are kept.
        output_dir: folder of the training, made where it is missing.
        unlabelled_items: dicts with the path ``image``, for consistency with a mean teacher; needs ``ema_decay``.
        progress: show bars.
        device: where to train; None takes a GPU where there is one.

    Returns:
        The weights, a ``.safetensors`` file; its metadata hold ``settings``, and ``dice`` and ``step`` of the best.

    Raises:
        DatalistError: names every file that cannot be read or does not fit, before the training.
        FileExistsError: the folder is that of another training.
        ValueError: there are no items, or unlabelled ones without ``ema_decay``.
    """
    if not items:
        raise ValueError("expected at least one item to train on, got none")
    if unlabelled_items and settings.ema_decay is None:
        raise ValueError("unlabelled items need a teacher: set ema_decay, such as 0.99")
    output_dir = Path(output_dir)
    claim_folder(output_dir, settings, items=items, val_items=val_items, unlabelled_items=unlabelled_items)
    if (output_dir / WEIGHTS_NAME).is_file():
        return output_dir / WEIGHTS_NAME
    clips, validation = (_read(settings, part, progress) for part in (items, val_items))
    unlabelled = _read(settings, unlabelled_items, progress, num_classes=0) if unlabelled_items else None
    return _Training(settings, output_dir, device or default_device()).run(clips, validation, unlabelled, progress)


class _Training:
    """The objects of one training, which its checkpoints hold, and the engines around them."""

    def __init__(self, settings: SegmentationSettings, output_dir: Path, device: str | torch.device) -> None:
        self.settings, self.output_dir, self.device = settings, output_dir, torch.device(device)
        self.network = settings.make_network().to(self.device)
        self.average = None if settings.ema_decay is None else _average(self.network, settings)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), settings.learning_rate)
        rate = warmup_cosine(min(20, settings.max_steps // 10), settings.max_steps)
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(self.optimizer, rate)
        self.used = self.network if self.average is None else cast(ClipSegmenter, self.average.ema_model)

    @property
    def parts(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        parts = {"network": self.network, "optimizer": self.optimizer, "lr_scheduler": self.lr_scheduler}
        return parts if self.average is None else {**parts, "ema": self.average.ema_model}

    def run(
        self, clips: SegmentationClips, validation: SegmentationClips, unlabelled: SegmentationClips | None, shown: bool
    ) -> Path:
        checkpoint = find_checkpoint("last", self.output_dir)
        first_step = min(epoch_of(checkpoint) * self.settings.val_interval, self.settings.max_steps)
        if first_step < self.settings.max_steps:
            samples = TrainingSamples(clips, unlabelled, self.settings, first_step)
            self._trainer(samples, validation, checkpoint, shown).run()
        best = self.output_dir / "checkpoints" / WEIGHTS_NAME
        best.replace(self.output_dir / WEIGHTS_NAME)
        shutil.rmtree(best.parent)
        return self.output_dir / WEIGHTS_NAME

    def _trainer(
        self, samples: TrainingSamples, validation: SegmentationClips, checkpoint: Any, shown: bool
    ) -> SupervisedTrainer:
        """MONAI's trainer; one of its epochs is what lies between two validations."""
        evaluator = self._evaluator(validation) if len(validation) else None
        folder = str(self.output_dir / "checkpoints")
        handlers = [
            *([] if self.average is None else [self.average]),
            StepSchedule(self.lr_scheduler),
            GradientGuard(self.network, max_norm=1.0),
            *([] if evaluator is None else [ValidationHandler(interval=1, validator=evaluator)]),
            KeptWeights(self.used, evaluator, self.output_dir / "checkpoints" / WEIGHTS_NAME, self.settings),
            SafeCheckpointSaver(folder, self.parts, save_interval=1, n_saved=1),
            *([] if checkpoint is None else [SafeCheckpointLoader(str(checkpoint), self.parts)]),
            *([TrainingProgress("segmentation")] if shown else []),
        ]
        trainer = SupervisedTrainer(
            device=self.device,
            max_epochs=-(-self.settings.max_steps // self.settings.val_interval),
            train_data_loader=DataLoader(samples, batch_size=self.settings.batch_size),
            network=self.network,
            optimizer=self.optimizer,
            loss_function=ClipSegmentationLoss(),
            epoch_length=self.settings.val_interval,
            inferer=SimpleInferer(),
            prepare_batch=MeanTeacherPrepareBatch(self.used),
            train_handlers=handlers,
            decollate=False,
        )
        # The last of the epochs may be shorter; it is validated like the others.
        trainer.add_event_handler(Events.ITERATION_COMPLETED(once=self.settings.max_steps), Engine.terminate_epoch)
        return trainer

    def _evaluator(self, validation: SegmentationClips) -> SupervisedEvaluator:
        """MONAI's evaluator, with the mean Dice over foreground classes and clips.

        A class that is in no frame of a clip has a Dice of 1 where it is not predicted either, and 0 otherwise.
        """
        dice = DiceMetric(include_background=False, num_classes=self.settings.num_classes, ignore_empty=False)
        metric = IgniteMetricHandler(metric_fn=dice, output_transform=from_engine(["pred", "label"]))
        return SupervisedEvaluator(
            device=self.device,
            val_data_loader=DataLoader(validation, batch_size=1),
            network=self.used,
            inferer=self.settings.make_inferer(),
            postprocessing=AsDiscreted("pred", argmax=True),
            key_val_metric={METRIC: metric},
        )


def _average(network: nn.Module, settings: SegmentationSettings) -> ExponentialMovingAverage:
    momentum = 1 - (settings.ema_decay or 0)
    return ExponentialMovingAverage(network, momentum, max(0.2, momentum), max(1, settings.max_steps // 2))


def _read(
    settings: SegmentationSettings, items: Items, progress: bool, num_classes: int | None = None
) -> SegmentationClips:
    classes = settings.num_classes if num_classes is None else num_classes
    size, channels, legend = settings.frame_size, settings.image_channels, settings.legend
    return SegmentationClips(items, size, channels, classes, progress and bool(items), legend)
