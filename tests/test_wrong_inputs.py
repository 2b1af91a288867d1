# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Wrong inputs end soon, before a clip is decoded, with one last line that says what is wrong and what to do."""

from __future__ import annotations

import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import run

from monai_feat.apps.commands import main
from monai_feat.bundle import find_bundle
from monai_feat.data import write_mp4
from monai_feat.data.clip_reading import ClipReader

SECONDS = 10.0  # of the processor
STUDY = """
title: a study
data: {modality: endoscopy, datalist: %s}
arms: [real, real + synthetic x1]
generator: %s
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of three patients, of one, one alone, too short ones; things that are no clips; studies."""
    root = tmp_path_factory.mktemp("inputs")
    clips = {f"clips/pat{p}/{i}.mp4": 20 for p in range(3) for i in range(2)}
    clips |= (
        {f"onepatient/p1/{i}.mp4": 20 for i in range(3)} | {f"short/{i}.mp4": 4 for i in range(2)} | {"one/a.mp4": 20}
    )
    generator = torch.Generator().manual_seed(0)
    for name, frames in clips.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        write_mp4(torch.randint(256, (3, frames, 48, 48), generator=generator, dtype=torch.uint8), root / name, 10)
    (root / "empty").mkdir()
    (root / "file").write_text("no clip")
    (root / "broken.avi").write_text("no clip either")
    (root / "table.csv").write_text("a,b\n1,2\n")
    (root / "broken.json").write_text('{"training": [')
    assert (
        main(["datalist", str(root / "clips"), "--group-level", "1", "--folds", "3", "--out", f"{root}/list.json"]) == 0
    )
    content = json.loads((root / "list.json").read_text())
    content["training"][0]["image"] = "clips/gone.mp4"
    (root / "gone.json").write_text(json.dumps(content))
    (root / "checkpoints").mkdir()
    (root / "checkpoints" / "checkpoint_iteration=1.pt").write_bytes(b"half a checkpoint")
    (root / "no_bundle.yaml").write_text(STUDY % ("list.json", "{kind: bundle, bundle: feat_gone}"))
    (root / "no_list.yaml").write_text(STUDY % ("no.json", "{kind: noise}"))
    (root / "no_masks.yaml").write_text(STUDY % ("list.json", "{kind: noise}"))
    (root / "key.yaml").write_text(STUDY % ("list.json", "{kind: noise}") + "sedes: [1]")
    return root


@pytest.fixture(autouse=True)
def _nothing_is_decoded(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(inputs)
    monkeypatch.setattr(ClipReader, "read", lambda _self, plan: pytest.fail(f"{plan.path} was decoded"))
    hook = sys.excepthook  # bundles put one of their own there
    yield
    sys.excepthook = hook


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.strip().splitlines()[-1]


COMMANDS = [
    # paths and sources
    ("train nowhere --out run", "nowhere: no such folder; expected a folder of clips"),
    ("train empty --out run", "empty: no clips in this folder or below; looked for .mp4"),
    ("train broken.json --out run", "broken.json: expected JSON: .*; is the file complete"),
    ("train gone.json --out run", "1 of 6 clips that it names are not there .*gone.mp4"),
    ("train phantom:heart --out run", "phantom.* heart|heart.*phantom|feat_heart: no such bundle"),
    ("train list.json:fold9 --out run", "fold9.*there are training, all, fold0, fold1, fold2"),
    ("evaluate nowhere clips --out report", "nowhere: no such folder"),
    ("evaluate broken.avi nowhere --out report", "nowhere: no such folder"),  # before the first is opened
    ("evaluate broken.avi clips --held-out list.json:all9 --out report", "no clips under 'all9'"),
    ("evaluate clips list.json:validation --out report", "no clips under 'validation'; there are training"),
    ("doctor nowhere --out report", "nowhere: no such folder"),
    ("clean nowhere --out copies", "nowhere: no such folder"),
    ("datalist nowhere --out new.json", "nowhere: no such folder"),
    (
        "study nothing.yaml --check",
        "nothing.yaml: no such file; expected a study as YAML, or the name of a shipped one",
    ),
    ("study no_list.yaml --check", "there is no file .*no.json; name another with --data, or make one"),
    # bundles and weights
    ("sample feat_heart --out samples", "feat_heart: no such bundle; .* feat_endoscopy, feat_ultrasound"),
    ("bundle feat_heart", "feat_heart: no such bundle"),
    ("study no_bundle.yaml --check", r"no file .*feat_gone/configs/train.json.*shipped one \(feat_endoscopy"),
    ("evaluate clips onepatient --weights i4d=x --out report", "unknown network 'i4d'; the known ones are"),
    ("evaluate clips onepatient --weights i3d=x.pt --out report", "no weights file x.pt"),
    # keys and commands
    ("trian clips", r"unknown command 'trian' \(did you mean train\?\)"),
    ("sample feat_endoscopy --out samples --set num_frame=3", "'num_frame' .did you mean 'num_frames'"),
    ("study key.yaml --check", "unknown key sedes .did you mean seeds"),
    # sizes
    ("sample feat_endoscopy --num-clips 0 --out samples", "--num-clips .* at least 1; got 0"),
    ("train clips --minutes 0 --out run", "must be over 0; got 0"),
    ("sample feat_endoscopy --out samples --set frame_size=50", "choose a multiple of its downsampling factor"),
    ("sample feat_endoscopy --out samples --set num_frames=0", "num_frames must be at least 1, got 0"),
    (
        "sample feat_endoscopy --out samples --set output_format=mpeg",
        "file_format of mp4, gif, nifti, latents; got 'mpeg'",
    ),
    ("evaluate clips onepatient --size 8 --out report", "expected pixels such as 128"),
    ("evaluate clips short --out report", "are shorter than 16 frames .*; ask for fewer with --num-frames"),
    ("phantoms --kind ultrasound --num-clips 0 --out phantoms", "num_patients <= num_clips"),
    ("estimate --preset nano --size 5,7", "multiple of the patch size 2"),
    # one patient, one clip
    ("datalist table.csv --out new.json", "expected one called image, .* --image-column; the columns are a, b"),
    ("datalist onepatient --group-level 1 --out new.json", "all clips are of one group, got 5; ask for 1 with --folds"),
    ("evaluate clips one --out report", "1 usable clips; a distance needs at least 2"),
    ("evaluate clips onepatient --gate --out report", "name them with --held-out"),
    ("study no_masks.yaml --check", "none of its 6 clips has a mask, .* say where masks are"),
    # no permission: a file is in the way
    ("train clips --out file/run", "file is a file; name another folder"),
    ("sample feat_endoscopy --out file/samples", "file is a file; name another folder"),
    ("evaluate clips onepatient --out file/report", "file is a file; name another folder"),
    ("doctor clips --out file/report", "file is a file; name another folder"),
    ("datalist clips --out file/new.json", "file is a file; name another folder"),
    ("phantoms --kind ultrasound --out file/phantoms", "file is a file; name another folder"),
    ("study known_truth --out file/study --check", "file is a file; name another folder"),
]


@pytest.mark.parametrize(("command", "message"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_commands(command: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.process_time()
    try:
        code = main(command.split())
    except SystemExit as end:  # of argparse
        code = int(end.code or 0)
    assert code == 2
    assert time.process_time() - started < SECONDS
    assert re.search(message, last_line(capsys))


TRAININGS: list[tuple[dict[str, Any], str]] = [
    ({"lerning_rate": 1}, "did you mean 'learning_rate'"),
    ({"dataset_dir": "nowhere"}, "nowhere: no such folder"),
    ({"dataset_dir": "short"}, "has 4 frames; 16 are needed .* ask for fewer frames"),
    ({"val_dataset_dir": "nowhere"}, "nowhere: no such folder"),
    ({"autoencoder_weights": "no.safetensors"}, "no.safetensors: no such file"),
    ({"network_weights": "no.safetensors"}, "no.safetensors: no such checkpoint, .* check the path"),
    ({"network_weights": "file"}, "not a checkpoint .*; fetch or save it again, or name another file"),
    ({"resume_from": "last", "output_dir": "."}, "half|damaged or not a checkpoint"),
    ({"resume_from": "no.pt"}, "no.pt: no such checkpoint"),
    ({"output_dir": "."}, "checkpoints of another training; .* --resume_from"),
    ({"output_dir": "file/run"}, "file is a file; name another folder"),
    ({"cache_dir": "file/cache"}, "file is a file; name another folder"),
    ({"attributes": "no.csv"}, "no.csv: no such file"),
    ({"frame_size": 50}, "choose a multiple of its downsampling factor"),
    ({"frame_size": 36}, "multiple of the patch size 2"),
    ({"network_def::num_heads": 7}, "num_heads must divide hidden_size"),
    ({"batch_size": 0}, "batch_size is 0; expected a whole number from 1"),
    ({"num_clips": 0}, "num_clips must be at least 1"),
    ({"max_seconds": 0}, "max_seconds must be positive"),
    ({"sampler": "ddmi"}, "The sampler is 'ddmi', expected one of"),
    ({"precision": "float15"}, "precision of float32, bfloat16, float16"),
]


@pytest.mark.parametrize(("keys", "message"), TRAININGS, ids=[str(keys) for keys, _ in TRAININGS])
def test_trainings(keys: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.process_time()
    assert re.search(message, _failure({"dataset_dir": "clips", "output_dir": "run", **keys}, capsys))
    assert time.process_time() - started < SECONDS


def test_no_room_on_the_disk(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage._replace(free=1000))
    said = _failure({"dataset_dir": "clips", "output_dir": "run"}, capsys)
    assert "0 MiB are free; make room, or name a folder on another disk" in said
    assert main(["phantoms", "--kind", "ultrasound", "--out", "phantoms"]) == 2
    assert "make room, or name a folder on another disk" in last_line(capsys)


def test_a_training_that_is_stopped_says_how_to_go_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_self: ClipReader, _plan: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ClipReader, "read", stop)
    said = _failure({"dataset_dir": "clips", "output_dir": "run"}, capsys)
    assert said == "stopped. To go on, run the same command with --resume_from last"


def _failure(keys: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> str:
    """The last line of a training that fails, as ``python -m monai.bundle run`` ends."""
    bundle = find_bundle("feat_endoscopy")
    config = bundle / "configs" / "train.json"
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - whatever it is, the hook has to say it well
        run(config_file=str(config), bundle_root=str(bundle), logging_file=False, **keys)
    sys.excepthook(caught.type, caught.value, caught.tb)
    return last_line(capsys)
