# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a mark says."""

from __future__ import annotations

import json
from typing import NamedTuple

from monai_feat import __version__

__all__ = ["SOURCE_TYPE", "Mark", "make_statement", "parse_statement"]

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""The term of the IPTC for media that a trained model has made; C2PA manifests use the same."""
_GENERATOR = "monai-feat"
_TYPE_KEY, _GENERATOR_KEY, _NOTE_KEY = "digitalSourceType", "generator", "note"
_NOTE = "Synthetic: sampled from a model, not recorded from a patient"


class Mark(NamedTuple):
    """What the mark of a file says.

    Attributes:
        generator: what made it, with its version.
        note: for people.
    """

    generator: str
    note: str


def make_statement() -> str:
    """Return the text that marks a file: one line of JSON in ASCII."""
    return json.dumps({_NOTE_KEY: _NOTE, _TYPE_KEY: SOURCE_TYPE, _GENERATOR_KEY: f"{_GENERATOR} {__version__}"})


def parse_statement(text: str) -> Mark | None:
    """Read a statement; None for any other text.

    Example:
        >>> parse_statement(make_statement()).note
        'Synthetic: sampled from a model, not recorded from a patient'
        >>> parse_statement("filmed on Monday") is None
        True
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get(_TYPE_KEY) != SOURCE_TYPE:
        return None
    return Mark(str(content.get(_GENERATOR_KEY, "unknown")), str(content.get(_NOTE_KEY, "")))
