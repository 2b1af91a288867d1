# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest
from monai.bundle import ConfigParser, ConfigWorkflow, run

from monai_feat.bundle import ConfigKeyError, check_config, check_counts, find_unused_keys

CONFIG: dict[str, Any] = {
    "imports": ["$import math", "$from monai_feat.bundle import check_config"],
    "bundle_root": ".",
    "device": "cpu",
    "dataset_dir": ".",
    "learning_rate": 0.1,
    "max_epochs": 2,
    "table": {"alpha": 1, "beta": "$@learning_rate * 2"},
    "train": {
        "dataset": {"_target_": "monai.data.Dataset", "data": "$[@table]"},
        "inferer": {"_target_": "monai.inferers.SimpleInferer"},
        "lr": "$@learning_rate",
        "trainer": {"_target_": "fractions.Fraction", "numerator": "@train::lr", "denominator": "@max_epochs"},
    },
    "initialize": ["$check_config()"],
    "run": ["$math.sqrt(@train#lr)"],
}


def changed(**changes: Any) -> dict[str, Any]:
    """Return the config with changes by id, as overrides on a command line make them."""
    parser = ConfigParser(copy.deepcopy(CONFIG))
    parser.update({name.replace("__", "::"): value for name, value in changes.items()})
    content: dict[str, Any] = parser.get()
    return content


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "metadata.json").write_text("{}")
    (tmp_path / "configs" / "train.json").write_text(json.dumps(CONFIG))
    return tmp_path / "configs" / "train.json"


def messages(error: BaseException | None) -> str:
    """Return what a person sees: MONAI wraps errors, Python prints the causes above them."""
    return "" if error is None else f"{error}\n{messages(error.__cause__)}"


def test_a_config_where_everything_is_used_passes() -> None:
    check_config(CONFIG)
    assert find_unused_keys(CONFIG) == []


def test_overrides_of_what_there_is_pass() -> None:
    check_config(changed(learning_rate=1, train__trainer__numerator=3, table__alpha=None, max_epochs="$math.pi"))


@pytest.mark.parametrize(
    ("override", "named", "close"),
    [
        ("lerning_rate", "lerning_rate", "learning_rate"),
        ("train__datset", "train::datset", "train::dataset"),
        ("max_epoch", "max_epoch", "max_epochs"),
    ],
)
def test_a_mistyped_key_is_an_error_that_names_the_closest(override: str, named: str, close: str) -> None:
    config = changed(**{override: 1})
    assert find_unused_keys(config) == [named]
    with pytest.raises(ConfigKeyError) as caught:
        check_config(config)
    assert f"{named!r} (did you mean {close!r}?)" in str(caught.value)
    assert "Valid ones: " in str(caught.value)
    assert all(key in str(caught.value) for key in ("learning_rate", "table::alpha", "train::trainer"))


def test_a_key_used_only_by_an_unused_one_is_unused() -> None:
    assert find_unused_keys(changed(a="@b", b="@a")) == ["a", "b"]
    assert find_unused_keys(changed(a="@b", b="@a", run="$@a")) == []


def test_a_key_without_likeness_gets_no_hint() -> None:
    with pytest.raises(ConfigKeyError, match=r"uses: 'zzz'\. Valid ones"):
        check_config(changed(zzz=1))


def test_properties_of_the_other_kind_of_workflow_have_no_effect() -> None:
    """``inferer`` and ``evaluator`` are read in inference, ``val_interval`` only where something refers to it."""
    assert find_unused_keys(changed(inferer=1, evaluator=1, val_interval=3)) == ["inferer", "evaluator", "val_interval"]
    inference = {"bundle_root": ".", "evaluator": "@inferer", "inferer": 1, "trainer": 2}
    assert find_unused_keys(inference) == ["trainer"]


def test_what_the_federated_client_adds_passes() -> None:
    check_config(changed(run_name="client_20260101"))


@pytest.mark.parametrize(
    "reference", ["@a", "@a::b", "@a#b::c", "$f(1)[@a::b]", "x%a", "$[0] @ @a", ["@a"], {"x": "@a"}]
)
def test_every_way_of_referring_counts(reference: Any) -> None:
    assert find_unused_keys({"a": {"b": {"c": 1}}, "run": reference}) == []


def test_a_reference_into_a_group_uses_that_part_only() -> None:
    group = {"b": 1, "bb": 2, "c": {"_target_": "dict", "d": "@e"}}
    assert find_unused_keys({"a": group, "e": 1, "run": "$@a::b"}) == ["a::bb", "a::c", "e"]
    assert find_unused_keys({"a": group, "e": 1, "run": "$@a::c::d"}) == ["a::b", "a::bb"]


def test_a_mistyped_argument_is_an_error() -> None:
    with pytest.raises(ConfigKeyError) as caught:
        check_config(changed(train__dataset__dta=1))
    message = str(caught.value)
    assert message.startswith("train::dataset (monai.data.Dataset) does not take these arguments: 'dta'")
    assert "did you mean 'data'?" in message
    assert message.endswith("Valid ones: data, transform")


def test_components_inside_lists_and_arguments_are_looked_into() -> None:
    inner = {"_target_": "monai.data.Dataset", "dta": []}
    for place in ({"_target_": "builtins.dict", "x": inner}, [[inner]]):
        with pytest.raises(ConfigKeyError, match="'dta'"):
            check_config({"run": place})


def test_what_is_no_argument_or_cannot_be_known_passes() -> None:
    check_config(
        {
            "run": [
                {
                    "_target_": "monai.data.Dataset",
                    "data": [],
                    "_disabled_": True,
                    "_requires_": "@x",
                    "_mode_": "partial",
                },
                {"_target_": "builtins.dict", "anything": 1},
                {"_target_": "torch.device", "type": "cpu"},
                {"_target_": "no.such.thing", "anything": 1},
                {"_target_": "Dataset", "data": []},
            ],
            "x": 1,
        }
    )


def test_runs_in_monai_with_overrides(bundle: Path) -> None:
    workflow = ConfigWorkflow(str(bundle), logging_file=False, workflow_type="train", learning_rate=4)
    workflow.initialize()
    assert workflow.run() == [math.sqrt(4)]
    for overrides, close in (({"lerning_rate": 4}, "learning_rate"), ({"train::dataset::dta": 4}, "data")):
        with pytest.raises(Exception, match="check_config") as caught:
            run(config_file=str(bundle), logging_file=False, **overrides)
        assert f"did you mean {close!r}?" in messages(caught.value)


def test_an_override_may_replace_what_reads_other_keys(bundle: Path) -> None:
    """Replacing the trainer leaves ``max_epochs`` without a reader, which is not a mistake; never having had one is."""
    trainer = {"_target_": "fractions.Fraction", "numerator": 1}
    for overrides in ({"train::trainer": trainer}, {"train::trainer::denominator": 3}, {"train::dataset::data": []}):
        run(config_file=str(bundle), logging_file=False, **overrides)
    written = {**CONFIG, "lerning_rate": 1}
    bundle.write_text(json.dumps(written))
    with pytest.raises(Exception, match="check_config"):
        run(config_file=str(bundle), logging_file=False, **{"train::trainer": trainer})


def test_files_of_another_workflow_beside_it_excuse_nothing(bundle: Path) -> None:
    (bundle.parent / "inference.json").write_text(json.dumps({"beam": 1, "inferer": "@beam"}))
    with pytest.raises(Exception, match="check_config"):
        run(config_file=str(bundle), logging_file=False, beam=2)


def test_without_a_config_it_needs_a_parser() -> None:
    with pytest.raises(RuntimeError, match="only works as an expression in a bundle config"):
        check_config()


@pytest.mark.parametrize("count", [0, -1, 1.5, "many", True, None])
def test_counts_are_whole_numbers_from_one(count: object) -> None:
    check_counts(batch_size=1, max_epochs=7)
    with pytest.raises(ConfigKeyError, match=f"^batch_size is {count!r}; expected a whole number from 1$"):
        check_counts(batch_size=count, max_epochs=7)
