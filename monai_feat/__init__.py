# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Diffusion models of medical video for MONAI.

Importing the package is cheap: it imports neither MONAI nor torch, and lets MONAI's ``LoadImage`` find our reader.
`ClipGenerator`, which samples clips in one call, is imported when it is asked for; take all else from the subpackages,
such as ``monai_feat.networks.nets`` or ``monai_feat.inferers``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monai_feat.plugin import register_reader

if TYPE_CHECKING:
    from monai_feat.generator import ClipGenerator

__all__ = ["ClipGenerator", "__version__"]

__version__ = "0.1.0"

register_reader()


def __getattr__(name: str) -> Any:
    if name == "ClipGenerator":
        from monai_feat.generator import ClipGenerator

        return ClipGenerator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
