# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From a datalist to an ensemble, by MONAI's ``AutoRunner``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monai.apps.auto3dseg import AutoRunner
from monai.auto3dseg.utils import datafold_read

from monai_feat.apps.auto3dseg.algorithm import template_folder
from monai_feat.apps.auto3dseg.analysis import analyze_clips, write_stats
from monai_feat.files import read_json

__all__ = ["make_runner"]

_NO_FOLD = -1


def make_runner(
    datalist: str | os.PathLike[str],
    work_dir: str | os.PathLike[str],
    settings: Mapping[str, Any] | None = None,
    dataroot: str | os.PathLike[str] | None = None,
    modality: str = "video",
    **options: Any,
) -> AutoRunner:
    """Analyse the clips of a datalist, unless that has been done, and set up Auto3DSeg on them.

    ``run()`` of the result trains one algorithm for each fold and writes masks of the ``testing`` clips, by the
    ensemble of all folds, to ``ensemble_output``. Called again, it goes on where it was stopped. In between, every
    method of ``AutoRunner`` may be used, such as ``set_ensemble_method``.

    Args:
        datalist: of Auto3DSeg, with folds; see `monai_feat.data.write_datalist`.
        work_dir: folder of everything that is made.
        settings: of `SegmentationSettings`, in the place of the template's.
        dataroot: what paths in the datalist are relative to; None takes its folder.
        modality: any word; nothing depends on it.
        options: further arguments of ``AutoRunner``, such as ``not_use_cache``.

    Raises:
        OSError: the datalist cannot be read.
        ValueError: it has no clips with masks, or no folds.
    """
    datalist, work_dir = Path(datalist).resolve(), Path(work_dir).resolve()
    dataroot = datalist.parent if dataroot is None else Path(dataroot).resolve()
    content = read_json(datalist)
    if not any("fold" in item for item in content.get("training", ())):
        raise ValueError(
            f'{datalist}: expected {{"training": [...]}} with a "fold" in its items: make it with monai-feat datalist'
        )
    work_dir.mkdir(parents=True, exist_ok=True)
    if not (work_dir / "datastats.yaml").is_file():
        clips, _ = datafold_read(content, str(dataroot), _NO_FOLD)
        write_stats(analyze_clips(clips, (settings or {}).get("legend")), work_dir / "datastats.yaml")
    runner = AutoRunner(
        work_dir=str(work_dir),
        input={"modality": modality, "datalist": str(datalist), "dataroot": str(dataroot)},
        templates_path_or_url=str(template_folder()),
        analyze=False,
        **options,
    )
    runner.set_training_params(dict(settings or {}))
    return runner
