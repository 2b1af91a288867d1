# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""``python -m monai_feat`` is the command ``monai-feat``."""

from __future__ import annotations

import sys

from monai_feat.apps.commands import main

if __name__ == "__main__":
    sys.exit(main())
