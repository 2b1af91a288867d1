# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How a bundle run that fails ends: with one line that says why, and not with a page of calls inside MONAI."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType

__all__ = ["end_with_cause", "find_cause"]

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]


def end_with_cause(go_on: str = "run the same command again", debug: bool = False) -> None:
    """From now on, end this process with one line about what went wrong, and with exit code 1 (130 when interrupted).

    MONAI wraps what went wrong in a "failed to instantiate" or "failed to evaluate" for each level of the config, so
    that the sentence that helps stands in the middle of a hundred lines. In a bundle this is an expression of
    ``initialize``; it replaces ``sys.excepthook``.

    Args:
        go_on: what to do after an interruption, for people.
        debug: print the whole traceback before that line.
    """
    sys.excepthook = _hook(sys.__excepthook__, go_on, debug)


def find_cause(error: BaseException) -> BaseException:
    """Return what was raised outside MONAI's configs: the error itself, or the first of its causes that was."""
    cause = error
    while _is_wrapper(cause) and (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    return cause


def _hook(print_traceback: Hook, go_on: str, debug: bool) -> Hook:
    def end(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if debug:
            print_traceback(kind, error, traceback)
        print(_last_line(find_cause(error), go_on, debug), file=sys.stderr)

    return end


def _last_line(cause: BaseException, go_on: str, debug: bool) -> str:
    if isinstance(cause, KeyboardInterrupt):
        return f"stopped. To go on, {go_on}"
    said = " ".join(str(cause).split())
    # An error of Python or torch is not a sentence for people: its name is half of what it says.
    text = said if said and _is_ours(cause) else f"{type(cause).__name__}: {said}"
    return f"error: {text}" + ("" if debug else " (--debug True shows where)")


def _is_ours(error: BaseException) -> bool:
    return _raised_in(error, "monai_feat")


def _is_wrapper(error: BaseException) -> bool:
    return _raised_in(error, "monai.bundle") or _raised_in(error, "monai.utils.module")


def _raised_in(error: BaseException, package: str) -> bool:
    """Whether the innermost frame of an error lies in a package."""
    traceback = error.__traceback__
    if traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = str(traceback.tb_frame.f_globals.get("__name__", ""))
    return f"{module}.".startswith(f"{package}.")
