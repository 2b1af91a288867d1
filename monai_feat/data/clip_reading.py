# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Reads planned clips, from a cache where they are, with as many processes as there are cores."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Generator, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from monai_feat.data.clip_masks import MaskFile
from monai_feat.data.clip_plan import ClipPlan
from monai_feat.data.frame_cache import FrameCache
from monai_feat.data.frame_preparation import FramePreparation
from monai_feat.data.readers.load import open_clip

__all__ = ["ClipReader", "ReadClips"]

FILES_PER_PROCESS = 8  # a process that reads fewer is not worth its start


class ReadClips(NamedTuple):
    """The clips of one file.

    Attributes:
        clips: uint8 ``(K, C, T, H, W)``.
        mask_reading: how its mask was read, see `MaskReadings`; None where it has none.
        fresh: prepared frames that were not in the cache, by key.
    """

    clips: Tensor
    mask_reading: str | None
    fresh: dict[str, Tensor]


class ClipReader:
    """Reads the clips of files.

    Args:
        preparation: what is done to frames.
        cache: where prepared frames are looked for and kept; None for nowhere.
    """

    def __init__(self, preparation: FramePreparation, cache: FrameCache | None = None) -> None:
        self.preparation, self.cache = preparation, cache

    def read_all(self, plans: Sequence[ClipPlan]) -> Generator[ReadClips | Exception, None, None]:
        """Yield the clips of each file in order, or what went wrong with it.

        Files are read ahead by processes of their own where there are enough of them. What was read stays in the cache
        when the caller stops half-way.
        """
        try:
            for result in self._results(plans):
                if self.cache is not None and isinstance(result, ReadClips):
                    self.cache.put(result.fresh)
                yield result
        finally:
            if self.cache is not None:
                self.cache.close()

    def read(self, plan: ClipPlan) -> ReadClips:
        """Read the clips of one file.

        Raises:
            VideoReadError: the file or its mask cannot be read.
            Exception: of preprocessing.
        """
        channels, *size = self.preparation.shape
        clips = torch.empty(len(plan.windows), channels, plan.windows.shape[1], *size, dtype=torch.uint8)
        mask = self._mask(plan)
        fresh: dict[str, Tensor] = {}
        for part in self.preparation.parts(plan.windows, plan.size):
            wanted = plan.windows[part].unique()  # sorted
            frames = self._frames(plan, mask, wanted.tolist(), fresh)
            clips[part] = frames[:, torch.searchsorted(wanted, plan.windows[part])].movedim(0, 1)
        return ReadClips(clips, None if mask is None else mask.reading.how, fresh)

    def _mask(self, plan: ClipPlan) -> MaskFile | None:
        if plan.mask is None or not self.preparation.label_channels:
            return None
        return MaskFile(plan.mask, open_clip(plan.path), self.preparation.label_channels, self.preparation.legend)

    def _frames(self, plan: ClipPlan, mask: MaskFile | None, wanted: Sequence[int], fresh: dict[str, Tensor]) -> Tensor:
        key = None if self.cache is None else self.cache.key(plan.path, plan.mask, wanted)
        kept = None if self.cache is None else self.cache.get(key)
        if kept is not None:
            return kept
        prepared = self.preparation.prepare(open_clip(plan.path), mask, wanted)
        if key is not None:
            fresh[key] = prepared
        return prepared

    def _results(self, plans: Sequence[ClipPlan]) -> Iterator[ReadClips | Exception]:
        readings = _Readings(self, plans)
        processes = _processes(len(plans))
        if processes < 2:
            yield from (readings[i] for i in range(len(plans)))
            return
        loader = DataLoader(
            readings,
            batch_size=None,
            collate_fn=_as_it_is,
            num_workers=processes,
            multiprocessing_context="fork",  # a start that imports everything again takes longer than most readings
        )
        for pickled in loader:
            yield pickle.loads(pickled)


class _Readings(Dataset[Any]):
    """The readings of files, as data that a loader's workers fetch; errors are values, so that all others come through.

    In a worker they are bytes: tensors would each take a descriptor and shared memory.
    """

    def __init__(self, reader: ClipReader, plans: Sequence[ClipPlan]) -> None:
        self.reader, self.plans = reader, plans

    def __len__(self) -> int:
        return len(self.plans)

    def __getitem__(self, index: int) -> Any:
        try:
            result: ReadClips | Exception = self.reader.read(self.plans[index])
        except Exception as error:
            result = error
        return result if torch.utils.data.get_worker_info() is None else _pickled(result)


def _pickled(result: ReadClips | Exception) -> bytes:
    if isinstance(result, ReadClips):
        return pickle.dumps(result)
    try:
        content = pickle.dumps(result)
        pickle.loads(content)
    except Exception:  # an error of another library that cannot be rebuilt
        return pickle.dumps(RuntimeError(str(result)))
    return content


def _as_it_is(item: Any) -> Any:
    return item


def _processes(num_files: int) -> int:
    """How many processes read: one for each core that this one may use, as far as there is work for them."""
    if "fork" not in multiprocessing.get_all_start_methods() or multiprocessing.current_process().daemon:
        return 1
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return min(cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1")), num_files // FILES_PER_PROCESS)
