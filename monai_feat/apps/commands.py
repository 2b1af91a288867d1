# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The command ``monai-feat``: one table of subcommands, each imported when it is called and not before."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from monai_feat import __version__
from monai_feat.apps.studies import import_study

__all__ = ["COMMANDS", "Command", "main"]

DONE, NOT_DONE, STOPPED = 0, 2, 130
_GOES_ON = "run the same command again: what is done is kept"


class Command(NamedTuple):
    """A subcommand.

    Attributes:
        summary: one line about it.
        module: a module of the library whose ``main(arguments)`` runs it and returns the exit code.
        study: instead of `module`, the study whose ``cli.main`` does.
        go_on: what to do after Ctrl-C, for people.
    """

    summary: str
    module: str = ""
    study: str = ""
    go_on: str = "run the same command again: it has left nothing"

    def load(self) -> ModuleType:
        """Import what runs it."""
        return import_study(self.study, "cli") if self.study else import_module(self.module)


COMMANDS = {
    "sample": Command("sample clips from the weights of a bundle", "monai_feat.apps.sample", go_on=_GOES_ON),
    "train": Command("train a bundle on your clips", "monai_feat.apps.train", go_on=_GOES_ON),
    "evaluate": Command("score synthetic clips against real ones; look for copies", study="evaluation", go_on=_GOES_ON),
    "study": Command("test whether synthetic clips make a segmenter better", study="downstream", go_on=_GOES_ON),
    "doctor": Command("find what would spoil a study, or who is named, in clips", "monai_feat.apps.doctor"),
    "clean": Command(
        "copy clips without metadata, text and the names of their files",
        "monai_feat.apps.clean",
        go_on="run the same command into an empty folder: the copies so far are not whole",
    ),
    "marked": Command("tell synthetic files by their mark", "monai_feat.apps.marked"),
    "datalist": Command("list clips in folds that keep patients together", "monai_feat.apps.datalist"),
    "phantoms": Command(
        "write procedural clips with exact masks and attributes", "monai_feat.apps.phantoms", go_on=_GOES_ON
    ),
    "demo": Command(
        "sample, train, sample again, and show what changed",
        "monai_feat.apps.demo",
        go_on="run the same command again: it starts anew",
    ),
    "compare": Command(
        "train variants at equal budget, and tell which can be told apart", "monai_feat.apps.compare", go_on=_GOES_ON
    ),
    "estimate": Command("say how much memory a network needs, before it runs", "monai_feat.apps.estimate"),
    "record": Command("pack runs with their records into one file; verify it", "monai_feat.apps.record"),
    "inspect": Command("list what a bundle would run, fetch and write", "monai_feat.apps.inspect"),
    "bundle": Command("copy a shipped bundle to a folder of your own", "monai_feat.apps.copy_bundle"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, 2 where the command is unknown."""
    name, *rest = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if name in ("-h", "--help"):
        print(_usage())
        return DONE
    if name == "--version":
        print(__version__)
        return DONE
    if name not in COMMANDS:
        print(f"monai-feat: {_unknown(name)}", file=sys.stderr)
        return NOT_DONE
    try:
        code: int = COMMANDS[name].load().main(rest)
    except KeyboardInterrupt:
        print(f"\n{name}: stopped. To go on, {COMMANDS[name].go_on}", file=sys.stderr)
        return STOPPED
    return code


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            "usage: monai-feat COMMAND ...",
            "",
            "Diffusion models of medical video for MONAI.",
            "",
            *lines,
            "",
            "monai-feat COMMAND --help says more; monai-feat --version prints the version.",
        ]
    )


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"unknown command {name!r}{hint}; the known ones are: {', '.join(COMMANDS)}"
