# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from monai.data import DataLoader
from monai.networks.nets import AutoencoderKL
from torch import Tensor, nn

from monai_feat.data import ClipIndexDataset, LatentDataset, PhantomDataset
from monai_feat.networks.nets import FrameAutoencoder


class Counting(nn.Module):
    """Encodes to the clip's mean and a constant, and counts."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def encode_moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.calls += 1
        assert not torch.is_grad_enabled()
        return x.mean(dim=(-2, -1), keepdim=True), torch.full_like(x[..., :1, :1], -2.0)


def clips(count: int) -> list[dict[str, Any]]:
    return [{"image": torch.full((1, 2, 4, 4), float(i)), "source": f"{i}.mp4"} for i in range(count)]


def test_each_clip_is_encoded_once() -> None:
    encoder = Counting()
    latents = LatentDataset(clips(3), encoder)  # type: ignore[arg-type]
    assert encoder.calls == 0
    for _ in range(3):
        for batch in DataLoader(latents, batch_size=2, shuffle=True):
            assert sorted(batch) == ["latent_log_variance", "latent_mean"]
    assert encoder.calls == len(latents) == 3


def test_items_are_moments_and_not_samples() -> None:
    net = AutoencoderKL(
        2, 1, 1, (1, 1), (4, 4), (False, False), 2, 2,
        with_encoder_nonlocal_attn=False, with_decoder_nonlocal_attn=False,
    )  # fmt: skip
    autoencoder = FrameAutoencoder(net, scale_factor=3.0)
    phantoms = PhantomDataset("ultrasound", length=2, size=16, num_frames=2)
    item = LatentDataset(phantoms, autoencoder)[1]
    mean, log_variance = autoencoder.encode_moments(phantoms[1]["image"][None])
    torch.testing.assert_close(item, {"latent_mean": mean[0], "latent_log_variance": log_variance[0]})
    assert not any(moment.requires_grad for moment in item.values())
    again = LatentDataset(phantoms, autoencoder)[1]
    torch.testing.assert_close(item, again, rtol=0, atol=0)


def test_hands_out_what_conditions_need() -> None:
    phantoms = PhantomDataset("ultrasound", length=2, size=16, num_frames=2)
    kept = LatentDataset(phantoms, Counting(), keep=["ejection_fraction", "label"])
    plain = LatentDataset(phantoms, Counting())
    for index in range(2):
        item, truth = kept[index], phantoms[index]
        assert item["ejection_fraction"].item() == pytest.approx(truth["attributes"]["ejection_fraction"])
        assert torch.equal(item["label"], truth["label"])
        torch.testing.assert_close(item["latent_mean"], plain[index]["latent_mean"], rtol=0, atol=0)
    assert kept.autoencoder.calls == 2
    batch = next(iter(DataLoader(kept, batch_size=2)))
    assert batch["ejection_fraction"].shape == (2,)
    assert batch["ejection_fraction"].dtype == torch.float32


def test_a_cache_on_disk_reads_no_clip_for_its_attributes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    phantoms = PhantomDataset("ultrasound", length=2, size=16, num_frames=2)
    options = {"cache_dir": tmp_path, "progress": False, "keep": ["ejection_fraction"]}
    first = [LatentDataset(phantoms, Counting(), **options)[index] for index in range(2)]  # type: ignore[arg-type]
    monkeypatch.setattr(PhantomDataset, "__getitem__", lambda *_: pytest.fail("a clip was rendered"))
    again = LatentDataset(phantoms, Counting(), **options)  # type: ignore[arg-type]
    torch.testing.assert_close([again[index] for index in range(2)], first, rtol=0, atol=0)


def test_what_clips_do_not_have_is_named() -> None:
    with pytest.raises(ValueError, match="clips have no age; they have image, source"):
        LatentDataset(clips(1), Counting(), keep=["source", "age"])[0]  # type: ignore[arg-type]


def test_asking_beyond_the_end_is_the_data_sets_error() -> None:
    with pytest.raises(IndexError):
        LatentDataset(clips(2), Counting())[2]  # type: ignore[arg-type]


def test_indices_start_at_the_first() -> None:
    batches = [batch["image"].tolist() for batch in DataLoader(ClipIndexDataset(5, first=7), batch_size=3)]
    assert batches == [[7, 8, 9], [10, 11]]
    assert [item["image"].item() for item in ClipIndexDataset(2)] == [0, 1]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("num_clips", "first"), [(-1, 0), (1, -1)])
def test_refuses_negative_numbers(num_clips: int, first: int) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        ClipIndexDataset(num_clips, first)


def test_an_index_outside_is_an_error() -> None:
    with pytest.raises(IndexError, match="index 3 is outside 0 … 2"):
        ClipIndexDataset(3)[3]


def test_shares_have_every_clip_once_whatever_is_there_already() -> None:
    done: list[set[int]] = [{3}, set(), {5}]  # what each process finds in the folder when it looks
    shares = [ClipIndexDataset(7, first=3, without=without, share=(part, 3)) for part, without in enumerate(done)]
    assert sorted(index for share in shares for index in share.indices) == [4, 6, 7, 8, 9]
    with pytest.raises(ValueError, match=r"expected a share \(p, P\) with 0 <= p < P, got \(2, 2\)"):
        ClipIndexDataset(3, share=(2, 2))
