# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The commands of a bundle, and what is said when one fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from downstream.generators import GENERATORS
from downstream.generators.bundle_run import BundleRun
from downstream.study import StudyError
from tests.downstream.generators.requests import TINY, make_request


def test_the_steps_are_those_of_the_study(tmp_path: Path, commands: dict[str, dict[str, Any]]) -> None:
    request = make_request(tmp_path, replace(TINY, autoencoder_steps=70, feat_steps=120))
    GENERATORS["bundle"](request)
    for config, steps in (("train_autoencoder", 70), ("train", 120)):
        options = commands[config]
        epoch = -(-options["num_clips"] // options["batch_size"])
        assert steps <= epoch * options["max_epochs"] < steps + epoch
        assert options["num_clips"] % len(request.train) == 0


def test_a_command_that_fails_shows_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"(?s)inference of .*feat_ultrasound ended with .*num_klips"):
        BundleRun(make_request(tmp_path)).run("inference", num_klips=3)
