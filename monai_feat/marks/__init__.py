# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The mark on what is synthetic: one statement in the metadata of every file that is sampled, and its reader."""

from __future__ import annotations

from monai_feat.marks.reading import MARKED_SUFFIXES, find_mark
from monai_feat.marks.statement import SOURCE_TYPE, Mark, make_statement, parse_statement

__all__ = ["MARKED_SUFFIXES", "SOURCE_TYPE", "Mark", "find_mark", "make_statement", "parse_statement"]
