# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The studies that lie beside the library, which does not depend on them: ``evaluation`` and ``downstream``.

They are folders of a checkout, and are installed under names that nothing else takes. Here they always have these
names, and always are those beside this library: a folder ``evaluation`` where somebody works is never taken for it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

__all__ = ["import_study"]

HOME = Path(__file__).resolve().parents[2]


def import_study(study: str, module: str) -> ModuleType:
    """Import a module of a study.

    Args:
        study: its folder in a checkout, such as ``evaluation``.
        module: a module in it.

    Raises:
        ModuleNotFoundError: the study is neither installed nor in a checkout around the library.
    """
    package = f"monai_feat_{study}"
    if package not in sys.modules:
        spec = _spec(package, (HOME / package, HOME / study))
        assert spec.loader is not None
        sys.modules[package] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[package])
    return import_module(f"{package}.{module}")


def _spec(package: str, folders: tuple[Path, ...]) -> ModuleSpec:
    for folder in folders:
        file = folder / "__init__.py"
        spec = spec_from_file_location(package, file, submodule_search_locations=[str(folder)])
        if file.is_file() and spec is not None:
            return spec
    raise ModuleNotFoundError(
        f"{package} is not there: neither {folders[0]} nor {folders[1]} is a package; install monai-feat again"
    )
