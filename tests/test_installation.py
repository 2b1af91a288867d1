# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What people install: the wheel alone, in a fresh environment, used from a folder with blanks in its name.

The environment sees the packages that run this test, but not this checkout: what runs is what the wheel holds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NO_NETWORK = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "HF_HUB_OFFLINE": "1"}
NOT_INHERITED = ("PYTHONPATH", "PYTHONHOME")
COMMANDS = {
    "sample",
    "train",
    "evaluate",
    "study",
    "doctor",
    "clean",
    "datalist",
    "phantoms",
    "demo",
    "bundle",
    "estimate",
    "compare",
    "inspect",
    "marked",
    "record",
}
STUDY = """
title: Does it run?
data:
  modality: ultrasound
  phantoms: {kind: ultrasound, num_clips: 8, num_patients: 8, num_folds: 2, seed: 5}
  frame_size: 32
  num_frames: 1
generator: {kind: phantoms}
arms: [real, real + copies]
fractions: [1.0]
folds: [0]
seeds: [0]
fidelity: true
training: {steps: 2, batch_size: 2, val_interval: 2}
smallest_effect: 0.02
"""
# One process for all: the imports alone take seconds, and are the same for each.
SESSION = """
import sys
from monai_feat.apps import recipe
from monai_feat.apps.commands import main
from monai_feat.handlers import time_budget

recipe.FEWEST_CLIPS = 8
time_budget._LOOK = float("inf")  # a busy machine may take seconds to read them, which is not what is tested
CALLS = [
    ["sample", "feat_ultrasound", "--num-clips", "2", "--seed", "7", "--out", "x", "--set", "num_sampling_steps=2"],
    ["phantoms", "--kind", "ultrasound", "--out", "phantoms", "--num-clips", "6", "--patients", "6", "--size", "64"],
    ["datalist", "phantoms/clips", "--group-level", "1", "--folds", "2", "--out", "my clips.json"],
    ["doctor", "my clips.json", "--out", "doctor's report"],
    ["clean", "my clips.json", "--out", "my copies", "--quiet"],
    ["train", "my clips.json", "--minutes", "0.003", "--out", "my run"],
    ["sample", "my run", "--num-clips", "1", "--out", "mine"],
    ["evaluate", "phantom:ultrasound:1", "phantom:ultrasound:2", "--max-clips", "4", "--out", "y"],
    ["study", "my study.yaml", "--out", "my study"],
    ["study", "ultrasound", "--check"],
    ["demo", "--minutes", "0.003", "--out", "my demo"],
    ["bundle", "feat_endoscopy", "--out", "my bundle"],
]
codes = {" ".join(call): main(call) for call in CALLS}
codes = {call: code for call, code in codes.items() if code != 0}
sys.exit(f"these failed: {codes}" if codes else 0)
"""


@dataclass(frozen=True)
class Installation:
    """An environment with the wheel, and an empty folder to work in."""

    environment: Path
    folder: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment in the folder."""
        inherited = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
        name, *arguments = command
        return subprocess.run(
            [str(self.environment / "bin" / name), *arguments],
            cwd=self.folder,
            env={**inherited, **NO_NETWORK},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel and source distribution, built without a network from the files that the repository would hold."""
    source = tmp_path_factory.mktemp("source of monai-feat")
    for name in repository_files():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    build = "from setuptools import build_meta as b; b.build_sdist('dist'); b.build_wheel('dist')"
    done = subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return source / "dist"


@pytest.fixture(scope="module")
def installation(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    folder = tmp_path_factory.mktemp("somebody works here")
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    (packages,) = environment.glob("lib/python*/site-packages")
    # Lines of the files .pth in that folder are not read: an editable installation there stays unknown.
    (packages / "tested_with.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    (wheel,) = distributions.glob("*.whl")
    install = ["install", "--quiet", "--no-index", "--no-deps", "--ignore-installed", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True, cwd=folder)
    return Installation(environment, folder)


def repository_files() -> list[str]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout: nothing says which files belong to the project")
    command = [git, "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


def test_the_wheel_holds_all_that_runs_under_names_of_its_own(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    folders = ("monai_feat/", "evaluation/", "downstream/", "bundles/feat_", "bundles/video_segmentation/")
    files = [name for name in repository_files() if name.startswith(folders)]
    installed = {name if name.startswith("monai_feat/") else f"monai_feat_{name}" for name in files}
    assert held == installed


def test_the_source_distribution_is_the_repository(distributions: Path) -> None:
    (archive,) = distributions.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        held = {member.name.split("/", 1)[1] for member in tar.getmembers() if member.isfile()}
    assert set(repository_files()) - held == set()
    made = {"PKG-INFO", "setup.cfg"}
    assert {name for name in held if "egg-info/" not in name} - made == set(repository_files())


def test_help_lists_every_command_at_once(installation: Installation) -> None:
    done = installation.run("monai-feat", "--help")
    assert done.returncode == 0, done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")} == COMMANDS
    imported = "import sys; from monai_feat.apps import commands; commands.main(['--help']); print(*sys.modules)"
    assert not {"torch", "monai"} & set(installation.run("python", "-c", imported).stdout.split())


@pytest.mark.slow
def test_every_command_runs(installation: Installation) -> None:
    folder = installation.folder
    (folder / "my study.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "evaluation").mkdir()  # what people may call a folder of theirs
    (folder / "evaluation" / "__init__.py").write_text("raise ImportError('not the one that was meant')")
    done = installation.run("python", "-c", SESSION)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert str(ROOT) not in done.stdout + done.stderr
    made = ["x/clip_000001.mp4", "doctor's report/doctor.html", "my run/feat/feat.safetensors", "mine/clip_000000.mp4"]
    made += ["y/report.html", "my study/report/report.html", "my demo/contact_sheet.png", "my bundle/LICENSE"]
    assert not [name for name in made if not (folder / name).is_file()]
    assert json.loads((folder / "y" / "report.json").read_text())["command"].startswith("monai-feat evaluate phantom:")


@pytest.mark.slow
def test_a_copied_bundle_runs_as_monai_has_it(installation: Installation) -> None:
    bundle = installation.folder / "copied bundle"
    assert installation.run("monai-feat", "bundle", "feat_ultrasound", "--out", str(bundle)).returncode == 0
    small = ["--num_clips", "1", "--num_sampling_steps", "2", "--output_dir", "clips"]
    config = ["--config_file", str(bundle / "configs" / "inference.json"), "--bundle_root", str(bundle)]
    done = installation.run("python", "-m", "monai.bundle", "run", *config, *small)
    assert done.returncode == 0, done.stderr
    assert (installation.folder / "clips" / "clip_000000.mp4").is_file()


def test_unknown_names_are_refused(installation: Installation) -> None:
    done = installation.run("monai-feat", "sampel")
    assert done.returncode == 2
    assert "did you mean sample?" in done.stderr
    done = installation.run("monai-feat", "bundle", "feat_ultrasund")
    assert done.returncode == 2
    assert "feat_endoscopy, feat_ultrasound, video_segmentation" in done.stderr
