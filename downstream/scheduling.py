# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs jobs one after the other; what is done stays done, and what fails does not stop the rest."""

from __future__ import annotations

import statistics
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from monai_feat.files import write_text
from monai_feat.visualize import count

from .jobs import Job
from .workspace import Workspace

__all__ = ["Outcome", "run_in_order", "waits_for"]


@dataclass
class Outcome:
    """What became of jobs.

    Attributes:
        done: ids of those that are done, now or before.
        failed: ids and reasons of those that failed as often as they were tried.
        blocked: ids of those that were not tried, with the jobs that they wait for.
    """

    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    blocked: dict[str, list[str]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether all are done."""
        return not self.failed and not self.blocked


def run_in_order(
    jobs: Sequence[Job],
    workspace: Workspace,
    work: Callable[[Job], None],
    retries: int = 1,
    tell: Callable[[str], None] = print,
) -> Outcome:
    """Run jobs in their order, those that are not done yet.

    Args:
        jobs: each after those that it needs.
        workspace: knows what is done.
        work: does a job; an exception is a failure.
        retries: how often a failed job is tried again.
        tell: takes lines of progress.

    Returns:
        What became of each of them.
    """
    outcome, clock = Outcome(), _Clock(jobs, workspace)
    for number, job in enumerate(jobs, 1):
        waiting = waits_for(job, workspace)
        if workspace.is_done(job.id):
            outcome.done.append(job.id)
        elif waiting:
            outcome.blocked[job.id] = waiting
            tell(f"[{number}/{len(jobs)}] {job.id} is left out, for it needs {', '.join(waiting)}")
        else:
            tell(f"[{number}/{len(jobs)}] {job.id} … {clock.left()}")
            _try(job, workspace, work, retries, outcome, tell)
    return outcome


def waits_for(job: Job, workspace: Workspace) -> list[str]:
    """Return the ids of the jobs that have to be done before a job."""
    return [need for need in job.needs if not workspace.is_done(need)]


def _try(
    job: Job,
    workspace: Workspace,
    work: Callable[[Job], None],
    retries: int,
    outcome: Outcome,
    tell: Callable[[str], None],
) -> None:
    for attempt in range(retries + 1):
        started = time.monotonic()
        try:
            work(job)
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            folder = workspace.job(job.id)
            folder.mkdir(parents=True, exist_ok=True)
            write_text(folder / "error.txt", traceback.format_exc())
            again = "trying again" if attempt < retries else "giving up; the rest goes on"
            tell(f"{job.id} failed, {again}: {reason}")
            outcome.failed[job.id] = reason
        else:
            tell(f"{job.id}: done in {time.monotonic() - started:.0f} s")
            outcome.failed.pop(job.id, None)
            outcome.done.append(job.id)
            return


class _Clock:
    """Tells how long the jobs will take that are left, by those of the same stage that are done."""

    def __init__(self, jobs: Sequence[Job], workspace: Workspace) -> None:
        self.jobs, self.workspace = jobs, workspace

    def left(self) -> str:
        done = [job for job in self.jobs if self.workspace.is_done(job.id)]
        seconds: dict[str, list[float]] = {}
        for job in done:
            seconds.setdefault(_kind(job), []).append(float(self.workspace.finished(job.id)["seconds"]))
        kinds = [_kind(job) for job in self.jobs if not self.workspace.is_done(job.id)]
        known = [statistics.median(seconds[kind]) for kind in kinds if kind in seconds]
        if not known:
            return f"time left not known yet: {count(len(kinds), 'job')} to go"
        minutes = sum(known) / 60
        left = f"about {minutes:.0f} min left" if minutes >= 1 else "less than a minute left"
        new = len(kinds) - len(known)
        return f"{left}, and {count(new, 'job')} of a kind not timed yet" if new else left


def _kind(job: Job) -> str:
    return "training" if job.arm else job.stage
