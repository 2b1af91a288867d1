# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter

import ignite.distributed as idist
import pytest
from torch.utils.data import DataLoader

from monai_feat.distributed import DistributedBatchSampler


def shares(processes: int, patch: pytest.MonkeyPatch, epoch: int = 0, first: int = 0) -> list[list[set[int]]]:
    """Return the batches that each of so many processes loads."""
    found = []
    for rank in range(processes):
        with patch.context() as context:
            context.setattr(idist, "get_world_size", lambda: processes)
            context.setattr(idist, "get_rank", lambda rank=rank: rank)
            batches = DistributedBatchSampler(range(10), batch_size=4, seed=2)
            batches.start_at(epoch, first)
            found.append([set(batch) for batch in batches])
    return found


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_share_the_batches_of_one(processes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    [whole] = shares(1, monkeypatch)
    parts = shares(processes, monkeypatch)
    assert [set().union(*together) for together in zip(*parts, strict=True)] == whole
    assert all(len(part) == 4 // processes for batches in parts for part in batches)


def test_an_epoch_has_every_item_and_is_filled_up_from_its_beginning() -> None:
    batches = list(DistributedBatchSampler(range(10), batch_size=4))
    order = [item for batch in batches for item in batch]
    assert len(order) == 12
    assert sorted(order[:10]) == list(range(10))
    assert order[10:] == order[:2]


def test_few_items_are_repeated_as_often_as_it_takes() -> None:
    [batch] = DistributedBatchSampler(range(3), batch_size=8)
    assert sorted(Counter(batch).values()) == [2, 3, 3]


@pytest.mark.parametrize(("multiple", "expected"), [(1, 3), (2, 4), (5, 5)])
def test_the_number_of_batches_is_a_multiple(multiple: int, expected: int) -> None:
    batches = DistributedBatchSampler(range(10), batch_size=4, multiple=multiple)
    assert len(list(batches)) == len(batches) == expected


def test_an_epoch_can_start_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    [whole], [rest], [other] = (shares(1, monkeypatch, epoch, first) for epoch, first in ((5, 0), (5, 2), (6, 0)))
    assert rest == whole[2:]
    assert other != whole


def test_the_stock_loader_takes_it() -> None:
    data = [{"image": i} for i in range(6)]
    loader = DataLoader(data, batch_sampler=DistributedBatchSampler(data, 3))  # type: ignore[arg-type]
    assert sorted(int(i) for batch in loader for i in batch["image"]) == list(range(6))
    assert len(loader) == 2


@pytest.mark.parametrize("options", [{"data": []}, {"batch_size": 0}, {"multiple": 0}, {"seed": -1}])
def test_bad_numbers_are_named(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected data, a batch_size and a multiple of at least 1"):
        DistributedBatchSampler(**{"data": range(4), "batch_size": 2, **options})  # type: ignore[arg-type]


def test_a_batch_that_cannot_be_shared_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idist, "get_world_size", lambda: 3)
    with pytest.raises(ValueError, match="a batch of 4 cannot be shared equally by 3 processes"):
        DistributedBatchSampler(range(10), batch_size=4)
