# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What docs/extending.md adds from outside the package works: its files are written to a folder, and used."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from monai.bundle import ConfigParser, run

from evaluation import cli
from monai_feat.apps.studies import import_study
from monai_feat.bundle import check_config
from monai_feat.conditions import conditions_from_json, conditions_to_json, registry
from monai_feat.data import ClipItem
from monai_feat.files import read_json
from monai_feat.metrics.functional import properties
from monai_feat.networks.nets import FEAT, FEAT_PRESETS

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = ROOT / "bundles" / "feat_ultrasound" / "configs"
_NAME = r"`my_lab/(?P<name>[\w.]+)`[^\n]*(?:\n[^`\n]+)*\n\n(?:<!--[^\n]*\n)?"
_FILE = re.compile(_NAME + r"```\w+\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
MOST_FILES = 2

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")


def files_of(section: str) -> dict[str, str]:
    """Files by name that a section of the page tells to write."""
    return {match["name"]: match["text"] for match in _FILE.finditer(section)}


def sections() -> dict[str, str]:
    page = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    return {part.split("\n", 1)[0]: part for part in page.split("\n## ")[1:]}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package of the page, importable."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "my_lab").mkdir()
    (folder / "my_lab" / "__init__.py").touch()
    for section in sections().values():
        for name, text in files_of(section).items():
            (folder / "my_lab" / name).write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder))
    yield folder / "my_lab"
    sys.path.remove(str(folder))
    registry._KINDS.pop("PhaseCondition", None)
    import_study("downstream", "arms").ARMS.pop("half real + synthetic", None)
    properties.PROPERTIES.pop("contrast", None)
    for name in [name for name in sys.modules if name.split(".")[0] == "my_lab"]:
        del sys.modules[name]


def config(base: str, *overlays: Path) -> dict[str, Any]:
    content: dict[str, Any] = ConfigParser.load_config_files([CONFIGS / f"{base}.json", *overlays])
    return content


@pytest.mark.parametrize("title", ["A handler", "A sampler", "A size", "A mixer", "A condition", "A metric", "An arm"])
def test_an_addition_takes_at_most_two_files(title: str) -> None:
    assert 1 <= len(files_of(sections()[title])) <= MOST_FILES


def test_a_handler_and_a_sampler_serve_a_bundle(lab: Path, tmp_path: Path) -> None:
    overrides = {"num_clips": 3, "batch_size": 2, "num_frames": 4, "frame_size": 32, "num_sampling_steps": 2}
    files = [CONFIGS / "inference.json", lab / "batch_log.json", lab / "euler.json"]
    bundle = {"bundle_root": str(CONFIGS.parent), "output_dir": str(tmp_path), "output_format": "latents"}
    run(config_file=list(map(str, files)), logging_file=False, **bundle, **overrides)
    assert (tmp_path / "batches.txt").read_text() == "1\n2\n"
    settings = next(found for found in map(read_json, tmp_path.glob("*.json")) if "settings" in found)["settings"]
    assert settings["scheduler"] == "FlowMatchEulerDiscreteScheduler"


def test_a_size_is_that_of_the_network(lab: Path) -> None:
    content = config("train", lab / "wide.json")
    check_config(content)
    network = ConfigParser(content).get_parsed_content("network_def")
    assert network.patch_embedding.proj.out_features == 128
    assert len(network.layers) == 2


def test_a_mixer_stands_in_every_layer(lab: Path, tmp_path: Path) -> None:
    content = config("train", lab / "mean.json")
    check_config(content)
    parser = ConfigParser(content)
    parser.parse()
    network = parser.get_parsed_content("network_def")
    assert {type(layer.temporal.mixing).__name__ for layer in network.layers} == {"MeanMixing"}
    network.save_pretrained(tmp_path)
    assert FEAT.from_pretrained(tmp_path).arguments()["time_mixer"] == "mean"


def test_a_condition_is_embedded_saved_and_asked_for(lab: Path) -> None:
    content = config("train", lab / "phase.json")
    check_config(content)
    (phase,) = conditions = ConfigParser(content).get_parsed_content("conditions")
    assert conditions_from_json(conditions_to_json(conditions)) == conditions
    network = FEAT(out_channels=8, conditions=conditions, **FEAT_PRESETS["pico"]).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    x, asked = torch.randn(1, 4, 2, 4, 4).expand(4, -1, -1, -1, -1), phase.read_prompts([0.0, 1.0, 0.5, -1], None)
    clips = network(x, torch.tensor([500]), {"phase": asked})
    torch.testing.assert_close(clips[0], clips[1])  # the beat is a circle
    assert (clips[0] - clips[2]).abs().max() > 1e-3
    torch.testing.assert_close(clips[3], network(x[:1], torch.tensor([500]))[0])
    with pytest.raises(ValueError, match=r"phase: 1\.5 was asked for; it takes a share of the beat from 0 to 1"):
        network(x[:1], torch.tensor([500]), {"phase": torch.tensor([1.5])})


def test_a_metric_stands_in_the_report(lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "offline_spaces", list)
    sides = ("phantom:ultrasound:1", "phantom:ultrasound:2")
    small = ("--max-clips", "4", "--num-frames", "2", "--size", "32", "--quiet")
    assert cli.main([*sides, "--out", str(tmp_path / "out"), "--import", "my_lab.metrics", *small]) == 0
    titles = [score["title"] for score in read_json(tmp_path / "out" / "report.json")["scores"]]
    assert "Contrast" in titles


def test_a_module_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["a", "b", "--import", "no_such_module"]) == 2
    assert "--import: no_such_module cannot be imported" in capsys.readouterr().err


def test_an_arm_stands_in_a_study(lab: Path) -> None:
    arms = import_study("downstream", "arms")
    study = import_study("downstream", "study_file").read_study(lab / "study.yaml")
    assert study.largest_ratio == 0.5
    clips = [ClipItem(Path(f"{number}.png"), None) for number in range(12)]
    labelled, unlabelled = arms.get_arm(study.arms[1]).pick(arms.Ingredients(real=clips[:8], synthetic=clips[8:]))
    assert labelled == [clips[0], clips[2], clips[4], clips[6], *clips[8:]]
    assert unlabelled == []
