# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A check that nothing in a bundle's config is silently ignored.

MONAI accepts any key, in a file or as an override on the command line, and reads only those that something refers to: a
mistyped ``--lerning_rate`` trains with the default and says nothing.
"""

from __future__ import annotations

import difflib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType
from typing import Any, TypeVar

from monai.bundle import ConfigComponent, ConfigParser, ConfigWorkflow
from monai.bundle.properties import InferProperties, TrainProperties
from monai.bundle.utils import MERGE_KEY
from monai.utils import BundleProperty, BundlePropertyConfig, optional_import

__all__ = ["ConfigKeyError", "check_config", "check_counts", "find_unused_keys", "running_config"]

ENTRY_POINTS = ("imports", "initialize", "run", "finalize", "_meta_")
SET_BY_MONAI = ("run_name", "save_execute_config")  # by the federated client, and by --tracking
_REFERENCE = re.compile(r"[@%](?:::|#)*([A-Za-z_]\w*(?:(?:::|#)\w+)*)")


CallerT = TypeVar("CallerT")


class ConfigKeyError(KeyError):
    """A key of a config is mistyped or has no effect."""

    def __str__(self) -> str:
        """Return the message as it is; ``KeyError`` would quote it."""
        return str(self.args[0])


def check_config(config: Mapping[str, Any] | None = None) -> None:
    """Refuse a config with keys that have no effect.

    In a bundle, the first expression of ``initialize`` is ``$check_config()``, which finds the config that is being
    run, overrides included. An override may well replace what reads another key, such as ``clips`` and with it all that
    ``clips`` refers to: keys that the bundle's own files refer to are not mistakes.

    Args:
        config: content of a bundle config; None takes that of the workflow that evaluates this call.

    Raises:
        ConfigKeyError: when a key is used by nothing, or a component is given an argument that it does not take; the
            message names the closest valid key and lists all.
        RuntimeError: without a config, outside an expression of one.
    """
    content, replaced = (config, set[str]()) if config is not None else _running_config()
    unused = [key for key in find_unused_keys(content) if not any(_overlap(key, reference) for reference in replaced)]
    if unused:
        valid = [key for key, _ in _entries(content) if key not in unused]
        raise ConfigKeyError(_explain(unused, valid, "the config has keys that nothing uses"))
    for path, component in _components(content):
        _check_arguments(path, component)


def check_counts(**counts: Any) -> None:
    """Refuse counts of a config that are not whole numbers from 1, before clips are read: some are used only then.

    Raises:
        ConfigKeyError: names each that is not, with what it is.
    """
    wrong = [
        f"{name} is {count!r}"
        for name, count in counts.items()
        if not isinstance(count, int) or isinstance(count, bool) or count < 1
    ]
    if wrong:
        raise ConfigKeyError(f"{', '.join(wrong)}; expected a whole number from 1")


def running_config() -> dict[str, Any]:
    """Return the content of the bundle config whose expression is being evaluated, overrides included.

    Raises:
        RuntimeError: outside an expression of a config.
    """
    parser = _caller(ConfigParser)
    if parser is None:
        raise RuntimeError("there is no running config: this only works as an expression in a bundle config")
    content: dict[str, Any] = parser.get()
    return content


def find_unused_keys(config: Mapping[str, Any]) -> list[str]:
    """List the keys that neither an entry point, nor a required bundle property, nor anything these refer to uses.

    A key inside a group of components is listed with its path, ``train::dataloader``.
    """
    entries = dict(_entries(config))
    pending = [*ENTRY_POINTS, *SET_BY_MONAI, *_required_properties(config)]
    used: set[str] = set()
    while pending:
        wanted = pending.pop()
        for key in entries.keys() - used:
            if _overlap(key, wanted):
                used.add(key)
                pending.extend(_references(entries[key]))
    return [key for key in entries if key not in used]


def _overlap(key: str, other: str) -> bool:
    """Whether one of two paths is the other, or leads into it."""
    return f"{key}::".startswith(f"{other}::") or f"{other}::".startswith(f"{key}::")


def _entries(content: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what a config defines by its path, groups taken apart."""
    for key, value in content.items():
        if isinstance(value, Mapping) and "_target_" not in value and key not in ENTRY_POINTS:
            yield from _entries(value, f"{path}{key}::")
        else:
            yield f"{path}{key}", value


def _required_properties(config: Mapping[str, Any]) -> Iterator[str]:
    table: dict[str, Any] = TrainProperties if "train" in config else InferProperties
    for entry in table.values():
        if entry[BundleProperty.REQUIRED]:
            yield entry[BundlePropertyConfig.ID]


def _references(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield from (match.replace("#", "::") for match in _REFERENCE.findall(content))
    elif isinstance(content, Mapping):
        for value in content.values():
            yield from _references(value)
    elif isinstance(content, (list, tuple)):
        for value in content:
            yield from _references(value)


def _components(content: Any, path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(content, Mapping):
        if "_target_" in content:
            yield path, content
        items: Iterable[tuple[Any, Any]] = content.items()
    elif isinstance(content, (list, tuple)):
        items = enumerate(content)
    else:
        return
    for key, value in items:
        yield from _components(value, f"{path}::{key}" if path else str(key))


def _check_arguments(path: str, component: Mapping[str, Any]) -> None:
    module, _, name = str(component["_target_"]).rpartition(".")
    target, found = optional_import(module, name=name)
    if not found:
        return  # MONAI says so itself, with the same name
    try:
        parameters = inspect.signature(target).parameters
    except ValueError:  # a builtin that does not tell
        return
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    unknown = [key for key in component if key not in parameters and key not in ConfigComponent.non_arg_keys]
    if unknown:
        problem = f"{path} ({component['_target_']}) does not take these arguments"
        raise ConfigKeyError(_explain(unknown, list(parameters), problem))


def _explain(wrong: list[str], valid: list[str], problem: str) -> str:
    hints = []
    for key in wrong:
        close = difflib.get_close_matches(key, valid, n=1)
        hints.append(f"{key!r}" + (f" (did you mean {close[0]!r}?)" if close else ""))
    return f"{problem}: {', '.join(hints)}. Valid ones: {', '.join(sorted(valid))}"


def _running_config() -> tuple[Mapping[str, Any], set[str]]:
    """Return the config that is evaluating the present expression, and what its own files refer to."""
    content, workflow = running_config(), _caller(ConfigWorkflow)
    if workflow is None:
        return content, set()
    files = (ConfigParser.load_config_file(file) for file in sorted(workflow.config_root_path.glob("*.json")))
    own = [file for file in files if all(key.removeprefix(MERGE_KEY) in content for key in file)]
    return content, set(_references(own))


def _caller(kind: type[CallerT]) -> CallerT | None:
    """Return the object of a class whose method is being executed: MONAI hands expressions no reference to it."""
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        candidate = frame.f_locals.get("self")
        if isinstance(candidate, kind):
            return candidate
        frame = frame.f_back
    return None
