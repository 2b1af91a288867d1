# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Gathers what the jobs of a study have left, and hands it to the report."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from monai_feat import __version__
from monai_feat.data import OWN_GROUP, load_clip, read_datalist

from .arms import REFERENCE, get_arm
from .baselines import BASELINES
from .clips import clip_name
from .jobs import Job
from .report import Example, ReportArm, ReportInput, Sample, extreme_clips, write_report
from .scores import Score, read_scores
from .study import Study, StudyError
from .workspace import SCORES, SYNTHETIC_DATALIST, Workspace

__all__ = ["report_study"]

METRIC = "dice"
_PACKAGES = ("torch", "monai")
_SHOWN_FRAME_RATE = 10.0  # Hz
_SHOWN_SAMPLES = 3  # of each generator, a row of the page


def report_study(
    study: Study, workspace: Workspace, jobs: Sequence[Job], unfinished: Mapping[str, str], command: str
) -> Path:
    """Write the report of what is done.

    Args:
        study: that was run.
        workspace: where.
        jobs: all of them.
        unfinished: ids and reasons of those that are not done, which the page names.
        command: that was given.

    Returns:
        Path of the page.

    Raises:
        StudyError: no training is done.
    """
    scores = gather_scores(workspace, jobs)
    if not any(score.arm == REFERENCE for score in scores):
        raise StudyError(
            f"there is nothing to report: no training of arm {REFERENCE!r} is done in {workspace.root}; run it first"
        )
    content = ReportInput(
        title=study.title,
        scores=scores,
        arms=[*map(_report_arm, study.arms), *(ReportArm(name, "baseline", _BASELINE) for name in BASELINES)],
        smallest_effect=study.smallest_effect,
        questions=study.asked,
        surface_tolerance=study.surface_tolerance,
        metric=METRIC,
        examples=list(_examples(study, workspace, jobs, scores)),
        samples=list(_samples(workspace, jobs)),
        evaluations=dict(_evaluations(workspace, jobs)),
        minutes=spent_minutes(workspace, jobs),
        notes=[*_notes(study, scores), *(f"{job} is not done: {reason}" for job, reason in unfinished.items())],
        settings=json.loads(json.dumps(asdict(study), default=str)),
        command=command,
        versions=_versions(),
    )
    return write_report(workspace.report, content)


def gather_scores(workspace: Workspace, jobs: Sequence[Job]) -> list[Score]:
    """Read the scores of all jobs that are done."""
    files = (workspace.job(job.id) / SCORES for job in jobs if workspace.is_done(job.id))
    return [score for file in files if file.is_file() for score in read_scores(file)]


def spent_minutes(workspace: Workspace, jobs: Sequence[Job]) -> dict[str, float]:
    """Add up what jobs took, by arm, and by stage for all others."""
    minutes: dict[str, float] = {}
    for job in jobs:
        if workspace.is_done(job.id):
            name = job.arm or _STAGE_NAMES.get(job.stage, job.stage)
            minutes[name] = minutes.get(name, 0.0) + float(workspace.finished(job.id)["seconds"]) / 60
    return minutes


_STAGE_NAMES = {"generate": "generator", "prepare": "preparation", "fidelity": "fidelity and memorisation"}
_BASELINE = "looks at no picture: what a score means that is not better than this"


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "monai-feat": __version__, **packages}


def _report_arm(name: str) -> ReportArm:
    arm = get_arm(name)
    return ReportArm(name, arm.kind, arm.reason, arm.dose, arm.caveat)


def _examples(study: Study, workspace: Workspace, jobs: Sequence[Job], scores: Sequence[Score]) -> Iterator[Example]:
    """Yield the clips that the leading arm of the report, or the last one where there is none, changed most."""
    scored = {score.arm for score in scores} - {REFERENCE}
    compared = [name for name in study.arms if name in scored]
    if not compared:
        return
    leading = [question.arm for question in study.asked if question.arm in scored]
    shown = (leading or compared[::-1])[0]
    trained = [job for job in jobs if job.arm in (REFERENCE, shown)]
    for score, _ in extreme_clips(scores, shown, REFERENCE, METRIC):
        cell = (score.fraction, score.fold, score.seed)
        alike = [job for job in trained if (job.fraction, job.fold, job.seed) == cell]
        files = {job.arm: workspace.job(job.id) / "predictions" / f"{score.clip}.nii.gz" for job in alike}
        yield Example(
            patient=score.patient,
            clip=score.clip,
            image=load_clip(workspace.clips / f"{score.clip}.nii.gz").as_tensor(),
            truth=load_clip(workspace.clips / f"{score.clip}_label.nii.gz").as_tensor(),
            predictions={name: load_clip(file).as_tensor() for name, file in files.items()},
            fraction=score.fraction,
            seed=score.seed,
            frame_rate=_SHOWN_FRAME_RATE,
        )


def _samples(workspace: Workspace, jobs: Sequence[Job]) -> Iterator[Sample]:
    """Yield the first synthetic clips of each generator."""
    for job in jobs:
        if job.stage == "generate" and workspace.is_done(job.id):
            for item in read_datalist(workspace.job(job.id) / SYNTHETIC_DATALIST).training[:_SHOWN_SAMPLES]:
                assert item.label is not None
                image, mask = (load_clip(file).as_tensor() for file in (item.image, item.label))
                yield Sample(_generator_name(job), clip_name(item), image, mask, _SHOWN_FRAME_RATE)


def _generator_name(job: Job) -> str:
    return f"fold {job.fold} at {100 * job.fraction:.3g} %"


def _evaluations(workspace: Workspace, jobs: Sequence[Job]) -> Iterator[tuple[str, Path]]:
    for job in jobs:
        if job.stage == "fidelity" and workspace.is_done(job.id):
            yield _generator_name(job), Path(workspace.finished(job.id)["report"])


def _notes(study: Study, scores: Sequence[Score]) -> Iterator[str]:
    if any(score.patient.startswith(OWN_GROUP) for score in scores):
        yield "Not all patients were named: a clip without one counts as a patient, and one may be on two sides."
    if study.data.phantoms is not None:
        yield "The patients are procedural: the study shows that it works, and nothing about a disease."
    if study.generator.knows_shipped:
        yield (
            "The generator went on from weights that were trained on procedural clips of other patients: a gain is "
            "partly theirs. generator.start: scratch in the study file leaves them out."
        )
    if study.generator.kind in ("phantoms", "copies", "noise"):
        yield f"The generator is a stand-in ({study.generator.kind}), whose use is known beforehand."
    if study.fidelity and study.data.num_frames == 1:
        yield "Fidelity is that of stills, shown as clips that stand still: scores of their motion say nothing."
