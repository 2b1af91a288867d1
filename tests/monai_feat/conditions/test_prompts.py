# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from monai.networks.nets import AutoencoderKL
from torch import Tensor

from monai_feat.conditions import ClassCondition, Condition, FirstFramesCondition, MaskCondition, ScalarCondition
from monai_feat.conditions.prompts import PromptPrepareBatch
from monai_feat.data import NiftiClipWriter, VideoReadError, open_clips, read_video, write_mp4, write_phantoms
from monai_feat.networks.nets import FrameAutoencoder
from monai_feat.transforms.labels import UNKNOWN_LABEL

CONDITIONS: list[Condition] = [
    ClassCondition("view", 3),
    ScalarCondition("fraction", 0.2, 0.8),
    FirstFramesCondition(max_frames=3),
    MaskCondition(),
]


def autoencoder_of(channels: int) -> FrameAutoencoder:
    net = AutoencoderKL(
        2, channels, channels, (1, 1), (4, 4), (False, False), 2, 2,
        with_encoder_nonlocal_attn=False, with_decoder_nonlocal_attn=False,
    )  # fmt: skip
    return FrameAutoencoder(net, scale_factor=3.0)


def prepare(
    prompts: dict[str, Any], conditions: Any = CONDITIONS, labels: int = 0, channels: int = 1, num_clips: int = 1
) -> PromptPrepareBatch:
    autoencoder = autoencoder_of(channels + labels)
    return PromptPrepareBatch(conditions, prompts, autoencoder, num_frames=4, frame_size=16, image_channels=channels,
                              label_channels=labels, num_clips=num_clips)  # fmt: skip


def context_of(prompts: dict[str, Any], *indices: int) -> dict[str, Tensor]:
    found, target, args, kwargs = prepare(prompts)({"image": torch.tensor(indices)}, "cpu")
    assert (found.tolist(), target, args) == (list(indices), None, ())
    context: dict[str, Tensor] = kwargs["conditioning"]
    return context


def nifti(path: Path, clip: Tensor) -> str:
    writer = NiftiClipWriter()
    writer.set_data_array(clip)
    writer.set_metadata({"frame_rate": 10.0})
    writer.write(path)
    return str(path)


def test_clips_take_turns_by_their_index() -> None:
    context = context_of({"fraction": [0.3, 0.5, 0.7], "view": 2}, 3, 4, 8)
    torch.testing.assert_close(context["fraction"], torch.tensor([0.3, 0.5, 0.7]))
    assert context["view"].tolist() == [2, 2, 2]
    assert context_of({"fraction": [0.3, -1]}, 1)["fraction"].tolist() == [-1]


def test_nothing_asked_is_no_context() -> None:
    assert prepare({})({"image": torch.tensor([1])})[3] == {"conditioning": None}
    assert prepare({}, conditions=[])({"image": torch.tensor([1])})[3] == {"conditioning": None}


def test_first_frames_are_encoded(tmp_path: Path) -> None:
    clip = torch.randint(0, 256, (1, 5, 16, 16), dtype=torch.uint8)
    long, short = nifti(tmp_path / "long.nii.gz", clip), nifti(tmp_path / "short.nii.gz", clip[:, :2])
    step = prepare({"first_frames": [long, short]})
    frames = step({"image": torch.tensor([0, 1])})[3]["conditioning"]["first_frames"]
    expected = step.autoencoder.encode(clip[None].float() / 127.5 - 1)
    torch.testing.assert_close(frames[0], expected[0, :, :3])
    torch.testing.assert_close(frames[1, :, :2], expected[0, :, :2])
    assert bool((frames[1, :, 2] == -1).all())


def test_colour_becomes_grey_and_masks_unknown(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_mp4(torch.randint(0, 256, (3, 4, 16, 16), dtype=torch.uint8), path, 10)
    step = prepare({"first_frames": str(path)}, labels=2)
    (frames,) = step({"image": torch.tensor([0])})[3]["conditioning"].values()
    red, green, blue = read_video(path)[:, :3].float()
    grey = (0.299 * red + 0.587 * green + 0.114 * blue).round() / 127.5 - 1
    unlabelled = torch.stack((grey, torch.zeros_like(grey), torch.zeros_like(grey)))
    torch.testing.assert_close(frames, step.autoencoder.encode(unlabelled[None]), atol=1e-4, rtol=1e-4)


def test_grey_becomes_colour(tmp_path: Path) -> None:
    clip = torch.randint(0, 256, (1, 3, 16, 16), dtype=torch.uint8)
    step = prepare({"first_frames": nifti(tmp_path / "grey.nii.gz", clip)}, channels=3)
    (frames,) = step({"image": torch.tensor([0])})[3]["conditioning"].values()
    expected = step.autoencoder.encode(clip.repeat(3, 1, 1, 1)[None].float() / 127.5 - 1)
    torch.testing.assert_close(frames, expected, atol=1e-4, rtol=1e-4)


def test_masks_are_read(tmp_path: Path) -> None:
    masks = torch.randint(0, 2, (1, 6, 16, 16), dtype=torch.uint8)
    masks[0, 0, 0] = UNKNOWN_LABEL
    context = context_of({"label": nifti(tmp_path / "mask.nii.gz", masks)}, 0, 1)
    expected = masks.short()
    expected[0, 0, 0] = -1
    assert torch.equal(context["label"], expected[None, :, :4].expand(2, -1, -1, -1, -1))


def test_a_source_gives_the_mask_of_each_of_its_clips(tmp_path: Path) -> None:
    write_phantoms("ultrasound", tmp_path, 3, 3, size=32, num_frames=4, num_folds=2, progress=False)
    step, turns = prepare({"label": str(tmp_path)}), torch.tensor([0, 1, 2, 3])
    masks = step({"image": turns})[3]["conditioning"]["label"]
    clips = open_clips(tmp_path, 3, 4, 16, 1, mask_classes=2)
    assert torch.equal(masks, torch.stack([clips[i]["label"] for i in (0, 1, 2, 0)]).short())
    assert torch.equal(step.asked_masks(turns), masks.to(torch.uint8))  # type: ignore[arg-type]
    assert prepare({"fraction": 0.3}).asked_masks(turns) is None


def test_procedural_masks_depend_on_the_index_alone() -> None:
    few, many = (prepare({"label": "phantom:ultrasound"}, num_clips=count) for count in (2, 4))
    assert torch.equal(few.values["label"], many.values["label"][:2])
    assert few.values["label"].shape == (2, 1, 4, 16, 16)


def test_what_is_not_asked_of_a_mask_is_unknown(tmp_path: Path) -> None:
    masks = torch.zeros(1, 4, 16, 16, dtype=torch.uint8)
    masks[0, 1, 2] = UNKNOWN_LABEL
    asked = prepare({"label": nifti(tmp_path / "mask.nii.gz", masks)}).asked_masks(torch.tensor([5]))
    assert torch.equal(asked, masks[None])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("prompts", "message"),
    [
        ({"age": 3, "fraction": 0.3}, r"age: not what this network was trained for; it takes view \(a class from 0"),
        ({"fraction": 0.9}, "fraction: 0.9 was asked for; it takes a number from 0.2 to 0.8, or -1 for none"),
        ({"view": [0, 3]}, "view: 3 was asked for; it takes a class from 0 to 2, or -1 for none"),
        ({"view": "apical"}, "view: expected a number, got 'apical'; it takes a class from 0 to 2"),
        ({"view": []}, "view: the list of values is empty"),
        ({"first_frames": 3}, "first_frames: expected a file, got 3; it takes 1 to 3 frames"),
    ],
)
def test_impossible_prompts_are_named(prompts: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prepare(prompts)


def test_an_unconditional_network_takes_nothing() -> None:
    with pytest.raises(ValueError, match="fraction: not what this network was trained for; it takes nothing"):
        prepare({"fraction": 0.3}, conditions=[])


def test_files_of_another_size_are_named(tmp_path: Path) -> None:
    clip = torch.zeros(1, 3, 16, 16, dtype=torch.uint8)
    wide, short = nifti(tmp_path / "wide.nii.gz", clip.repeat(1, 1, 1, 2)), nifti(tmp_path / "short.nii.gz", clip)
    with pytest.raises(ValueError, match=r"frames of 16×32 pixels, and clips of 16×16 are sampled; resize it, or set"):
        prepare({"first_frames": wide})
    with pytest.raises(ValueError, match="has 3 frames; each of the 4 needs a mask"):
        prepare({"label": short})
    with pytest.raises(ValueError, match="label: 7 was asked for; it takes masks with labels from 0 to 1"):
        prepare({"label": nifti(tmp_path / "seven.nii.gz", clip.repeat(1, 2, 1, 1) + 7)})
    with pytest.raises(VideoReadError):
        prepare({"first_frames": str(tmp_path / "absent.mp4")})
