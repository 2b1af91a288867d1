# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Imports run one way: library <- {evaluation, downstream, experiments}; in the library, along ``MAY_IMPORT``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = "monai_feat"
STUDIES = ("experiments", "evaluation", "downstream")
CORE = ("ops", "networks.blocks", "networks.mixers", "conditions", "networks.nets", "networks.schedulers")
BESIDE = ("files", "documents", "transforms", "data", "losses", "metrics", "checkpoints", "visualize")

# What each part of the library may import of its other parts. A part names only parts above it: no cycle can pass.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "files": (),
    "documents": ("files",),
    "ops": (),
    "transforms": (),
    "networks.blocks": ("ops",),
    "networks.mixers": ("ops", "networks.blocks"),
    "conditions": ("networks.blocks", "transforms"),
    "checkpoints": ("files",),
    "networks.nets": ("files", "ops", "networks.blocks", "networks.mixers", "conditions", "checkpoints"),
    "networks.schedulers": (),
    "optimizers": (),
    "networks": ("networks.blocks", "networks.mixers", "networks.nets", "networks.schedulers"),
    "inferers": ("conditions", "networks.schedulers"),
    "data": ("files", "documents", "transforms"),
    "conditions.prompts": ("conditions", "data", "networks.nets", "transforms"),
    "losses": ("networks.schedulers",),
    "metrics": ("files", "transforms"),
    "exporters": ("files", "networks.nets"),
    "importers": ("files", "checkpoints", "networks.blocks", "networks.nets"),
    "visualize": ("files", "transforms"),
    "doctor": ("files", "transforms", "data", "visualize"),
    "distributed": ("networks.nets", "checkpoints"),
    "records": ("files", "data"),
    "marks": ("data", "checkpoints"),
    "bundle": ("files", "documents", "data", "transforms", "checkpoints", "records", "marks"),
    "generator": (*CORE, "conditions.prompts", "inferers", "transforms", "bundle", "checkpoints"),
    "plugin": ("data",),
    "": ("plugin", "generator"),
    "handlers": (*CORE, "inferers", *BESIDE, "distributed", "marks", "bundle"),
    "engines": (*CORE, "inferers", *BESIDE, "handlers"),
    "apps": (*CORE, "inferers", *BESIDE, "doctor", "distributed", "records", "marks", "bundle", "handlers", "engines"),
    "__main__": ("apps",),
}
DYNAMIC_IMPORTS = {"import_module", "optional_import", "__import__"}


def imported_names(file: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Yield line and absolute dotted name of all that a file imports, lazily or by name included."""
    package = file.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            prefix = [*above, *([node.module] if node.module else [])]
            yield from ((node.lineno, ".".join([*prefix, alias.name])) for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", None))
            if called in DYNAMIC_IMPORTS and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def part_of(name: str) -> str | None:
    """Return the part of the library a dotted name lies in: ``""`` is the root, ``None`` a part nobody has placed."""
    inside = name.split(".")[1:]
    for length in range(len(inside), 0, -1):
        if (part := ".".join(inside[:length])) in MAY_IMPORT:
            return part
    return "" if len(inside) < 2 else None


def library_violations(root: Path) -> Iterator[str]:
    for file in sorted((root / LIBRARY).rglob("*.py")):
        where = file.relative_to(root)
        part = part_of(".".join(where.with_suffix("").parts))
        if part is None:
            yield f"{where}: its folder is in no layer; give it a line in MAY_IMPORT of tests/test_layering.py"
            continue
        for line, name in imported_names(file, root):
            top = name.split(".")[0]
            if top in (*STUDIES, "tests"):
                yield f"{where}:{line}: the library imports {name}; only the other way round is allowed"
            target = part_of(name) if top == LIBRARY else part
            if target not in ("", part, *MAY_IMPORT.get(part, ())):
                yield f"{where}:{line}: {part or 'the root'} may not import {name}"


def study_violations(root: Path) -> Iterator[str]:
    for study in STUDIES:
        for file in sorted((root / study).rglob("*.py")):
            for line, name in imported_names(file, root):
                if name.split(".")[0] in {*STUDIES, "tests"} - {study}:
                    yield f"{file.relative_to(root)}:{line}: {study} may not import {name}"


def violations(root: Path) -> list[str]:
    return [*library_violations(root), *study_violations(root)]


def write_tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def test_imports_run_one_way() -> None:
    assert not violations(ROOT), "\n".join(violations(ROOT))


def test_the_table_has_no_cycle() -> None:
    parts = list(MAY_IMPORT)
    for place, part in enumerate(parts):
        assert set(MAY_IMPORT[part]) <= set(parts[:place]), f"{part} names a part that is not above it"


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("monai_feat/ops/a.py", "from monai_feat.networks.nets import FEAT", "ops may not import"),
        ("monai_feat/ops/a.py", "from ..networks.nets.feat import FEAT", "ops may not import"),
        ("monai_feat/files.py", "from .ops import bi_wkv", "files may not import"),
        ("monai_feat/ops/a.py", "import monai_feat.losses as losses", "ops may not import"),
        ("monai_feat/ops/a.py", "from monai_feat import losses", "ops may not import"),
        ("monai_feat/ops/__init__.py", "from ..networks import blocks", "ops may not import"),
        ("monai_feat/networks/blocks/a.py", "from ..nets import FEAT", "networks.blocks may not import"),
        ("monai_feat/networks/schedulers/a.py", "import monai_feat.inferers", "networks.schedulers may not import"),
        ("monai_feat/inferers/a.py", "def f():\n    from ..networks.nets import FEAT", "inferers may not import"),
        ("monai_feat/data/a.py", "import importlib as i\ni.import_module('monai_feat.engines')", "data may not import"),
        ("monai_feat/__init__.py", "from .ops import bi_wkv", "the root may not import"),
        ("monai_feat/metrics/a.py", "import evaluation.floors", "the library imports evaluation.floors"),
        ("monai_feat/apps/a/b.py", "from experiments import few_steps", "the library imports experiments.few_steps"),
        ("monai_feat/helpers/a.py", "", "in no layer"),
        ("evaluation/a.py", "from downstream import arms", "evaluation may not import"),
        ("downstream/a.py", "import experiments.few_steps", "downstream may not import"),
        ("experiments/long_clips/a.py", "from evaluation.report import table", "experiments may not import"),
        ("experiments/a.py", "from tests.conftest import ROOT", "experiments may not import"),
    ],
)
def test_a_violation_is_found(tmp_path: Path, file: str, text: str, complaint: str) -> None:
    found = violations(write_tree(tmp_path, {file: text}))
    assert len(found) == 1
    assert complaint in found[0]
    assert found[0].startswith(file)


def test_what_is_allowed_passes(tmp_path: Path) -> None:
    files = {
        "monai_feat/__init__.py": "__version__ = '1'",
        "monai_feat/ops/a.py": "import torch\nfrom monai_feat import __version__\nfrom .b import c",
        "monai_feat/networks/nets/feat.py": "from ...ops import bi_wkv\nfrom ..blocks.embeddings import Patch",
        "monai_feat/checkpoints/a.py": "from ..files import replacing",
        "monai_feat/inferers/a.py": "from monai_feat.networks import schedulers",
        "monai_feat/engines/a.py": "from monai.engines import Trainer\nfrom ..losses import HybridDiffusionLoss",
        "evaluation/a.py": "from monai_feat.metrics import x\nfrom . import floors\nfrom .floors import y",
        "experiments/a.py": "import monai_feat.networks.nets\nfrom experiments.few_steps import z",
    }
    assert violations(write_tree(tmp_path, files)) == []
