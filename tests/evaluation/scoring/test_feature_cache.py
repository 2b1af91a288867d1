# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed, multiprocessing

from evaluation.reading.clips import ClipSet, cut_windows
from evaluation.reading.sources import SourceOptions, open_side
from evaluation.scoring.feature_cache import extract_features, identity_digest
from monai_feat.data import VideoReadError
from monai_feat.metrics.features import FeatureNetwork

WriteClips = Callable[..., Path]
OPTIONS = SourceOptions(num_frames=4)


class Moments(FeatureNetwork):
    """Mean and deviation of clips, or of their frames; counts what it was given."""

    num_features = 2

    def __init__(self, name: str = "moments", takes: str = "clips") -> None:
        super().__init__()
        self.name, self.takes, self.seen = name, takes, 0  # type: ignore[assignment]

    @property
    def identity(self) -> dict[str, str | int | float | bool]:
        return {"name": self.name}

    def forward(self, pixels: Tensor) -> Tensor:
        self.seen += len(pixels)
        flat = pixels.float().flatten(1)
        return torch.stack([flat.mean(dim=1), flat.std(dim=1)], dim=1)


def opened(folder: Path, rule: str = "first") -> ClipSet:
    side = open_side("REAL", str(folder), OPTIONS)
    return ClipSet(side, cut_windows(side, rule, OPTIONS), (32, 32), channels=3)  # type: ignore[arg-type]


@pytest.fixture
def clips(write_clips: WriteClips) -> ClipSet:
    return opened(write_clips("clips", 7, frames=10))


def test_features_are_those_of_the_network(clips: ClipSet, tmp_path: Path) -> None:
    of_clips, of_frames = Moments(), Moments("frames", takes="frames")
    found = extract_features(clips, [of_clips, of_frames], tmp_path, batch_size=3, progress=False)
    stacked = torch.stack(list(clips))
    sample = found.samples["moments"]
    torch.testing.assert_close(sample.features, Moments()(stacked).double())
    assert sample.groups == clips.groups
    frames = found.samples["frames"]
    torch.testing.assert_close(frames.features, Moments()(stacked.transpose(1, 2).flatten(0, 1)))
    assert list(frames.groups) == [group for group in clips.groups for _ in range(4)]


def test_windows_of_any_length_for_networks_of_frames(write_clips: WriteClips, tmp_path: Path) -> None:
    every = opened(write_clips("clips", 3, frames=10), "every")
    found = extract_features(every, [Moments("frames", takes="frames")], tmp_path, progress=False)
    assert len(found.samples["frames"]) == 30


def test_nothing_is_computed_twice(clips: ClipSet, tmp_path: Path) -> None:
    first, second, other = Moments(), Moments(), Moments("other")
    before = extract_features(clips, [first], tmp_path, progress=False)
    after = extract_features(clips, [second, other], tmp_path, progress=False)
    assert (first.seen, second.seen, other.seen) == (7, 0, 7)
    assert torch.equal(before.samples["moments"].features, after.samples["moments"].features)
    assert identity_digest(first) == identity_digest(second) != identity_digest(other)


def test_a_killed_run_goes_on_where_it_was(clips: ClipSet, tmp_path: Path) -> None:
    class Dying(Moments):
        def forward(self, pixels: Tensor) -> Tensor:
            if self.seen >= 4:
                raise RuntimeError("killed")
            return super().forward(pixels)

    with pytest.raises(RuntimeError, match="killed"):
        extract_features(clips, [Dying()], tmp_path, batch_size=2, progress=False)
    rest = Moments()
    found = extract_features(clips, [rest], tmp_path, progress=False)
    assert rest.seen == 3
    torch.testing.assert_close(found.samples["moments"].features, Moments()(torch.stack(list(clips))).double())


def test_what_a_network_must_not_return(clips: ClipSet, tmp_path: Path) -> None:
    class Three(Moments):
        def forward(self, pixels: Tensor) -> Tensor:
            return super().forward(pixels)[None]

    class Nan(Moments):
        def forward(self, pixels: Tensor) -> Tensor:
            features = super().forward(pixels)
            features[1] = torch.nan
            return features

    with pytest.raises(ValueError, match=r"network three: expected features \(N, D\).*got shape \(1, 7, 2\)"):
        extract_features(clips, [Three("three")], tmp_path, progress=False)
    with pytest.raises(ValueError, match=rf"features of 1 of 7 inputs are NaN.*clips: {clips.names[1]}$"):
        extract_features(clips, [Nan("nan")], tmp_path, progress=False)


def test_a_network_that_takes_other_clips(clips: ClipSet, tmp_path: Path) -> None:
    network = Moments()
    network.num_frames = 16
    with pytest.raises(ValueError, match=r"takes clips of 16 frames, these have 4: use --num-frames 16"):
        extract_features(clips, [network], tmp_path, progress=False)


def test_a_clip_that_cannot_be_decoded(clips: ClipSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare = ClipSet._prepare

    def failing(self: ClipSet, window: object) -> Tensor:
        if window.recording == 2:  # type: ignore[attr-defined]
            raise VideoReadError("c.mp4", "is damaged")
        return prepare(self, window)  # type: ignore[arg-type]

    monkeypatch.setattr(ClipSet, "_prepare", failing)
    with pytest.raises(VideoReadError, match=r"c\.mp4: is damaged"):
        extract_features(clips, [Moments()], tmp_path / "a", progress=False)
    found = extract_features(clips, [Moments()], tmp_path / "b", skip_bad=True, progress=False)
    assert found.bad == {2: "c.mp4: is damaged"}
    assert len(found.samples["moments"]) == len(found.digests) == 6


def _extract_as(rank: int, folder: Path, cache: Path, results: Path, fails: bool) -> None:
    distributed.init_process_group("gloo", init_method=f"file://{results}/meet{fails}", rank=rank, world_size=2)
    network = Moments()
    if fails and rank == 1:
        network.num_frames = 16
    try:
        found = extract_features(opened(folder), [network], cache, progress=False)
        torch.save((network.seen, found.samples["moments"].features), results / f"{rank}.pt")
    except ValueError as error:
        (results / f"{rank}.txt").write_text(str(error))
    distributed.destroy_process_group()


def test_two_processes_share_the_work_and_the_errors(write_clips: WriteClips, tmp_path: Path) -> None:
    folder, cache, results = write_clips("clips", 7), tmp_path / "cache", tmp_path / "results"
    results.mkdir()
    multiprocessing.spawn(_extract_as, args=(folder, cache, results, False), nprocs=2)  # type: ignore[no-untyped-call]
    (seen_0, features_0), (seen_1, features_1) = (torch.load(results / f"{rank}.pt") for rank in (0, 1))
    assert (seen_0, seen_1) == (4, 3)
    assert torch.equal(features_0, features_1)
    torch.testing.assert_close(features_0, Moments()(torch.stack(list(opened(folder)))).double())
    multiprocessing.spawn(_extract_as, args=(folder, cache, results, True), nprocs=2)  # type: ignore[no-untyped-call]
    assert all("--num-frames 16" in (results / f"{rank}.txt").read_text() for rank in (0, 1))
