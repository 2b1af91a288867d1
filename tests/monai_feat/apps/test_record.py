# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""One crate of two sampled clips, and copies of it in which one thing is changed."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monai_feat.apps.record import main
from monai_feat.bundle import find_bundle, sample_bundle
from monai_feat.records import RECORD

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
TINY = {"num_sampling_steps": 2, "num_frames": 4, "frame_size": 32, "seed": 3, "output_format": "latents"}

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("record")
    sample_bundle(find_bundle("feat_ultrasound"), folder / "samples", 2, **TINY)
    out = folder / "crate.zip"
    assert main(["export", str(folder / "samples"), "--licence", LICENCE, "--out", str(out)]) == 0
    return out


def changed(crate: Path, folder: Path, change: Callable[[Path], Any]) -> str:
    shutil.unpack_archive(crate, folder / "content")
    change(folder / "content" / "samples")
    return shutil.make_archive(str(folder / "changed"), "zip", folder / "content")


def edit(record: dict[str, Any], change: Callable[[dict[str, Any]], Any]) -> str:
    change(record)
    return json.dumps(record)


def test_a_crate_comes_out_again(crate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(crate)]) == 0
    printed = capsys.readouterr().out
    assert "samples/clip_000000.safetensors, sampled again: " in printed
    assert "0 differs" in printed
    assert "not checked" not in printed


def test_a_changed_byte_is_named(crate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(run: Path) -> None:
        file = run / "weights" / "feat.safetensors"
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
        (run / "added.txt").write_text("")
        (run / "clip_000001.safetensors").unlink()

    assert main(["verify", changed(crate, tmp_path, change)]) == 1
    differing = [line for line in capsys.readouterr().out.splitlines() if line.startswith("differs ")]
    assert [line.split()[1].rstrip(":,") for line in differing[:3]] == [
        "samples/clip_000001.safetensors",
        "samples/weights/feat.safetensors",
        "samples/added.txt",
    ]


def test_a_changed_seed_is_named(crate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def change(run: Path) -> None:
        record = json.loads((run / RECORD).read_text())
        (run / RECORD).write_text(edit(record, lambda content: content["seeds"].update(seed=4)))

    assert main(["verify", changed(crate, tmp_path, change)]) == 1
    assert "differs      samples/seed: 4 among the seeds, 3 in the config" in capsys.readouterr().out


def test_a_seed_that_was_changed_everywhere_gives_other_clips(
    crate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(run: Path) -> None:
        record = json.loads((run / RECORD).read_text())
        record["config"]["seed"] = record["seeds"]["seed"] = 4
        (run / RECORD).write_text(json.dumps(record))

    assert main(["verify", changed(crate, tmp_path, change)]) == 1
    printed = capsys.readouterr().out
    assert "differs      samples/clip_000000.safetensors, sampled again: " in printed


def test_a_config_of_its_own_is_not_run(crate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace = tmp_path / "trace"

    def change(run: Path) -> None:
        record = json.loads((run / RECORD).read_text())
        record["config"]["num_frames"] = f"$open({str(trace)!r}, 'w') and 4"
        (run / RECORD).write_text(json.dumps(record))

    main(["verify", changed(crate, tmp_path, change)])
    assert "was not run again: num_frames of its config are programs" in capsys.readouterr().out
    assert not trace.exists()


def test_what_is_no_crate_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    assert main(["verify", str(tmp_path / "empty.zip")]) == 2
    assert main(["export", str(tmp_path), "--licence", LICENCE, "--out", str(tmp_path / "a.zip")]) == 2
    assert "holds no run" in capsys.readouterr().err
