# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What makes ``import monai_feat`` enough for MONAI to read clips, without importing MONAI before it is needed.

MONAI has one table of the readers that ``LoadImage`` tries, and no other way for a package to add its own. The table is
changed at once where MONAI has been imported, and else as soon as it is. The reader itself, with all that it needs, is
imported when a ``LoadImage`` is made.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

__all__ = ["register_reader"]

_TABLE_MODULE = "monai.transforms.io.array"


def register_reader() -> None:
    """Put `monai_feat.data.VideoReader` into MONAI's table of readers, now or when MONAI makes that table."""
    if _TABLE_MODULE in sys.modules:
        _add_to_table(sys.modules[_TABLE_MODULE])
    elif not any(isinstance(finder, _TableWatcher) for finder in sys.meta_path):
        sys.meta_path.insert(0, _TableWatcher())


class _TableWatcher(MetaPathFinder):
    """Finds one module as Python does, and hands it on to be changed once it has been executed."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != _TABLE_MODULE:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _ChangingLoader(spec.loader)
        return spec


class _ChangingLoader(Loader):
    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader  # from here on the module is one like any other
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _add_to_table(module)


def _add_to_table(module: ModuleType) -> None:
    module.SUPPORTED_READERS.setdefault("videoreader", _make_reader)


def _make_reader(*arguments: Any, **options: Any) -> Any:
    from monai_feat.data.readers import VideoReader

    return VideoReader(*arguments, **options)
