# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Train the algorithm of one fold: ``python train.py --max_steps=500``, any setting by its name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import fire

from monai_feat.apps.auto3dseg import read_parameters, train_fold

BUNDLE_ROOT = Path(__file__).resolve().parents[1]


def run(**settings: Any) -> str:
    """Train, and return where the weights are."""
    config = read_parameters(str(BUNDLE_ROOT / "configs" / "hyper_parameters.yaml"), settings)
    try:
        return str(train_fold(BUNDLE_ROOT, config))
    except (OSError, ValueError, RuntimeError) as error:
        sys.exit(f"{BUNDLE_ROOT.name}: {error}")


if __name__ == "__main__":
    fire.Fire(run)
