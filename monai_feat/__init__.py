# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Diffusion models of medical video for MONAI.

Importing the package imports none of its parts, so that a bundle's ``"imports": ["$import monai_feat"]`` is cheap;
take what you need from the subpackages, such as ``monai_feat.networks.nets`` or ``monai_feat.inferers``.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
