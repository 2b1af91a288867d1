# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""All files below a folder, each once, and what is not looked into."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from monai_feat.data.folder_search.series import natural_key

__all__ = ["Tree", "walk_folder"]

_KEPT_BY_OTHERS = {
    "@eadir": "made by a Synology",
    "@recycle": "a waste bin",
    "#recycle": "a waste bin",
    "#snapshot": "old versions",
    "$recycle.bin": "a waste bin",
    "__macosx": "made by macOS",
    "__pycache__": "a cache",
    "lost+found": "made by the file system",
    "node_modules": "programs",
    "system volume information": "made by Windows",
}


@dataclass
class Tree:
    """Files below a folder.

    Attributes:
        files: in natural order; a file that several links lead to stands here once.
        left: folders that were not looked into and files that are none, with the reason.
    """

    files: list[Path] = field(default_factory=list)
    left: dict[Path, str] = field(default_factory=dict)


def walk_folder(folder: Path) -> Tree:
    """List the files below a folder. Links to folders are followed, once; real folders go before links to them.

    Hidden files and folders (version control, waste bins, notebooks), and folders that systems and viewers make, are
    left out.
    """
    tree = Tree()
    seen: dict[str, Path] = {os.path.realpath(folder): folder}
    links: deque[Path] = deque()
    _take(folder, tree, seen, links)
    while links:
        _take_link(links.popleft(), tree, seen, links)
    tree.files.sort(key=lambda path: natural_key(path.relative_to(folder).as_posix()))
    return tree


def _take(folder: Path, tree: Tree, seen: dict[str, Path], links: deque[Path]) -> None:
    """Add what is in a folder and below; links wait."""
    waiting = [folder]
    while waiting:
        for entry in _entries(waiting.pop(), tree):
            path = Path(entry.path)
            if entry.is_symlink():
                links.append(path)
            elif reason := _reason_to_leave(path, entry.is_dir()):
                tree.left[path] = reason
            elif entry.is_dir():
                seen[os.path.realpath(path)] = path
                waiting.append(path)
            else:
                seen[os.path.realpath(path)] = path
                _add_file(path, tree)


def _take_link(link: Path, tree: Tree, seen: dict[str, Path], links: deque[Path]) -> None:
    target = os.path.realpath(link)
    if not link.exists():
        tree.left[link] = "is a link to a file that is not there (kept elsewhere: fetch it first)"
    elif reason := _reason_to_leave(link, link.is_dir()):
        tree.left[link] = reason
    elif target in seen:
        tree.left[link] = f"is a link to {seen[target].name}, which is here already"
    elif link.is_dir():
        seen[target] = link
        _take(link, tree, seen, links)
    else:
        seen[target] = link
        _add_file(link, tree)


def _entries(folder: Path, tree: Tree) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        tree.left[folder] = f"cannot be read ({error.strerror})"


def _add_file(path: Path, tree: Tree) -> None:
    if stat.S_ISREG(path.stat().st_mode):
        tree.files.append(path)
    else:
        tree.left[path] = "is not a regular file"


def _reason_to_leave(path: Path, is_folder: bool) -> str:
    """Why a file or a folder is none of the user's; empty where it may be."""
    if path.name.startswith("."):
        return "is hidden"
    return f"is {reason}" if is_folder and (reason := _KEPT_BY_OTHERS.get(path.name.lower())) else ""
