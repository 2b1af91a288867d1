# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The whole command, with stand-ins for the networks and, where its verdict matters, for the memorisation gate."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from evaluation import cli, study
from evaluation.reading.comparison import open_comparison
from evaluation.reading.protocol import as_in_training, get_preset
from evaluation.reading.sources import SourceOptions
from evaluation.results import Copy, GateResult, NearestPair
from evaluation.scoring import spaces
from evaluation.scoring.spaces import FeatureSpace
from monai_feat.bundle import ClipReading
from monai_feat.data import ClipFolderDataset
from monai_feat.metrics.features import FeatureNetwork
from monai_feat.records import RECORD, read_record
from monai_feat.transforms import to_uint8

WriteClips = Callable[..., Path]
SMALL = ("--num-frames", "4", "--quiet")
ROOT = Path(__file__).parents[2]


class Moments(FeatureNetwork):
    name = "moments"
    num_features = 3

    @property
    def identity(self) -> dict[str, str | int | float | bool]:
        return {"name": self.name}

    def forward(self, pixels: Tensor) -> Tensor:
        values = pixels.float()
        change = values.diff(dim=2).abs().flatten(1).mean(dim=1)
        return torch.stack([values.flatten(1).mean(dim=1), values.flatten(1).std(dim=1), change], dim=1)


@pytest.fixture(autouse=True)
def _small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "offline_spaces", lambda: [FeatureSpace(Moments(), "moments")])


def gate_result(passed: bool, copies: tuple[Copy, ...] = ()) -> GateResult:
    return GateResult(passed, copies, (), {}, 0.05, None, 2, 2, 2, note="" if passed else "not calibrated")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replaces the memorisation gate; holds what it was given, and what it shall find."""
    seen: dict[str, Any] = {"result": gate_result(True)}

    def run_gate(*sides: Any, **options: Any) -> GateResult:
        seen.update(sides=sides, **options)
        result: GateResult = seen["result"]
        return result

    monkeypatch.setattr(study, "run_gate", run_gate)
    return seen


def run(tmp_path: Path, *arguments: object) -> tuple[int, dict[str, Any]]:
    out = tmp_path / "runs" / "out"
    shutil.rmtree(out, ignore_errors=True)
    code = cli.main([*map(str, arguments), "--out", str(out), *SMALL])
    report = out / "report.json"
    return code, json.loads(report.read_text()) if report.exists() else {}


def test_folders_are_scored(write_clips: WriteClips, tmp_path: Path, gate: dict[str, Any]) -> None:
    real, fake = write_clips("real", 8, frames=10), write_clips("fake", 7, first=20)
    held = write_clips("held", 8, first=40)
    code, report = run(tmp_path, real, fake, "--held-out", held, "--gate", "--group", r"_(\d+)")
    assert code == 0
    assert (tmp_path / "runs" / "out" / "report.html").stat().st_size > 1000
    protocol = report["protocol"]
    assert (protocol["num_fake"], protocol["num_real"]) == (7, {"train": 8, "held_out": 8})
    assert (protocol["size"], protocol["colour"], protocol["num_frames"]) == ([32, 32], "rgb", 4)
    assert {score["fingerprint"] for score in report["scores"]} == {report["fingerprint"]}
    assert [score["metric"] for score in report["scores"] if score["lead"]] == ["frechet_moments"]
    assert {score["reference"] for score in report["scores"]} == {"train", "held_out"}
    assert (report["sources"]["train"]["clips"], report["sources"]["train"]["codec"]) == (8, {"h264": 8})
    assert "redness" in [found["name"] for found in report["distributions"]]
    assert "--held-out" in report["command"]
    record = read_record(tmp_path / "runs" / "out" / RECORD)
    assert (record["kind"], record["status"], record["seeds"]) == ("gate", "finished", {"seed": 0})
    values = {f"{score['metric']}.{score['reference']}": score["value"] for score in report["scores"]}
    assert record["metrics"] == {**values, "gate.passed": True, "gate.copies": 0}
    files = {side["role"]: side["files"] for side in record["data"]}
    assert {role: len(each) for role, each in files.items()} == {"train": 8, "fake": 7, "held_out": 8}
    digests = {hashlib.sha256(file.read_bytes()).hexdigest() for file in Path(real).glob("*.mp4")}
    assert {file["sha256"] for file in files["train"]} == digests
    assert all("group" in file and "name" not in file for file in files["train"])
    # Every frame that was trained on is looked at for copies, not only the windows that are scored.
    assert [len(side) for side in gate["sides"]] == [14, 24, 16]
    assert gate["groups"][1][0] == "0"


def test_the_same_run_has_the_same_fingerprint_and_scores(write_clips: WriteClips, tmp_path: Path) -> None:
    real, fake = write_clips("real", 6, frames=12), write_clips("fake", 6, first=20)
    first, again = (run(tmp_path, real, fake)[1] for _ in range(2))
    assert first["fingerprint"] == again["fingerprint"]
    assert first["scores"] == again["scores"]
    other = run(tmp_path, real, fake, "--seed", 1)[1]
    assert other["fingerprint"] != first["fingerprint"]
    (real / "p0_0.mp4").unlink()
    assert run(tmp_path, real, fake)[1]["fingerprint"] != first["fingerprint"]


def test_copies_are_exit_code_3_and_named(
    write_clips: WriteClips, tmp_path: Path, gate: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    sides = [write_clips(name, 6, first=10 * i) for i, name in enumerate(("real", "fake", "held"))]
    pair = NearestPair("stolen.mp4", "original.mp4", "pixels", 0.1, 0.01)
    gate["result"] = gate_result(False, (Copy(pair, 0.2),))
    command = (sides[0], sides[1], "--held-out", sides[2])
    assert run(tmp_path, *command, "--gate")[0] == 3
    assert "stolen.mp4 <- original.mp4" in capsys.readouterr().err
    assert run(tmp_path, *command)[0] == 0
    gate["result"] = gate_result(False)
    assert run(tmp_path, *command, "--gate")[0] == 3


def test_the_memorisation_gate_itself(tmp_path: Path) -> None:
    specs = [f"phantom:ultrasound:{seed}" for seed in (1, 2, 3)]
    code, report = run(
        tmp_path, specs[0], specs[1], "--held-out", specs[2], "--gate", "--max-clips", 6, "--size", 32, "--seed", 1
    )
    assert code in (0, 3)
    assert report["gate"]["num_fake"] == 6
    assert report["protocol"]["colour"] == "grey"


def test_weights_are_attacked_and_fail_a_gate_that_cannot_say(tmp_path: Path, gate: dict[str, Any]) -> None:
    specs = [f"phantom:ultrasound:{seed}" for seed in (1, 2, 3)]
    sides = [specs[0], specs[1], "--held-out", specs[2], "--max-clips", "4", "--size", "16", "--num-frames", "2"]
    assert run(tmp_path, *sides, "--gate")[0] == 0
    code, report = run(tmp_path, *sides, "--gate", "--generator", "feat_ultrasound")
    assert code == 3  # four held-out patients cannot tell 5 %
    assert report["membership"]["num_clips"] == [4, 4]
    assert set(report["membership"]["by_error"]) >= {"denoising at 1.2", "reconstruction"}


def test_corruption_curves(tmp_path: Path) -> None:
    specs = [f"phantom:endoscopy:{seed}" for seed in (1, 2)]
    code, report = run(tmp_path, *specs, "--max-clips", 4, "--size", 32, "--corruptions")
    assert code == 0
    assert {curve["metric"] for curve in report["curves"]} == {"kernel_moments"}
    assert len(report["curves"]) == 9


def test_a_grid_of_samples(write_clips: WriteClips, tmp_path: Path) -> None:
    real, grid = write_clips("real", 6), write_clips("grid", 1, first=9, size=(97, 97))
    code, report = run(tmp_path, real, grid, "--grid", "3x3", "--grid-border", "0")
    assert code == 0
    assert report["protocol"]["num_fake"] == 9


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["empty", "fake"], "no clips in this folder or below"),
        (["one", "fake"], "1 usable clips; a distance needs at least 2"),
        (["real", "fake", "--num-frames", "16"], "are shorter than 16 frames at stride 1: p0_0.mp4 (6)"),
        (["real", "large"], "bring all to one by the same filter, for example --size 32"),
        (["real", "grey"], "grey against RGB"),
        (["real", "fast"], "--frame-rate 10 makes them equal (--accept-differences scores them all the same"),
        (["real", "broken"], "broken.mp4: is not a video"),
        (["real", "fake", "--gate"], "name them with --held-out HELD"),
        (["real", "fake", "--generator", "feat_ultrasound"], "name them with --held-out HELD"),
        (["real", "fake", "--held-out", "real"], "of HELD are not held out: p0_0.mp4 is the same file as p0_0.mp4"),
        (["real", "fake", "--preset", "endora_2024"], "scores with the network i3d: give its file"),
        (["real", "fake", "--weights", "i3d=broken/broken.mp4"], "broken.mp4: "),
        (["real", "fake", "--weights", "resnet=a"], "unknown network 'resnet'"),
        (["real", "fake", "--group", "("], "expected a regular expression"),
        (["real", "fake", "--group", "x(.)"], "nothing in this path matches"),
        (["real", "fake", "--grid", "4"], "rows x columns"),
        (["real", "fake", "--max-clips", "1"], "--max-clips >= 2"),
        (["phantom:brain", "fake"], "unknown phantom 'brain'"),
        (["nowhere", "fake"], "no such folder"),
        (["list.json", "fake"], "list.json"),
    ],
)
def test_errors_are_one_line_and_exit_code_2(
    arguments: list[str],
    complaint: str,
    write_clips: WriteClips,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_clips("real", 3), write_clips("fake", 3, first=9), write_clips("one", 1), (tmp_path / "empty").mkdir()
    write_clips("large", 3, size=(48, 48)), write_clips("grey", 3, grey=True), write_clips("fast", 3, rate=30)
    (write_clips("broken", 2) / "broken.mp4").write_bytes(b"not a video")
    size = () if {"16", "--weights"} & {*arguments} else SMALL
    assert cli.main([*arguments, "--out", "out", *size]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("evaluation: ")
    assert complaint in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [("--device", "abacus"), ("--size", "8"), ("--preset", "fid"), ("--stride", "x")])
def test_arguments_that_are_none(arguments: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["a", "b", *arguments])
    assert f"argument {arguments[0]}" in capsys.readouterr().err


def test_what_is_accepted_is_recorded(write_clips: WriteClips, tmp_path: Path) -> None:
    real, fake = write_clips("real", 3), write_clips("fast", 3, first=9, rate=30)
    code, report = run(tmp_path, real, fake, "--accept-differences")
    assert code == 0
    assert any("motion at different speeds" in warning for warning in report["warnings"])
    assert (
        run(tmp_path, real, write_clips("fake", 3, first=9, frames=12, rate=30), "--frame-rate", 10)[1]["warnings"]
        == []
    )


def test_bad_clips_are_left_out_and_listed(write_clips: WriteClips, tmp_path: Path) -> None:
    real, fake = write_clips("real", 4), write_clips("fake", 4, first=9)
    write_clips("real", 2, first=30, frames=2)
    whole = (fake / "p1_9.mp4").read_bytes()
    (fake / "p1_9.mp4").write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
    code, report = run(tmp_path, real, fake, "--on-bad", "skip")
    assert code == 0
    assert report["protocol"]["num_real"] == {"train": 4}
    assert report["protocol"]["num_fake"] == 3
    assert "2 of REAL left out: p2_30.mp4 (2): too short" in " ".join(report["warnings"])
    assert "1 of FAKE left out" in " ".join(report["warnings"])


def test_a_published_preset_keeps_its_name_only_unchanged(tmp_path: Path) -> None:
    options = cli._parser().parse_args(["a", "b", "--preset", "cd_fvd"])
    assert cli._protocol(options, None).preset == "cd_fvd"
    options = cli._parser().parse_args(["a", "b", "--preset", "cd_fvd", "--size", "128", "--num-frames", "16"])
    assert cli._protocol(options, None).preset == "cd_fvd, but size"
    options = cli._parser().parse_args(["a", "b", "--preset", "endora_2024", "--size", "128"])
    assert cli._protocol(options, None).preset == "endora_2024"


class Frames(FeatureNetwork):
    takes = "frames"
    num_features = 2

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    @property
    def identity(self) -> dict[str, str | int | float | bool]:
        return {"name": self.name}

    def forward(self, pixels: Tensor) -> Tensor:
        return torch.stack([pixels.float().flatten(1).mean(dim=1), pixels.float().flatten(1).std(dim=1)], dim=1)


def test_a_published_preset_end_to_end(
    write_clips: WriteClips, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = {
        "i3d": [FeatureSpace(Moments(), "I3D logits", "FVD")],
        "inception": [
            FeatureSpace(Frames("inception"), "Inception features", "FID"),
            FeatureSpace(Frames("inception_logits"), "Inception logits", "IS", is_logits=True),
        ],
    }
    for name, found in opened.items():
        monkeypatch.setitem(spaces.PUBLISHED_SPACES, name, lambda path, frames, trust, found=found: found)
    real, fake = write_clips("real", 6, frames=20), write_clips("fake", 5, first=20, frames=17)
    (tmp_path / "weights.pt").write_bytes(b"")
    weights = [f"{name}={tmp_path / 'weights.pt'}" for name in opened]
    arguments = [str(real), str(fake), "--preset", "endora_2024", "--weights", *weights, "--quiet"]
    assert cli.main([*arguments, "--out", str(tmp_path / "out")]) == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    found = {score["title"]: score for score in report["scores"]}
    assert {"FVD (endora_2024)", "FID (endora_2024)", "Inception score"} <= found.keys()
    # FVD compares a window of each video, FID every frame.
    assert (found["FVD (endora_2024)"]["num_real"], found["FVD (endora_2024)"]["num_fake"]) == (6, 5)
    assert (found["FID (endora_2024)"]["num_real"], found["FID (endora_2024)"]["num_fake"]) == (120, 85)
    assert list(report["protocol"]["networks"]) == ["moments", "inception", "inception_logits"]


@pytest.mark.slow
def test_torchrun_shares_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes write one report, with the scores of one process."""
    monkeypatch.setattr(cli, "offline_spaces", spaces.offline_spaces)
    command = ["phantom:ultrasound:1", "phantom:ultrasound:2", "--max-clips", "4", "--size", "32"]
    alone = run(tmp_path, *command)[1]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    out = tmp_path / "together" / "out"
    arguments = [*launcher, "-m", "evaluation", *command, *SMALL, "--out", str(out)]
    subprocess.run(arguments, check=True, cwd=ROOT, env=environment)
    together = json.loads((out / "report.json").read_text())
    assert alone["fingerprint"] == together["fingerprint"]
    values = [[score["value"] for score in report["scores"]] for report in (alone, together)]
    assert values[0] == pytest.approx(values[1])


def sampled(write_clips: WriteClips, **reading: Any) -> Path:
    """A folder as `monai-feat sample` leaves it: clips, a sheet, and a manifest that says how real clips are read."""
    folder = write_clips("sampled", 6, first=20, frames=4, size=(16, 16), rate=7, grey=True)
    Image.new("RGB", (90, 70)).save(folder / "contact_sheet.png")
    known = {"modality": "ultrasound", "image_channels": 1, "num_frames": 4, "frame_size": [16, 16], "fit": "pad"}
    known["preprocessing"] = {"_target_": "monai_feat.transforms.video.DropFalseColour"}
    clips = {str(i): path.name for i, path in enumerate(sorted(folder.glob("*.mp4")))}
    (folder / "manifest.json").write_text(json.dumps({"clips": clips, "reading": {**known, **reading}}))
    return folder


def test_what_was_sampled_is_scored_without_a_flag(
    write_clips: WriteClips, tmp_path: Path, gate: dict[str, Any]
) -> None:
    """Sizes, rates and colours differ, one real clip is too short, and a sheet lies among the samples."""
    real = write_clips("real", 5, frames=9, size=(48, 32), rate=11, grey=True)
    write_clips("real", 1, first=90, frames=2)
    held = write_clips("held", 6, first=40, frames=9, size=(40, 40), rate=30, grey=True)
    out = tmp_path / "runs" / "out"
    fake = sampled(write_clips)
    assert cli.main([*map(str, (real, fake, "--held-out", held, "--gate", "--out", out)), "--quiet"]) == 0
    report = json.loads((out / "report.json").read_text())
    protocol = report["protocol"]
    assert (protocol["size"], protocol["colour"], protocol["num_frames"]) == ([16, 16], "grey", 4)
    assert (protocol["fit"], protocol["frame_rate"]) == ("pad", None)
    assert (protocol["num_fake"], protocol["num_real"]["train"]) == (6, 5)
    assert any("1 of REAL left out" in warning for warning in report["warnings"])
    assert cli.main([*map(str, (real, fake, "--size", 32, "--out", out)), "--quiet"]) == 0
    assert json.loads((out / "report.json").read_text())["protocol"]["size"] == [32, 32]


def test_stills_are_compared_standing_still(write_clips: WriteClips, tmp_path: Path) -> None:
    real = write_clips("real", 5, frames=1, kind="png")
    fake = sampled(write_clips, num_frames=1)
    out = tmp_path / "runs" / "out"
    assert cli.main([str(real), str(fake), "--out", str(out), "--quiet"]) == 0
    assert json.loads((out / "report.json").read_text())["protocol"]["num_frames"] == 3


def test_real_clips_are_treated_as_training_treats_them(write_clips: WriteClips) -> None:
    """What the evaluation makes of a file is what the training data set makes of it, to the bit."""
    real = write_clips("real", 3, frames=4, size=(48, 32), grey=True)
    reading = ClipReading.of_samples(sampled(write_clips))
    assert reading is not None
    protocol = as_in_training(get_preset("strict"), reading)
    options = SourceOptions(num_frames=4, reading=reading)
    clips = open_comparison({"train": str(real), "fake": str(sampled(write_clips))}, protocol, options).clips("train")
    trained = ClipFolderDataset(
        real, num_frames=4, size=16, channels=1, fit="pad", preprocessing=reading.build_preprocessing(), progress=False
    )
    for clip, item in zip(clips, (trained[i] for i in range(3)), strict=True):
        assert torch.equal(clip, to_uint8(item["image"]))
