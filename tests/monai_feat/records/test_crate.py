# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

from monai_feat.records import RECORD, RecordError, RunRecord, weights_used
from monai_feat.records import crate as crates
from monai_feat.records.crate import PROFILE, export_crate, unpack_crate

LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def finished_run(folder: Path, models: Path) -> Path:
    models.mkdir(parents=True, exist_ok=True)
    weights = models / "feat.safetensors"
    weights.write_bytes(b"some weights")
    config = {"network_weights": str(weights)}
    record = RunRecord(folder, "sampling", config, {"seed": 3}, weights=[weights_used("network", weights)])
    record.begin()
    (folder / "clip.mp4").write_bytes(b"a clip")
    record.finish({"clips": 1}, ["*.mp4"])
    return folder


def test_a_crate_is_read_by_its_own_library(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "samples", tmp_path / "models")
    assert export_crate([run], tmp_path / "crate.zip", LICENCE) == []
    crate = ROCrate(tmp_path / "crate.zip")
    assert crate.root_dataset["conformsTo"].id == PROFILE
    assert crate.license.id == LICENCE
    (action,) = crate.root_dataset["mentions"]
    assert action.type == "CreateAction"
    assert {file.id for file in action["result"]} == {"samples/clip.mp4", "samples/record.json"}
    assert [file.id for file in action["object"]] == ["samples/weights/feat.safetensors"]
    (unpacked,) = unpack_crate(tmp_path / "crate.zip", tmp_path / "again")
    assert (unpacked / "clip.mp4").read_bytes() == b"a clip"
    assert (unpacked / RECORD).read_bytes() == (run / RECORD).read_bytes()


def test_large_weights_are_told_by_their_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crates, "WEIGHTS_BYTES", 3)
    run = finished_run(tmp_path / "samples", tmp_path / "models")
    assert export_crate([run], tmp_path / "crate.zip", LICENCE) == ["samples: feat.safetensors"]
    with zipfile.ZipFile(tmp_path / "crate.zip") as archive:
        assert "samples/weights/feat.safetensors" not in archive.namelist()


def test_what_is_not_as_recorded_is_not_packed(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "samples", tmp_path / "models")
    with pytest.raises(ValueError, match="expected the address of a licence"):
        export_crate([run], tmp_path / "crate.zip", "free")
    with pytest.raises(ValueError, match="runs with different names"):
        export_crate([run, run], tmp_path / "crate.zip", LICENCE)
    (run / "clip.mp4").write_bytes(b"another")
    with pytest.raises(RecordError, match=r"clip\.mp4: has been changed since the run"):
        export_crate([run], tmp_path / "crate.zip", LICENCE)
    (run / "clip.mp4").unlink()
    with pytest.raises(RecordError, match=r"clip\.mp4: is missing since the run"):
        export_crate([run], tmp_path / "crate.zip", LICENCE)
    RunRecord(tmp_path / "begun", "scoring", {}).begin()
    with pytest.raises(RecordError, match="has not come to its end"):
        export_crate([tmp_path / "begun"], tmp_path / "crate.zip", LICENCE)
    assert not (tmp_path / "crate.zip").exists()


def test_only_crates_are_unpacked_and_nothing_leads_out_of_them(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        unpack_crate(tmp_path / "none.zip", tmp_path / "a")
    (tmp_path / "text.zip").write_text("text")
    with pytest.raises(RecordError, match=r"text\.zip: cannot be unpacked"):
        unpack_crate(tmp_path / "text.zip", tmp_path / "b")
    for name in ("../out.json", "inside.json"):
        with zipfile.ZipFile(tmp_path / "odd.zip", "w") as archive:
            archive.writestr(name, json.dumps({}))
        with pytest.raises(RecordError, match=r"cannot be unpacked|holds no run"):
            unpack_crate(tmp_path / "odd.zip", tmp_path / "c" / name.strip("./"))
    assert not (tmp_path / "c" / "out.json").is_file()
