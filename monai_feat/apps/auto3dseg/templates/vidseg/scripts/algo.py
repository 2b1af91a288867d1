# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The algorithm, as ``BundleGen`` makes one for each fold."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from monai.apps.auto3dseg import BundleAlgo
from monai.bundle import ConfigParser
from monai.utils import run_cmd

from monai_feat.apps.auto3dseg import choose_parameters

__all__ = ["VidsegAlgo"]


class VidsegAlgo(BundleAlgo):
    """Segmentation of clips and stills, of any modality; one process on one device for each fold."""

    def fill_template_config(self, data_stats_filename: str, algo_path: str, **kwargs: Any) -> dict[str, Any]:
        """Choose the hyper-parameters that depend on the data, and write them."""
        file = Path(algo_path) / "configs" / "hyper_parameters.yaml"
        fold = int(kwargs.get("fold", 0))
        config = choose_parameters(
            ConfigParser.load_config_file(str(file)), data_stats_filename, self.data_list_file, fold
        )
        ConfigParser.export_config_file(config, str(file), fmt="yaml", sort_keys=False)
        return {file.name: config}

    def _create_cmd(self, train_params: dict[str, Any] | None = None) -> tuple[str, str]:
        """Return a command that a shell would understand, with any blanks in its paths, and no device settings."""
        prefix = shlex.split(str(self.device_setting["CMD_PREFIX"] or "")) or [sys.executable]
        options = [f"--{name}={value}" for name, value in (train_params or {}).items()]
        return shlex.join([*prefix, str(Path(self.output_path) / "scripts" / "train.py"), *options]), ""

    def _run_cmd(self, cmd: str, devices_info: str = "") -> subprocess.CompletedProcess[Any]:
        """Run the command of this Python, with its progress and its errors in view."""
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": str(self.device_setting["CUDA_VISIBLE_DEVICES"])}
        done = run_cmd(shlex.split(cmd), env=environment, check=False, capture_output=False)
        if done.returncode:
            raise RuntimeError(f"{self.output_path}: was not trained (exit code {done.returncode}); see above")
        return done
