# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""The cache on disk, and `LatentDataset` on top of it: kills, several writers, damage, changed clips and weights."""

from __future__ import annotations

import gc
import hashlib
import os
import pickle
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import safetensors.torch
import torch
from monai.data import CacheDataset, DataLoader, MetaTensor, PersistentDataset, ThreadDataLoader
from monai.networks.nets import AutoencoderKL
from monai.transforms import Compose, EnsureTyped
from torch import Tensor, nn
from torch.nn import functional as F

from monai_feat import files
from monai_feat.data import (
    LatentCache,
    LatentCacheError,
    LatentDataset,
    PhantomDataset,
    autoencoder_digest,
    clip_digest,
    tensor_cache,
)
from monai_feat.networks.nets import FrameAutoencoder

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are made by fork")
ENTRY_BYTES = 64  # of the moments that Encoder gives to a clip


class Encoder(nn.Module):
    """Encodes to the clip's means and a weight, and counts."""

    def __init__(self, pause: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(-2.0))
        self._pause, self._calls = pause, 0

    def encode_moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self._calls += 1
        time.sleep(self._pause)
        mean = x.mean(dim=(-2, -1), keepdim=True)
        return mean, self.weight.expand_as(mean)


def clips(count: int) -> Any:
    return [{"image": torch.full((4, 2, 4, 4), float(i)), "source": f"{i}.mp4"} for i in range(count)]


def cached(folder: Path, count: int = 6, encoder: Encoder | None = None) -> LatentDataset:
    return LatentDataset(clips(count), encoder or Encoder(), folder, progress=False)


def assert_right(latents: LatentDataset, log_variance: float = -2.0) -> None:
    for i in range(len(latents)):
        expected = {
            "latent_mean": torch.full((4, 2, 1, 1), float(i)),
            "latent_log_variance": torch.full((4, 2, 1, 1), log_variance),
        }
        torch.testing.assert_close(latents[i], expected, rtol=0, atol=0)


def shards(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.safetensors"))


def entries(path: Path) -> dict[str, Tensor]:
    """Read a shard with another reader, after a check that its name is the hash of its content."""
    content = path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == path.stem
    return safetensors.torch.load(content)


def in_process(work: Callable[[], object]) -> int:
    """Start a process that does some work, and return its id."""
    if pid := os.fork():
        return pid
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def how_it_ended(pid: int) -> int:
    """Wait for a process; return its exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clips to a shard."""
    monkeypatch.setattr(tensor_cache, "SHARD_BYTES", 2 * ENTRY_BYTES)


def test_each_clip_is_encoded_once_for_all_runs(tmp_path: Path) -> None:
    first, second = Encoder(), Encoder()
    assert_right(cached(tmp_path, 5, first))
    assert_right(cached(tmp_path, 6, second))
    assert (first._calls, second._calls) == (5, 1)
    assert [len(entries(path)) for path in shards(tmp_path)] in ([1, 5], [5, 1])


def test_the_disk_gives_what_memory_gives(tmp_path: Path) -> None:
    net = AutoencoderKL(
        2, 1, 1, (1, 1), (4, 4), (False, False), 2, 2,
        with_encoder_nonlocal_attn=False, with_decoder_nonlocal_attn=False,
    )  # fmt: skip
    autoencoder = FrameAutoencoder(net)
    phantoms = PhantomDataset("ultrasound", length=2, size=16, num_frames=2)
    expected = list(LatentDataset(phantoms, autoencoder))  # type: ignore[call-overload]
    for _ in range(2):
        latents = LatentDataset(phantoms, autoencoder, str(tmp_path / "made" / "for me"), progress=False)
        torch.testing.assert_close([latents[0], latents[1]], expected, rtol=0, atol=0)
    assert not latents[0]["latent_mean"].requires_grad


def test_moments_are_kept_and_no_sample(tmp_path: Path) -> None:
    cached(tmp_path, 1)
    (moments,) = entries(shards(tmp_path)[0]).values()
    torch.testing.assert_close(moments, torch.stack([torch.zeros(4, 2, 1, 1), torch.full((4, 2, 1, 1), -2.0)]))


def test_equal_clips_are_kept_once(tmp_path: Path) -> None:
    encoder = Encoder()
    latents = LatentDataset([*clips(2), *clips(2)], encoder, tmp_path, progress=False)  # type: ignore[arg-type]
    assert encoder._calls == 2
    torch.testing.assert_close(latents[3], latents[1])


@pytest.mark.parametrize("workers", [0, 2])
def test_it_feeds_a_loader(tmp_path: Path, workers: int) -> None:
    latents = cached(tmp_path)
    batch = next(iter(DataLoader(latents, batch_size=6, num_workers=workers)))
    assert batch["latent_mean"][:, 0, 0, 0, 0].tolist() == list(range(6))
    assert_right(pickle.loads(pickle.dumps(latents)))


def test_a_bar_tells_the_time_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    LatentDataset(clips(3), Encoder(), tmp_path)
    assert "3/3 [00:" in capsys.readouterr().err


# Kills, and several processes


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_kill_between_any_two_lines_costs_one_shard_at_most(tmp_path: Path, small_shards: None) -> None:
    """The n-th line that a writing process comes to is its last; for every n, the next process goes on."""
    killed = 0
    for n in range(1, 1000):
        folder = tmp_path / str(n)
        ended = how_it_ended(in_process(lambda n=n, folder=folder: _fill_until_killed(folder, n)))
        if ended == 0:
            break
        assert ended == -signal.SIGKILL
        killed += 1
        kept = sum(len(entries(path)) for path in shards(folder))
        assert kept in (0, 1, 2, 3)
        encoder = Encoder()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_right(cached(folder, 3, encoder))
        assert encoder._calls == 3 - kept
    assert killed > 50


_LINES_OF = {tensor_cache.__file__: ("put", "flush", "_index", "_write"), files.__file__: ("replacing",)}


def _fill_until_killed(folder: Path, lines: int) -> None:
    left = lines

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        code = frame.f_code
        if code.co_name not in _LINES_OF.get(code.co_filename, ()):
            return None
        left -= event == "line"
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    cached(folder, 3)


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_writers_share_the_work(tmp_path: Path, small_shards: None) -> None:
    count, writers = 40, 3
    work = [in_process(lambda: assert_right(cached(tmp_path, count, Encoder(pause=0.005)))) for _ in range(writers)]
    assert [how_it_ended(pid) for pid in work] == [0] * writers
    held = [entries(path) for path in shards(tmp_path)]
    assert len(set().union(*held)) == count
    assert count <= sum(map(len, held)) < writers * count
    encoder = Encoder()
    assert_right(cached(tmp_path, count, encoder))
    assert encoder._calls == 0
    assert not list(tmp_path.rglob("*.tmp"))


def test_what_another_process_wrote_is_found(tmp_path: Path) -> None:
    one, other = (LatentCache(tmp_path, Encoder()) for _ in range(2))
    one.add("a", torch.zeros(1), torch.ones(1))
    one.flush()
    assert "a" not in other
    other.refresh()
    assert "a" in other
    assert (len(one), len(other)) == (1, 1)


def test_work_is_kept_when_a_clip_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.SystemRandom.randrange", lambda *_: 0)
    with pytest.raises(KeyError, match="image"):
        LatentDataset([*clips(3), {}], Encoder(), tmp_path, progress=False)  # type: ignore[arg-type]
    encoder = Encoder()
    cached(tmp_path, 3, encoder)
    assert encoder._calls == 0


def test_only_old_leftovers_are_removed(tmp_path: Path) -> None:
    folder = LatentCache(tmp_path, Encoder()).folder
    old, young = folder / ".a.safetensors.1.tmp", folder / ".b.safetensors.2.tmp"
    for path in (old, young):
        path.touch()
    os.utime(old, (0, 0))
    LatentCache(tmp_path, Encoder())
    assert list(folder.iterdir()) == [young]


# Damage


def flip(content: bytes, place: int) -> bytes:
    damaged = bytearray(content)
    damaged[place] ^= 1
    return bytes(damaged)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "a number": lambda content: flip(content, -3),
    "a key": lambda content: flip(content, content.index(b'":{"dtype') - 2),
    "the header": lambda content: flip(content, 8),
    "the header's length": lambda content: flip(content, 7),
    "truncated": lambda content: content[:-1],
    "too long": lambda content: content + b" ",
    "empty": lambda content: b"",
    "text": lambda content: b"no shard at all " * 20,
    "another shard": lambda content: safetensors.torch.save({"x": torch.zeros(3)}),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_shard_is_named_and_rebuilt(tmp_path: Path, small_shards: None, kind: str) -> None:
    cached(tmp_path, 6)
    before = shards(tmp_path)
    broken = before[1]
    broken.write_bytes(DAMAGE[kind](broken.read_bytes()))
    encoder = Encoder()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert_right(cached(tmp_path, 6, encoder))
    assert encoder._calls == 2
    # A shard in place of another holds nothing that anybody asks for: it is written over.
    assert [str(broken) in str(warning.message) for warning in caught] == ([] if kind == "another shard" else [True])
    assert sum(len(entries(path)) for path in shards(tmp_path)) == 6
    again = Encoder()
    assert_right(cached(tmp_path, 6, again))
    assert again._calls == 0


def test_a_shard_that_was_rebuilt_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process replaces the damaged shard by a whole one just before this one would delete it."""
    cached(tmp_path, 2)
    (path,) = shards(tmp_path)
    cache, whole = LatentCache(tmp_path, Encoder()), path.read_bytes()
    path.write_bytes(flip(whole, -1))
    monkeypatch.setattr(warnings, "warn", lambda *_, **__: path.write_bytes(whole))
    assert clip_digest(clips(1)[0]["image"]) not in cache
    assert path.read_bytes() == whole
    cache.refresh()
    assert clip_digest(clips(1)[0]["image"]) in cache


def test_a_deleted_shard_is_encoded_anew_without_a_word(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    cached(tmp_path, 2)
    cache = LatentCache(tmp_path, Encoder())
    shards(tmp_path)[0].unlink()
    assert clip_digest(clips(1)[0]["image"]) not in cache
    assert_right(cached(tmp_path, 2))
    assert not recwarn


# What makes an entry the right one


def test_any_change_of_a_clip_changes_its_hash() -> None:
    clip = torch.rand(3, 2, 4, 5)
    pixel = clip.clone()
    pixel[1, 1, 2, 3] += 1e-6
    others = [clip, pixel, clip.double(), clip.flip(1), clip.reshape(3, 2, 5, 4), clip[:, :1], clip[:, :0], clip.half()]
    assert len({clip_digest(other) for other in others}) == len(others)
    same = [clip.clone(), clip.transpose(1, 2).contiguous().transpose(1, 2), MetaTensor(clip, meta={"source": "b"})]
    assert {clip_digest(other) for other in same} == {clip_digest(clip)}
    assert clip_digest(clip.bfloat16()) != clip_digest(clip)


def autoencoder(groups: int = 2, scale: float = 1.0, channels: int = 4) -> FrameAutoencoder:
    torch.manual_seed(0)
    net = AutoencoderKL(
        2, 1, 1, (1, 1), (channels, 4), (False, False), 2, groups,
        with_encoder_nonlocal_attn=False, with_decoder_nonlocal_attn=False,
    )  # fmt: skip
    return FrameAutoencoder(net, scale_factor=scale)


def test_any_change_of_an_autoencoder_changes_its_hash() -> None:
    trained = autoencoder()
    with torch.no_grad():
        next(trained.parameters())[0, 0, 0, 0] += 1e-6
    unregistered = autoencoder()
    unregistered.table = torch.ones(2)  # type: ignore[assignment]
    others = [
        autoencoder(), trained, autoencoder(groups=4), autoencoder(scale=2.0), autoencoder(channels=8),
        autoencoder().double(), autoencoder().eval(), unregistered, autoencoder().autoencoder, nn.ReLU(), nn.SiLU(),
        nn.Sequential(nn.ReLU(), nn.SiLU()), nn.Sequential(nn.SiLU(), nn.ReLU()),
    ]  # fmt: skip
    assert len({autoencoder_digest(other) for other in others}) == len(others)
    assert autoencoder_digest(autoencoder()) == autoencoder_digest(autoencoder())


def test_the_hash_of_an_autoencoder_is_the_same_everywhere() -> None:
    """By hand: the layout, then each module with its class and settings; no address, no hash of a process."""
    description = repr(("", "torch.nn.modules.linear.Identity", [("activation", "relu"), ("training", True)]))
    network = nn.Identity()
    network.activation = F.relu  # type: ignore[assignment]
    network._private = object()  # type: ignore[assignment]
    by_hand = hashlib.sha256(f"monai-feat latents 1{description}".encode()).hexdigest()
    assert autoencoder_digest(network) == by_hand


def test_a_changed_autoencoder_or_clip_never_hits(tmp_path: Path) -> None:
    cached(tmp_path, 3)
    changed = Encoder()
    with torch.no_grad():
        changed.weight.fill_(-3.0)
    assert_right(cached(tmp_path, 3, changed), log_variance=-3.0)
    assert changed._calls == 3
    data = clips(3)
    data[1]["image"] = data[1]["image"] + 0.5
    encoder = Encoder()
    latents = LatentDataset(data, encoder, tmp_path, progress=False)
    assert encoder._calls == 1
    assert latents[1]["latent_mean"].unique().item() == 1.5


def test_phantoms_are_known_without_rendering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(**changes: Any) -> PhantomDataset:
        return PhantomDataset(**{"kind": "ultrasound", "length": 2, "size": 32, "num_frames": 2, **changes})

    changes = [{}, {"seed": 1}, {"size": 48}, {"num_frames": 3}, {"kind": "endoscopy"}, {"frame_rate": 9.0}]
    keys = [opened(**change).clip_key(i) for change in changes for i in range(2)]
    assert len(set(keys)) == len(keys)
    assert opened(transform=dict).clip_key(0) is None
    first = LatentDataset(opened(), Encoder(), tmp_path, progress=False)
    monkeypatch.setattr(PhantomDataset, "clip", lambda *_: pytest.fail("a clip was rendered"))
    torch.testing.assert_close(LatentDataset(opened(), Encoder(), tmp_path, progress=False)[1], first[1])


# Memory


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="resident memory is read from /proc")
def test_a_shard_is_not_loaded_whole(tmp_path: Path) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    size = 2**17  # 1 MiB for both moments
    cache = LatentCache(tmp_path, Encoder())
    for i in range(15):
        cache.add(str(i), torch.full((size,), float(i)), torch.arange(size, dtype=torch.float32))
    cache.flush()
    assert [path.stat().st_size > 15 * 2**20 for path in shards(tmp_path)] == [True]
    gc.collect()
    before = resident()
    again = LatentCache(tmp_path, Encoder())
    assert "7" in again
    mean, log_variance = again["7"]
    assert (mean.unique().item(), log_variance[-1].item()) == (7.0, size - 1.0)
    assert resident() - before < 8 * 2**20


# MONAI's caches


def test_monai_caches_go_around_it_and_under_it(tmp_path: Path) -> None:
    latents = cached(tmp_path / "latents", 3)
    around = [
        CacheDataset(latents, Compose([]), progress=False),  # type: ignore[arg-type]
        PersistentDataset(latents, Compose([]), tmp_path / "persistent"),  # type: ignore[arg-type]
        PersistentDataset(latents, Compose([]), tmp_path / "persistent"),  # type: ignore[arg-type] # now from the disk
    ]
    for dataset in around:
        (batch,) = ThreadDataLoader(dataset, batch_size=3)
        assert batch["latent_mean"][:, 0, 0, 0, 0].tolist() == [0.0, 1.0, 2.0]
        assert not isinstance(batch["latent_mean"], MetaTensor)
    to_meta = Compose([EnsureTyped("image", track_meta=True)])
    under: list[Any] = [
        CacheDataset(clips(3), to_meta, progress=False),
        PersistentDataset(clips(3), to_meta, tmp_path / "clips"),
        PersistentDataset(clips(3), to_meta, tmp_path / "clips"),
    ]
    for dataset in under:
        encoder = Encoder()
        hit = LatentDataset(dataset, encoder, tmp_path / "latents", progress=False)
        assert_right(hit)
        assert encoder._calls == 0
        assert not isinstance(LatentDataset(dataset, encoder)[0]["latent_mean"], MetaTensor)


def test_monai_caches_take_phantoms(tmp_path: Path) -> None:
    phantoms: Any = PhantomDataset("endoscopy", length=2, size=32, num_frames=2)
    expected = phantoms[1]["image"]
    for _ in range(2):
        item = PersistentDataset(phantoms, Compose([]), tmp_path)[1]
        torch.testing.assert_close(item["image"], expected, rtol=0, atol=0)
    torch.testing.assert_close(CacheDataset(phantoms, Compose([]), progress=False)[1]["image"], expected)


# Errors


def test_an_unknown_clip_is_an_error(tmp_path: Path) -> None:
    cache = LatentCache(tmp_path, Encoder())
    with pytest.raises(KeyError, match=r"holds nothing under 'x'"):
        cache["x"]
    with pytest.raises(IndexError):
        cached(tmp_path, 2)[2]


def test_a_full_disk_is_an_error_that_keeps_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached(tmp_path, 2)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LatentCacheError, match=r"safetensors: not written \(0.0 MiB\): No space left on device"):
        cached(tmp_path, 3)
    monkeypatch.undo()
    assert len(list(tmp_path.rglob("*.*"))) == 1
    assert_right(cached(tmp_path, 2))


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LatentCacheError, match=r"file/[0-9a-f]{32}: cannot be made: Not a directory; choose another"):
        cached(tmp_path / "file")
