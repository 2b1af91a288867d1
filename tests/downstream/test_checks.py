# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from downstream.checks import check_needs
from downstream.study import Data, Generator, Phantoms, Study, StudyError
from monai_feat.bundle import find_bundle


def study(datalist: Path | None = None, **generator: object) -> Study:
    phantoms = None if datalist else Phantoms("ultrasound", 10, 5)
    data = Data("ultrasound", datalist=datalist, phantoms=phantoms)
    return Study("a study", data, ("real",), Generator(**generator))  # type: ignore[arg-type]


def test_shipped_bundles_are_whole(tmp_path: Path) -> None:
    check_needs(study(kind="bundle", bundle=find_bundle("feat_ultrasound")), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no file .*gone/configs/train_autoencoder\.json, .*shipped one \(feat_endo"):
        check_needs(study(kind="bundle", bundle=tmp_path / "gone"), tmp_path)


def test_weights_that_are_not_there_are_refused(tmp_path: Path) -> None:
    weights = {"autoencoder_weights": tmp_path / "a.safetensors", "network_weights": tmp_path / "f.safetensors"}
    trained = study(kind="trained", bundle=find_bundle("feat_ultrasound"), training_groups=(), **weights)
    with pytest.raises(StudyError, match=r"no file .*/a\.safetensors, .*/f\.safetensors; expected the weights"):
        check_needs(trained, tmp_path)


def test_a_datalist_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"no file .*gone\.json; name another with --data, or make one: monai-feat"):
        check_needs(study(tmp_path / "gone.json"), tmp_path)


def test_results_need_a_place_with_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="name another folder"):
        check_needs(study(), tmp_path / "file" / "study")
    asked: list[int] = []
    monkeypatch.setattr("downstream.checks.check_folder", lambda _folder, room: asked.append(room))
    check_needs(study(), tmp_path)
    assert asked[0] >= 2 * 10 * 16 * 64 * 64  # clips and their masks
