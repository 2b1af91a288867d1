# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Importers of published weights: FEAT's own, Latte's, and Stable Diffusion's autoencoders."""

from __future__ import annotations

from monai_feat.importers.feat import UNUSED_PUBLISHED_PARAMETERS, import_feat_checkpoint
from monai_feat.importers.latte import import_latte_checkpoint
from monai_feat.importers.stable_diffusion import import_sd_vae

__all__ = ["UNUSED_PUBLISHED_PARAMETERS", "import_feat_checkpoint", "import_latte_checkpoint", "import_sd_vae"]
