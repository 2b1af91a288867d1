# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Package metadata; the reason for every requirement is in CONTRIBUTING.md."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent

INSTALL_REQUIRES = [
    "torch>=2.8",
    "monai>=1.6.1",
    "av>=15",
    "dicom-anonymizer>=2.1",
    "einops>=0.8",
    "fire>=0.6",
    "jsonschema>=4.18",
    "matplotlib>=3.8",
    "nibabel>=5.2",
    "numpy>=1.26",
    "pillow>=10.1",
    "pydicom>=3",
    'pyjpegls>=1.4; python_version < "3.14"',
    "pytorch-ignite>=0.5",
    "pyyaml>=6",
    "safetensors>=0.4.3",
    "scikit-image>=0.25",
    "scipy>=1.13",
    "tensorboard>=2.16",
    "tifffile>=2024.1.30",
    "torchmetrics>=1.4",
    "tqdm>=4.66",
]

EXTRAS_REQUIRE = {
    "all": [
        "itk>=5.4",
    ],
    "fast": [
        "numba>=0.61",
    ],
    "text": [
        "onnxruntime>=1.18",
        "rapidocr>=3.4",
    ],
    "dev": [
        "diffusers>=0.30",
        "itk-io>=5.4",
        "mypy>=1.11",
        "numba>=0.61",
        "playwright>=1.45",
        "pre-commit>=3.7",
        "pytest>=8.2",
        "python-gdcm>=3.0.24",
        "ruff>=0.6",
        "types-PyYAML>=6.0.12",
    ],
}


def read_version() -> str:
    """Return ``__version__`` as written in the package, without importing it (torch may not be installed yet)."""
    source = (ROOT / "monai_feat" / "__init__.py").read_text(encoding="utf-8")
    match = re.search(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)
    if match is None:
        raise RuntimeError('monai_feat/__init__.py has no line of the form __version__ = "1.2.3"')
    return match.group(1)


setup(
    name="monai-feat",
    version=read_version(),
    description="Diffusion models of medical video for MONAI",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="monai-feat contributors",
    license="Apache-2.0",
    license_files=["LICENSE"],
    python_requires=">=3.10",
    packages=find_packages(include=["monai_feat", "monai_feat.*"]),
    package_data={
        "monai_feat": [
            "py.typed",
            "apps/auto3dseg/templates/*/configs/*.yaml",  # copied by Auto3DSeg, not imported from here
            "apps/auto3dseg/templates/*/scripts/*.py",
        ]
    },
    install_requires=INSTALL_REQUIRES,
    extras_require=EXTRAS_REQUIRE,
    zip_safe=False,
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Topic :: Scientific/Engineering :: Medical Science Apps.",
        "Typing :: Typed",
    ],
)
