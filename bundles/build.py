# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Builds the bundles from their one source; ``python -m bundles.build``, or ``make bundles``.

``source/<name>.yaml`` describes a bundle and names its family, ``source/<family>/`` holds what bundles of a family
share, and ``source/common/`` what all bundles do. There, ``"%file::key"`` stands for a key of one of these files, and
``"%bundle::key"`` for one of the bundle's description; ``_like_: "%file::key"`` in a mapping takes all that is there,
changed by what stands beside it; and ``${key}`` in texts and metadata is a word of the description or a size.
What is built is complete: configs of MONAI, with nothing left to look up. ``models/model.pt``, which MONAI's programs
load, is made from the safetensors beside it, and is not in the repository.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

import yaml

from monai_feat.bundle import write_model_file
from monai_feat.files import write_text

__all__ = ["build_bundle", "bundle_files", "bundle_names", "main"]

BUNDLES = Path(__file__).resolve().parent
SOURCE = BUNDLES / "source"
_WIDTH = 120
_LIKE = "_like_"
_TEXTS = (".md", ".txt")


def bundle_names() -> list[str]:
    """Return the names of the bundles that the source describes."""
    return sorted(path.stem for path in SOURCE.glob("*.yaml"))


def bundle_files(name: str) -> dict[str, str]:
    """Return the text of each file of a bundle, but weights and examples, by its path in the bundle's folder.

    Raises:
        KeyError: when the source refers to something that is not there; the message lists what is.
        ValueError: when it refers to itself.
    """
    description = _read(SOURCE / f"{name}.yaml")
    family = SOURCE / description["family"]
    parts = {path.stem: _read(path) for path in (*(SOURCE / "common").glob("*.yaml"), *family.glob("*.yaml"))}
    parts["bundle"] = description
    words = {key: value for part in parts.values() for key, value in part.items() if isinstance(value, (str, int))}
    files = {f"configs/{path.stem}.json": _config(path, parts, words) for path in family.glob("configs/*.yaml")}
    files |= {f"docs/{path.name}": _fill(path, words) for path in family.glob("docs/*") if path.suffix in _TEXTS}
    files["configs/logging.conf"] = (SOURCE / "common" / "logging.conf").read_text(encoding="utf-8")
    files["LICENSE"] = (BUNDLES.parent / "LICENSE").read_text(encoding="utf-8")
    return files


def build_bundle(name: str, folder: Path) -> None:
    """Write a bundle's files into a folder; weights, examples and results in it stay as they are."""
    for path, text in bundle_files(name).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_text(folder / path, text)


def main(arguments: list[str] | None = None) -> None:
    """Build all bundles, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m bundles.build", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(bundle_names())}; default all")
    names = parser.parse_args(arguments).names or bundle_names()
    if unknown := set(names) - set(bundle_names()):
        parser.error(f"there is no source of {', '.join(sorted(unknown))}; there are {', '.join(bundle_names())}")
    for name in names:
        build_bundle(name, BUNDLES / name)
        write_model_file(BUNDLES / name)
        print(f"bundles/{name}: built")


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def _fill(path: Path, words: Mapping[str, Any]) -> str:
    try:
        return Template(path.read_text(encoding="utf-8")).substitute(words)
    except KeyError as error:
        raise KeyError(f"{path}: there is no ${{{error.args[0]}}}; there are {', '.join(sorted(words))}") from None


def _config(path: Path, parts: Mapping[str, Any], words: Mapping[str, Any]) -> str:
    """Return a config with all that it refers to, as JSON."""
    content = yaml.safe_load(_fill(path, words)) if path.stem == "metadata" else _read(path)
    return _json(_resolve(content, parts)) + "\n"


def _resolve(content: Any, parts: Mapping[str, Any], inside: tuple[str, ...] = ()) -> Any:
    """Replace references by what they refer to, which may refer on; ``inside`` are those that led here."""
    if isinstance(content, str) and content.startswith("%"):
        if content in inside:
            raise ValueError(f"{content} refers to itself: {' -> '.join((*inside, content))}")
        return _resolve(_look_up(content, parts), parts, (*inside, content))
    if isinstance(content, list):
        return [_resolve(item, parts, inside) for item in content]
    if isinstance(content, dict):
        own = {key: _resolve(value, parts, inside) for key, value in content.items()}
        return {**own.pop(_LIKE, {}), **own}
    return content


def _look_up(reference: str, parts: Mapping[str, Any]) -> Any:
    found: Any = parts
    for key in reference.removeprefix("%").split("::"):
        if not isinstance(found, Mapping) or key not in found:
            known = ", ".join(sorted(found)) if isinstance(found, Mapping) else f"no keys but {found!r}"
            raise KeyError(f"{reference}: there is no {key!r}; there are {known}")
        found = found[key]
    return found


def _json(content: Any, indent: int = 0, before: int = 0) -> str:
    """Format JSON for readers: what fits on a line stays on it.

    Args:
        content: what to format.
        indent: of the line that it begins on.
        before: characters on that line before it, and after it.
    """
    line = json.dumps(content, ensure_ascii=False)
    if not content or not isinstance(content, (dict, list)) or (indent and indent + before + len(line) <= _WIDTH):
        return line
    inner = " " * (indent + 4)
    rows = ",\n".join(f"{inner}{row}" for row in _rows(content, indent + 4))
    opening, closing = "{}" if isinstance(content, dict) else "[]"
    return f"{opening}\n{rows}\n{' ' * indent}{closing}"


def _rows(content: dict[str, Any] | list[Any], indent: int) -> Iterator[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield f"{json.dumps(key)}: {_json(value, indent, len(key) + 5)}"
    else:
        for value in content:
            yield _json(value, indent, 1)


if __name__ == "__main__":
    main()
