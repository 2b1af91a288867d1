# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What masks of the data sets that people have hold, and how each is read: by hand, value by value."""

from __future__ import annotations

import pytest
import torch

from monai_feat.data.mask_values import FIRST_COLOUR, Legend, coded_values, read_values, value_shares

RED = FIRST_COLOUR + 0xFF0000


def shares(*values: int) -> dict[int, float]:
    return value_shares(dict.fromkeys(values, 10))


@pytest.mark.parametrize(
    ("values", "label_channels", "classes"),
    [
        ((0, 1), 2, {0: 0, 1: 1}),
        ((0, 255), 2, {0: 0, 255: 1}),
        ((0, 1, 255), 2, {0: 0, 1: 1, 255: 255}),
        ((0, 20), 2, {0: 0, 20: 1}),
        ((0, 3000), 2, {0: 0, 3000: 1}),
        ((0, RED), 2, {0: 0, RED: 1}),
        ((0, 1, 2), 3, {0: 0, 1: 1, 2: 2}),
        ((0, 2, 255), 3, {0: 0, 2: 2, 255: 255}),
        ((0,), 2, {0: 0}),
    ],
)
def test_sets_that_speak_for_themselves(values: tuple[int, ...], label_channels: int, classes: dict[int, int]) -> None:
    reading = read_values(shares(*values), label_channels)
    frame = torch.tensor(values, dtype=torch.int32)[None, None]
    assert reading.apply(frame).flatten().tolist() == [classes[value] for value in values]


@pytest.mark.parametrize(
    ("values", "label_channels", "is_lossy", "named"),
    [
        ((0, 1, 2), 2, False, r"values 0 \(33\.3%\), 1 \(33\.3%\), 2 .*legend=\{0: 0, 1: 1, 2: 1\}"),
        ((0, 20, 40), 2, False, "values 0"),
        ((0, 255), 3, False, "values 0"),
        ((0, 127, 255), 3, False, "legend={0: 0, 127: 1, 255: 2}"),
        ((100,), 2, False, r"value 100 \(100\.0%\)"),
        ((0, RED), 3, False, "#ff0000"),
        ((0, 1), 2, True, "values 0"),  # JPEG cannot keep classes that are one level apart
        (tuple(range(0, 256, 5)), 2, False, "and 40 more"),  # far more grey than edges make
    ],
)
def test_ambiguous_sets_are_listed_with_the_option(
    values: tuple[int, ...], label_channels: int, is_lossy: bool, named: str
) -> None:
    with pytest.raises(ValueError, match=named) as caught:
        read_values(shares(*values), label_channels, is_lossy)
    assert "legend" in str(caught.value)


@pytest.mark.parametrize(
    ("legend", "frame", "expected"),
    [
        ({0: 0, 20: 1, 255: 255}, [0, 20, 255], [0, 1, 255]),
        ({"0": 0, "20": 1, "255": 2}, [0, 20, 255], [0, 1, 2]),
        ({"#000000": 0, "#ff0000": 2, "#ffffff": 1}, [0, RED, 255], [0, 2, 1]),
    ],
)
def test_a_legend_decides(legend: Legend, frame: list[int], expected: list[int]) -> None:
    reading = read_values(shares(*frame), 3, legend=legend)
    assert reading.apply(torch.tensor(frame)[None, None]).flatten().tolist() == expected


def test_a_legend_of_a_lossy_mask_takes_the_nearest_level() -> None:
    found = {0: 0.5, 3: 0.1, 120: 0.2, 131: 0.195, 64: 0.005}
    reading = read_values(found, 3, is_lossy=True, legend={0: 0, 127: 1, 255: 2})
    assert reading.apply(torch.tensor([0, 3, 120, 131])[None, None]).flatten().tolist() == [0, 0, 1, 1]
    with pytest.raises(ValueError, match="no class"):
        read_values(found, 3, is_lossy=False, legend={0: 0, 127: 1, 255: 2})


@pytest.mark.parametrize(
    ("legend", "message"),
    [
        ({0: 0}, r"holds the value 20 .*the legend has no class; it names \[0\]"),
        ({0: 0, 20: 7}, r"classes \[7\]; expected 0 to 1"),
        ({"red": 1}, "'red'; expected a value such as 20, or a colour"),
    ],
)
def test_a_legend_that_does_not_fit_is_an_error(legend: Legend, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_values(shares(0, 20), 2, legend=legend)


def test_colours_are_told_from_greys() -> None:
    frame = torch.tensor([[0, 255, 255], [0, 255, 0], [0, 255, 0]], dtype=torch.int32).reshape(3, 1, 3)
    assert coded_values(frame).flatten().tolist() == [0, 255, RED]
    assert coded_values(torch.tensor([100, 104, 106]).reshape(3, 1, 1), is_lossy=True).item() == 103
