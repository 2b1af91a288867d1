# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures to look at before the numbers: contact sheets of clips, loss curves."""

from __future__ import annotations

from monai_feat.visualize.contact_sheet import contact_sheet, save_contact_sheet
from monai_feat.visualize.curves import read_tensorboard_scalars, save_loss_curves

__all__ = ["contact_sheet", "read_tensorboard_scalars", "save_contact_sheet", "save_loss_curves"]
