# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Jobs in order: what is done stays done, what fails is tried again and named, what waits for it is left out."""

from __future__ import annotations

from pathlib import Path

from downstream.jobs import Job
from downstream.scheduling import run_in_order, waits_for
from downstream.workspace import Workspace

JOBS = [
    Job("a", "prepare"),
    Job("b", "generate", ("a",)),
    Job("c", "train", ("b",), arm="x"),
    Job("d", "train", ("a",)),
]


class Work:
    """Finishes jobs, but for those that fail so many times."""

    def __init__(self, workspace: Workspace, seconds: float = 60, **failures: int) -> None:
        self.workspace, self.seconds, self.failures = workspace, seconds, failures
        self.tried: list[str] = []

    def __call__(self, job: Job) -> None:
        self.tried.append(job.id)
        if self.failures.get(job.id, 0) > self.tried.count(job.id) - 1:
            raise RuntimeError(f"{job.id} is broken")
        self.workspace.finish(job.id, {"seconds": self.seconds})


def test_everything_is_done_once(tmp_path: Path) -> None:
    workspace, lines = Workspace(tmp_path), []
    work = Work(workspace)
    outcome = run_in_order(JOBS, workspace, work, tell=lines.append)
    assert work.tried == outcome.done == ["a", "b", "c", "d"]
    assert outcome.complete
    assert [line.split("… ")[1] for line in lines if "…" in line] == [
        "time left not known yet: 4 jobs to go",
        "time left not known yet: 3 jobs to go",
        "time left not known yet: 2 jobs to go",
        "time left not known yet: 1 job to go",
    ]
    again = Work(workspace)
    assert run_in_order(JOBS, workspace, again).done == ["a", "b", "c", "d"]
    assert again.tried == []


def test_time_left_is_that_of_the_same_stage(tmp_path: Path) -> None:
    workspace, lines = Workspace(tmp_path), []
    jobs = [Job("a", "train", arm="x"), Job("b", "train", arm="y"), Job("c", "train", arm="x")]
    run_in_order(jobs, workspace, Work(workspace), tell=lines.append)
    assert [line.split("…")[1].strip() for line in lines if "…" in line] == [
        "time left not known yet: 3 jobs to go",
        "about 2 min left",
        "about 1 min left",
    ]


def test_jobs_of_a_kind_that_was_never_timed_are_counted_apart(tmp_path: Path) -> None:
    workspace, lines = Workspace(tmp_path), []
    jobs = [Job("a", "train", arm="x"), Job("b", "train", arm="y"), Job("c", "score")]
    run_in_order(jobs, workspace, Work(workspace, seconds=29), tell=lines.append)
    assert "less than a minute left, and 1 job of a kind not timed yet" in lines[2]


def test_a_failed_job_is_tried_again(tmp_path: Path) -> None:
    work = Work(Workspace(tmp_path), b=1)
    outcome = run_in_order(JOBS, work.workspace, work, retries=1, tell=lambda line: None)
    assert outcome.complete
    assert work.tried == ["a", "b", "b", "c", "d"]


def test_the_rest_goes_on_without_it(tmp_path: Path) -> None:
    work = Work(Workspace(tmp_path), b=9)
    lines: list[str] = []
    outcome = run_in_order(JOBS, work.workspace, work, retries=2, tell=lines.append)
    assert work.tried == ["a", "b", "b", "b", "d"]
    assert (outcome.done, outcome.blocked) == (["a", "d"], {"c": ["b"]})
    assert outcome.failed == {"b": "RuntimeError: b is broken"}
    assert not outcome.complete
    assert any("giving up; the rest goes on: RuntimeError: b is broken" in line for line in lines)
    assert "RuntimeError: b is broken" in (work.workspace.job("b") / "error.txt").read_text()
    assert waits_for(JOBS[2], work.workspace) == ["b"]
