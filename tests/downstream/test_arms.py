# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Arms: what each trains on."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from downstream.arms import ARMS, REFERENCE, ArmError, Ingredients, get_arm, register_arm
from monai_feat.data import ClipItem


def clips(kind: str, count: int) -> list[ClipItem]:
    return [ClipItem(Path(f"{kind}{i}.nii.gz"), Path(f"{kind}{i}_label.nii.gz")) for i in range(count)]


REAL = clips("real", 3)
ALL = Ingredients(
    real=REAL,
    extra=clips("extra", 5),
    unlabelled=clips("unlabelled", 2),
    synthetic=clips("synthetic", 12),
    reconstructed=clips("reconstructed", 3),
    copies=[REAL[1]] * 12,
    pseudo_labelled=clips("pseudo", 12),
)


@pytest.mark.parametrize(
    ("name", "counts", "unlabelled"),
    [
        ("real", {"real": 3}, 0),
        ("real + strong augmentation", {"real": 3}, 0),
        ("real repeated", {"real": 6}, 0),
        ("real + synthetic x0.5", {"real": 3, "synthetic": 2}, 0),
        ("real + synthetic x4", {"real": 3, "synthetic": 12}, 0),
        ("synthetic only", {"synthetic": 12}, 0),
        ("real + reconstructions", {"real": 3, "reconstructed": 3}, 0),
        ("real + copies", {"real": 6}, 0),
        ("real + extra real", {"real": 3, "extra": 3}, 0),
        ("real + pseudo-labelled synthetic x1", {"real": 3, "pseudo": 3}, 0),
        ("semi-supervised, synthetic", {"real": 3}, 3),
        ("semi-supervised, real", {"real": 3}, 2),
    ],
)
def test_clips_of_an_arm(name: str, counts: dict[str, int], unlabelled: int) -> None:
    labelled, without = get_arm(name).pick(ALL)
    names = ["".join(filter(str.isalpha, item.image.name.split(".")[0])) for item in labelled]
    assert {kind: names.count(kind) for kind in set(names)} == counts
    assert len(without) == unlabelled


def test_larger_doses_hold_smaller_ones() -> None:
    doses = [get_arm(f"real + synthetic x{ratio}").pick(ALL)[0] for ratio in ("0.5", "1", "2", "4")]
    for small, large in itertools.pairwise(doses):
        assert large[: len(small)] == small


def test_only_arms_that_say_so_differ_in_augmentation_or_steps() -> None:
    strong = [arm.name for arm in ARMS.values() if arm.augmentation == "strong"]
    assert strong == ["real + strong augmentation", "real + synthetic x1 + strong augmentation"]
    assert {arm.name: arm.steps for arm in ARMS.values() if arm.steps != 1} == {"real + more steps": 2}
    assert [arm.name for arm in ARMS.values() if arm.kind == "reference"] == [REFERENCE]


@pytest.mark.parametrize("name", sorted(ARMS))
def test_every_arm_says_why_it_is_there(name: str) -> None:
    assert ARMS[name].name == name
    assert len(ARMS[name].reason) > 20


def test_an_arm_without_enough_clips_is_refused() -> None:
    with pytest.raises(ArmError, match="expected 12 synthetic clips, 4 for each of 3 real ones; got 11"):
        get_arm("real + synthetic x4").pick(replace(ALL, synthetic=ALL.synthetic[:11]))
    with pytest.raises(ArmError, match="'synthetic only' has no clips to train on"):
        get_arm("synthetic only").pick(replace(ALL, synthetic=()))
    with pytest.raises(ArmError, match="has no unlabelled clips"):
        get_arm("semi-supervised, real").pick(replace(ALL, unlabelled=()))


def test_an_unknown_arm_names_the_closest() -> None:
    with pytest.raises(ArmError, match=r"did you mean 'real \+ copies'\?.*synthetic only"):
        get_arm("real + copy")


def test_an_arm_of_ones_own_is_known_by_a_name_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("downstream.arms.ARMS", dict(ARMS))
    own = replace(get_arm("real repeated"), name="real thrice", reason="each real clip three times")
    assert register_arm(own) is get_arm("real thrice")
    register_arm(replace(own))  # once more, as where its module is reloaded
    with pytest.raises(ArmError, match=r"there is an arm 'real' already \(the real clips.*choose another name"):
        register_arm(replace(own, name="real"))
