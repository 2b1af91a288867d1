# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Which folders become which packages; all else that is said of the project is in pyproject.toml."""

from __future__ import annotations

from pathlib import Path

from setuptools import find_packages, setup

# Folders of a checkout that any other project may have too are installed under names that nothing else takes.
INSTALLED_AS = {"evaluation": "monai_feat_evaluation", "downstream": "monai_feat_downstream"}
BUNDLES = "monai_feat_bundles"  # no code: each bundle is a package of data

studies = [
    f"{installed}{name}"
    for folder, installed in INSTALLED_AS.items()
    for name in ("", *(f".{name}" for name in find_packages(folder)))
]
bundles = [f"{BUNDLES}.{file.parents[1].name}" for file in sorted(Path("bundles").glob("*/configs/metadata.json"))]

setup(
    packages=[*find_packages(include=["monai_feat", "monai_feat.*"]), *studies, *bundles],
    package_dir={BUNDLES: "bundles", **{installed: folder for folder, installed in INSTALLED_AS.items()}},
)
