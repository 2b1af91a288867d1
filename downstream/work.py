# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What the jobs of a study do. Each writes into its own folder only, and its marker last."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from monai_feat.apps.auto3dseg import SegmentationSettings, predict_masks, train_segmenter
from monai_feat.data import ClipItem, Datalist, load_clip, read_datalist, write_datalist

from .arms import Arm, Ingredients, get_arm
from .baselines import BASELINES
from .clips import clip_name, prepare_clips, write_mask
from .fidelity import measure_fidelity
from .generators import GENERATORS, Request, nearest_clips, reconstruct
from .jobs import Job, Stage
from .metrics import score_clip
from .scores import Score, write_scores
from .splits import Split, check_split, folds_to_test, split_items
from .study import Study
from .workspace import DATALIST, SCORES, SYNTHETIC_DATALIST, Workspace

__all__ = ["run_job"]

VALIDATES, ALWAYS_TRAINS = 0, None  # folds in the datalist of a job


def run_job(study: Study, workspace: Workspace, job: Job, progress: bool = True) -> None:
    """Run one job, and mark it as done.

    Raises:
        Exception: whatever went wrong; the job is not marked then, and can be run again.
    """
    started = time.monotonic()
    result = _STAGES[job.stage](study, workspace, job, progress)
    workspace.finish(job.id, {"seconds": round(time.monotonic() - started, 1), **result})


def _prepare(study: Study, workspace: Workspace, job: Job, progress: bool) -> Mapping[str, Any]:
    """Bring the clips into their form, check every split, and score the trivial baselines."""
    items = prepare_clips(study.data, workspace.clips, study.split_seed, progress).training
    scores: list[Score] = []
    for fold in folds_to_test(items, study):
        for fraction in study.fractions:
            split = split_items(items, study, fold, fraction)
            check_split(split, study, f"fold {fold} at {fraction:.0%}")
            scores += _score_baselines(study, split, fold, fraction)
    folder = workspace.job(job.id)
    folder.mkdir(parents=True, exist_ok=True)
    write_scores(folder / SCORES, scores)
    return {"clips": len(items), "patients": len({item.group for item in items})}


def _score_baselines(study: Study, split: Split, fold: int, fraction: float) -> Iterator[Score]:
    masks = [_mask(item) for item in split.train]
    for name, predict in BASELINES.items():
        for item in split.test:
            truth = _mask(item)
            found = predict(truth.shape, masks)
            for seed in study.seeds:  # alike for each of them, so that arms can be paired with it
                yield from _score(Job("", "train", (), name, fraction, fold, seed), study, item, truth, found)


def _generate(study: Study, workspace: Workspace, job: Job, progress: bool) -> Mapping[str, Any]:
    """Make synthetic clips, from the training patients of this fold and fraction alone."""
    split = _split(study, workspace, job)
    (folder := workspace.job(job.id)).mkdir(parents=True, exist_ok=True)
    request = Request(
        study.data,
        study.generator,
        split.train,
        math.ceil(study.largest_ratio * len(split.train)) or 1,
        folder,
        seed=study.generator.seed + 1000 * job.fold,
        progress=progress,
    )
    synthetic = GENERATORS[study.generator.kind](request)
    _write(synthetic, folder / SYNTHETIC_DATALIST)
    if any("reconstructed" in get_arm(arm).needs for arm in study.arms):
        _write(reconstruct(request), folder / "reconstructed.json")
    return {"clips": len(synthetic), "trained_on": sorted({item.group for item in split.train})}


def _train(study: Study, workspace: Workspace, job: Job, progress: bool) -> Mapping[str, Any]:
    """Train one segmenter, choose its weights on the validation patients, and predict the test fold once."""
    split, arm = _split(study, workspace, job), get_arm(job.arm)
    folder = workspace.job(job.id)
    labelled, unlabelled = arm.pick(_ingredients(study, workspace, job, split, arm))
    labelled = _distinct_files(labelled, folder / "again")
    datalist = Datalist(
        tuple(replace(item, fold=ALWAYS_TRAINS) for item in labelled)
        + tuple(replace(item, fold=VALIDATES) for item in split.validation),
        tuple(replace(item, fold=None) for item in split.test),
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_datalist(datalist, folder / DATALIST)
    weights = train_segmenter(
        _settings(study, arm, job.seed),
        [_entry(item) for item in labelled],
        [_entry(item) for item in split.validation],
        folder,
        unlabelled_items=[_entry(item) for item in unlabelled],
        progress=False,
    )
    write_scores(folder / SCORES, _score_test_fold(study, job, split, Path(weights), folder))
    return {"clips": len(labelled), "unlabelled_clips": len(unlabelled), "weights": Path(weights).name}


def _settings(study: Study, arm: Arm, seed: int) -> SegmentationSettings:
    data, training = study.data, study.training
    return SegmentationSettings(
        num_classes=data.num_classes,
        image_channels=data.image_channels,
        frame_size=data.frame_size,
        num_frames=min(training.num_frames, data.num_frames),
        network=training.network,
        augmentation=arm.augmentation,
        max_steps=math.ceil(arm.steps * training.steps),
        batch_size=training.batch_size,
        learning_rate=training.learning_rate,
        val_interval=training.val_interval,
        ema_decay=training.ema_decay,
        seed=seed,
    )


def _score_test_fold(study: Study, job: Job, split: Split, weights: Path, folder: Path) -> list[Score]:
    scores: list[Score] = []
    predicted = predict_masks(weights, [_entry(item) for item in split.test])
    for item, (_, mask) in zip(split.test, predicted, strict=True):
        write_mask(mask, folder / "predictions" / item.image.name)
        scores += _score(job, study, item, _mask(item), mask)
    return scores


def _score(job: Job, study: Study, item: ClipItem, truth: Tensor, predicted: Tensor) -> Iterator[Score]:
    values = score_clip(truth, predicted, tolerance=study.surface_tolerance, num_classes=study.data.num_classes)
    for metric, value in values.items():
        yield Score(job.arm, job.fraction, job.fold, job.seed, item.group, clip_name(item), metric, value)


def _ingredients(study: Study, workspace: Workspace, job: Job, split: Split, arm: Arm) -> Ingredients:
    have = Ingredients(split.train, split.extra, [*split.without_masks, *split.extra])
    if not arm.uses_generator:
        return have
    made = workspace.job(next(need for need in job.needs if need.startswith("generate.")))
    synthetic = read_datalist(made / SYNTHETIC_DATALIST).training
    have = replace(have, synthetic=synthetic)
    if "reconstructed" in arm.needs:
        have = replace(have, reconstructed=read_datalist(made / "reconstructed.json").training)
    if "copies" in arm.needs:
        have = replace(have, copies=nearest_clips(synthetic, split.train))
    if arm.is_pseudo_labelled:
        teacher = workspace.job(job.needs[-1]) / workspace.finished(job.needs[-1])["weights"]
        have = replace(have, pseudo_labelled=_label(synthetic, teacher, workspace.job(job.id) / "pseudo_labels"))
    return have


def _label(items: Sequence[ClipItem], segmenter: Path, folder: Path) -> list[ClipItem]:
    """Give clips the masks that a segmenter finds in them."""
    found = predict_masks(segmenter, [_entry(item) for item in items])
    return [
        replace(item, label=write_mask(mask, folder / item.image.name))
        for item, (_, mask) in zip(items, found, strict=True)
    ]


def _distinct_files(items: Sequence[ClipItem], folder: Path) -> list[ClipItem]:
    """Copy the files of clips that occur again, because a datalist lists no file twice."""
    seen: dict[Path, int] = {}
    distinct = []
    for item in items:
        times = seen[item.image] = seen.get(item.image, -1) + 1
        distinct.append(_copied(item, folder / str(times)) if times else item)
    return distinct


def _copied(item: ClipItem, folder: Path) -> ClipItem:
    folder.mkdir(parents=True, exist_ok=True)
    assert item.label is not None
    image, label = (Path(shutil.copyfile(file, folder / file.name)) for file in (item.image, item.label))
    return replace(item, image=image, label=label)


def _measure(study: Study, workspace: Workspace, job: Job, progress: bool) -> Mapping[str, Any]:
    """Compare synthetic clips with those that the generator saw, and with those that it did not."""
    split, folder = _split(study, workspace, job), workspace.job(job.id)
    made = workspace.job(job.needs[0]) / SYNTHETIC_DATALIST
    sides = {"real": split.train, "held_out": (*split.validation, *split.test)}
    for name, items in sides.items():
        _write([replace(item, fold=None) for item in items], folder / f"{name}.json")
    return measure_fidelity(folder / "real.json", made, folder / "held_out.json", study.data, folder)


def _split(study: Study, workspace: Workspace, job: Job) -> Split:
    items = read_datalist(workspace.clips / DATALIST).training
    return split_items(items, study, job.fold, job.fraction)


def _mask(item: ClipItem) -> Tensor:
    assert item.label is not None
    return load_clip(item.label).as_tensor()


def _entry(item: ClipItem) -> dict[str, str]:
    files = {"image": item.image, "label": item.label}
    return {key: str(file.resolve()) for key, file in files.items() if file is not None}


def _write(items: Sequence[ClipItem], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_datalist(Datalist(tuple(items)), path)


_STAGES: dict[Stage, Callable[[Study, Workspace, Job, bool], Mapping[str, Any]]] = {
    "prepare": _prepare,
    "generate": _generate,
    "reference": _train,
    "train": _train,
    "fidelity": _measure,
}
