# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Train and measure every variant with every seed; what is done already stays."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai.bundle import ConfigParser, run

from monai_feat.apps.compare.measures import Found, Yardstick, load_found
from monai_feat.apps.compare.study_file import Study, folder_name
from monai_feat.apps.recipe import epochs_for
from monai_feat.files import read_json, write_json

__all__ = ["run_jobs"]

# The same for all: clips and their noise by index; nothing is sampled or validated between, which would cost time.
_SAME_FOR_ALL = {"clips::seed": 0, "val_clips::seed": 1, "warmup_steps": 20}
_NO_VALIDATION = {"val_interval": None, "val_dataset_dir": None}
_ENDLESS = 100_000  # epochs; the budget ends the training


def run_jobs(study: Study, out: Path) -> dict[str, list[Found]]:
    """Do what is missing of a study.

    Args:
        study: what is compared.
        out: folder of trainings and results; a run is done again where its settings have changed.

    Returns:
        What was found of each variant, one for each seed.
    """
    found: dict[str, list[Found]] = {name: [] for name in study.variants}
    yardstick: Yardstick | None = None
    for seed in study.seeds:  # a seed of all variants, then the next: a study that is stopped has whole comparisons
        for name in study.variants:
            folder = out / f"seed_{seed}" / folder_name(name)
            overlay = _overlay(study, name, seed, out, folder)
            settings = {"bundle": str(study.folder), "budget": dict(study.budget), "samples": study.samples}
            settings |= {"overlay": overlay}
            if not _is_done(folder, settings):
                yardstick = yardstick or Yardstick(_config(study, _common(study, out)))
                print(f"{name}, seed {seed}", flush=True)
                _train(study, folder, overlay)
                network = _config(study, overlay)
                result = yardstick(network, folder / "feat.safetensors", study.samples, seed)
                write_json(folder / "result.json", {"settings": settings, "found": result.to_json()})
            found[name].append(load_found(read_json(folder / "result.json")["found"]))
    return found


def _is_done(folder: Path, settings: Mapping[str, Any]) -> bool:
    result = folder / "result.json"
    return result.is_file() and read_json(result)["settings"] == settings


def _common(study: Study, out: Path) -> dict[str, Any]:
    folders = {"clip_cache_dir": str(out / "clips"), "cache_dir": str(out / "latents")}
    return {**_SAME_FOR_ALL, **folders, **study.common}


def _overlay(study: Study, name: str, seed: int, out: Path, folder: Path) -> dict[str, Any]:
    content = {**_common(study, out), **study.variants[name], "seed": seed, "output_dir": str(folder)}
    if "cpu_seconds" in study.budget:
        clock = {"_target_": "time.process_time", "_mode_": "callable"}
        content |= {"max_epochs": _ENDLESS, "max_seconds": study.budget["cpu_seconds"]}
        content |= {"train::named_handlers::time_budget::clock": clock}
    else:
        clips, batch = map(_config(study, study.common).get_parsed_content, ("num_clips", "batch_size"))
        content["max_epochs"] = epochs_for(math.ceil(study.budget["steps"]), clips, batch)
    return content


def _train(study: Study, folder: Path, overlay: Mapping[str, Any]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    file = folder.with_suffix(".json")
    write_json(file, {**overlay, **_NO_VALIDATION})
    run(config_file=[str(study.folder / "configs" / "train.json"), str(file)], bundle_root=str(study.folder))


def _config(study: Study, overlay: Mapping[str, Any]) -> ConfigParser:
    config = ConfigParser()
    config.read_config(str(study.folder / "configs" / "train.json"))
    config.update({"bundle_root": str(study.folder), **overlay})
    return config
