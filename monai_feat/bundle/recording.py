# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The record of a bundle run, from its config."""

from __future__ import annotations

import copy
import os
import shlex
import sys
from collections.abc import Mapping
from typing import Any, TypeAlias

import ignite.distributed as idist

from monai_feat.bundle.config_check import running_config
from monai_feat.records import GroupNumbers, RunRecord, describe_source, weights_used

__all__ = ["record_run"]

Source: TypeAlias = str | os.PathLike[str]


def record_run(
    folder: Source,
    kind: str,
    seed: int | None,
    data: Mapping[str, Source | None],
    weights: Mapping[str, Source | None],
    names: bool = False,
    labels: bool = False,
) -> RunRecord:
    """Describe the bundle run whose config this is an expression of; `RunRecord.begin` and `finish` write it.

    Args:
        folder: of the run's results.
        kind: of the run, as `RunRecord` knows them.
        seed: of everything random.
        data: sources of clips by what they are for; None for none.
        weights: files of weights by what they are of; None for none.
        names: tell names of files and patients, too.
        labels: whether masks are read.

    Raises:
        RuntimeError: outside an expression of a config.
        OSError: a file cannot be read.
    """
    groups = GroupNumbers()
    is_writer = idist.get_rank() == 0  # every file is read for its digest, by one process of several
    return RunRecord(
        folder,
        kind,
        config=copy.deepcopy(running_config()),
        seeds={"seed": seed},
        data=[_describe(role, source, groups, names, labels) for role, source in _given(data) if is_writer],
        weights=[weights_used(role, path) for role, path in _given(weights) if is_writer],
        command=shlex.join(sys.argv),
    )


def _given(named: Mapping[str, Source | None]) -> list[tuple[str, Source]]:
    return [(name, value) for name, value in named.items() if value is not None]


def _describe(role: str, source: Source, groups: GroupNumbers, names: bool, labels: bool) -> dict[str, Any]:
    """Describe a source; other programs put their own data in the place of one that need not exist."""
    try:
        return describe_source(role, source, groups, names, labels)
    except (OSError, ValueError) as error:
        problem = f"could not be described: {type(error).__name__}"
        return {"role": role, "procedural": None, "sha256": None, "files": [], "problem": problem}
