# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Ask whether synthetic clips help to train segmentation, in a study with patients, controls, folds and seeds.

    monai-feat study STUDY.yaml --out runs/study             # all of it, in order; go on after an interruption
    monai-feat study STUDY.yaml --data datalist.json         # on these clips
    monai-feat study STUDY.yaml --check                      # look for mistakes, and run nothing
    monai-feat study STUDY.yaml --list train                 # ids of the jobs of a stage, one on a line
    monai-feat study STUDY.yaml --job train.real.100pct.fold0.seed1

docs/downstream.md says what a study file holds, and how to spread the jobs over a cluster.

Exit codes: 0 done; 1 some jobs failed, by name, and the rest is done; 2 not done, with the reason.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from .checks import check_needs
from .clips import check_datalist
from .jobs import Job, check_stage, find_job, list_jobs
from .recording import RESULTS, mean_scores, record_study
from .reporting import gather_scores, report_study
from .scheduling import Outcome, run_in_order, waits_for
from .splits import check_generator, folds_to_test, split_items
from .study import Study, StudyError
from .study_file import read_study
from .work import run_job
from .workspace import Workspace

__all__ = ["main"]

DONE, SOME_FAILED, NOT_DONE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    options.command = shlex.join(["monai-feat", "study", *(sys.argv[1:] if arguments is None else arguments)])
    warnings.filterwarnings("ignore", module=r"(monai|ignite)(\.|$)")
    logging.getLogger("monai").setLevel(logging.WARNING)
    try:
        study = read_study(options.study, options.data)
        return _run(study, Workspace(options.out or Path("runs") / Path(options.study).stem), options)
    except (OSError, ValueError) as error:
        print(f"downstream: {error}", file=sys.stderr)
        return NOT_DONE


def _run(study: Study, workspace: Workspace, options: argparse.Namespace) -> int:
    check_needs(study, workspace.root)
    folds = study_folds(study)
    jobs = list_jobs(study, folds)
    if options.list is not None:
        stage = options.list and check_stage(options.list)
        print("\n".join(job.id for job in jobs if stage in ("", job.stage)))
        return DONE
    if options.check:
        print("\n".join(describe(study, jobs, folds)))
        return DONE
    workspace.claim(study)
    record = None if options.job is not None else record_study(study, workspace.root, options)
    if record is not None:
        record.begin()
    chosen = jobs if options.job is None else [find_job(jobs, options.job)]
    if options.job is not None and (waiting := waits_for(chosen[0], workspace)):
        raise StudyError(f"{options.job} needs {', '.join(waiting)}; run them first, with --job")
    work = partial(run_job, study, workspace, progress=not options.quiet)
    outcome = run_in_order(chosen, workspace, work, options.retries, tell=partial(_tell, workspace.root.name))
    _complain(outcome)
    if record is not None:
        unfinished = {**outcome.failed, **{job: f"needs {', '.join(n)}" for job, n in outcome.blocked.items()}}
        print(f"Wrote {report_study(study, workspace, jobs, unfinished, options.command)}")
        record.finish(mean_scores(gather_scores(workspace, jobs)), RESULTS)
    return DONE if outcome.complete else SOME_FAILED


def study_folds(study: Study) -> list[int]:
    """Return the folds that a study tests, from its datalist or its phantoms; opens every file of the former.

    Raises:
        StudyError: the datalist does not suit the study, or the generator was trained on who is tested.
        VideoReadError: a file cannot be read, or a mask has another size than its clip.
    """
    if study.data.phantoms is not None:
        there = range(study.data.phantoms.num_folds)
        if missing := sorted(set(study.folds) - set(there)):
            raise StudyError(f"folds {missing} do not exist; data.phantoms.num_folds is {len(there)}")
        return list(study.folds or there)
    items = check_datalist(study.data)
    folds = folds_to_test(items, study)
    for fold in folds:
        for fraction in study.fractions:
            check_generator(split_items(items, study, fold, fraction), study, f"fold {fold} at {fraction:.0%}")
    return folds


def describe(study: Study, jobs: Sequence[Job], folds: Sequence[int]) -> list[str]:
    """Say in lines what a study will do."""
    left_out = [
        f"  without {arm!r} at {fraction:.0%}: no real clips are left to add there"
        for arm in study.arms
        for fraction in study.fractions
        if not study.applies(arm, fraction)
    ]
    trainings = sum(bool(job.arm) for job in jobs)
    return [
        f"{study.title}: sound",
        f"  {len(study.arms)} arms, fractions {', '.join(f'{f:.0%}' for f in study.fractions)}, folds "
        f"{', '.join(map(str, folds))}, seeds {', '.join(map(str, study.seeds))}",
        f"  {len(jobs)} jobs, {trainings} of them trainings of {study.training.steps} steps each",
        f"  a difference of Dice of {study.smallest_effect:g} or more matters",
        *left_out,
    ]


def _complain(outcome: Outcome) -> None:
    for identifier, reason in outcome.failed.items():
        print(f"downstream: {identifier} failed: {reason}", file=sys.stderr)
    for identifier, waiting in outcome.blocked.items():
        print(f"downstream: {identifier} was left out; it needs {', '.join(waiting)}", file=sys.stderr)
    if not outcome.complete:
        print("downstream: the same command tries again what is not done", file=sys.stderr)


def _tell(name: str, line: str) -> None:
    print(f"{name} {line}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat study", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", metavar="STUDY.yaml", help="the study file, or the name of a shipped study")
    parser.add_argument("--out", metavar="FOLDER", help="folder for all results (default: runs/ and the file's name)")
    parser.add_argument("--data", metavar="DATALIST", help="datalist to use instead of data.datalist in the study file")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="check the study for mistakes, and run nothing")
    what.add_argument("--list", nargs="?", const="", metavar="STAGE", help="print ids of jobs, all or of one stage")
    what.add_argument("--job", metavar="ID", help="run this job only")
    parser.add_argument("--retries", type=int, default=1, help="how often a failed job is tried again (default: 1)")
    told = "tell names of clips and patients in record.json, which else has numbers and digests"
    parser.add_argument("--record-names", action="store_true", help=told)
    parser.add_argument("--quiet", action="store_true", help="show no progress bars and no output of generators")
    return parser
