# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A diffusion bundle as a generator: trained on the training patients of one fold, then sampled.

Masks come with the clips in one of two ways. Either the bundle makes them too, as further channels of a clip; or they
are those of the training clips, and the bundle is asked for images that show them.
"""

from __future__ import annotations

from pathlib import Path

import torch

from monai_feat.data import ClipItem, load_clip
from monai_feat.files import write_json
from monai_feat.networks.nets import FrameAutoencoder
from monai_feat.transforms.functional import to_uint8, to_unit_range
from monai_feat.transforms.labels import join_labels, split_labels

from ..clips import write_clip, write_mask
from ..study import StudyError
from .bundle_run import BundleRun
from .known import SYNTHETIC
from .request import Request

__all__ = ["reconstruct", "sample_trained", "train_and_ask_for_masks", "train_and_sample"]

_FRAME_RATE = 10.0  # Hz; nothing reads it
_NAMED = 10


def train_and_sample(request: Request) -> list[ClipItem]:
    """Train the autoencoder and FEAT on the training clips alone, masks among their channels, and sample both.

    Raises:
        StudyError: a command of the bundle failed.
    """
    bundle = BundleRun(request, request.data.num_classes)
    bundle.train()
    bundle.sample()
    return _sampled_items(request)


def sample_trained(request: Request) -> list[ClipItem]:
    """Sample from weights that are there; who trained them has been checked, see `splits.check_generator_groups`.

    Raises:
        StudyError: the bundle's command failed.
    """
    BundleRun(request, request.data.num_classes).sample()
    return _sampled_items(request)


def train_and_ask_for_masks(request: Request) -> list[ClipItem]:
    """Train on the training clips alone, and ask for images that show masks of these clips.

    Clips take the masks of the training clips in turn; every second time round these are mirrored from left to right,
    so that none is asked for twice before both have come.

    Raises:
        StudyError: a command of the bundle failed.
    """
    classes = request.data.num_classes
    condition = {"_target_": "monai_feat.conditions.MaskCondition", "name": "label", "num_labels": classes}
    bundle = BundleRun(request)
    bundle.train(conditions=[condition])
    masks = [str(_asked_mask(request, i)) for i in range(request.num_clips)]
    write_json(prompts := request.folder / "prompts.json", {"prompts": {"label": masks}})  # too long for a command line
    bundle.sample(prompts, guidance_scale=request.generator.guidance_scale)
    return _sampled_items(request)


@torch.no_grad()
def reconstruct(request: Request) -> list[ClipItem]:
    """Send the training clips through the generator's autoencoder, and with them the masks that it takes."""
    autoencoder = FrameAutoencoder.from_pretrained(BundleRun(request).weights[0])
    classes = autoencoder.clips.label_channels
    written = []
    for i, item in enumerate(request.train):
        assert item.label is not None
        image, given = to_unit_range(load_clip(item.image).as_tensor()), load_clip(item.label).as_tensor()
        clip = join_labels(image, given, classes) if classes else image
        decoded = autoencoder.decode(autoencoder.encode(clip[None]))[0]
        decoded, label = split_labels(decoded, classes) if classes else (decoded, given)
        stem = request.folder / "reconstructed" / f"clip_{i:06d}"
        written.append(
            write_clip(ClipItem(stem, group=item.group, flags=SYNTHETIC), to_uint8(decoded), label, stem, _FRAME_RATE)
        )
    return written


def _asked_mask(request: Request, i: int) -> Path:
    """Write the mask that a clip is asked to show, where it will lie beside the clip."""
    turn, nth = divmod(i, len(request.train))
    label = request.train[nth].label
    assert label is not None
    mask = load_clip(label).as_tensor()
    stem = request.stem(i)
    stem.parent.mkdir(parents=True, exist_ok=True)
    return write_mask(mask.flip(-1) if turn % 2 else mask, stem.with_name(f"{stem.name}_label.nii.gz"))


def _sampled_items(request: Request) -> list[ClipItem]:
    stems = [request.stem(i) for i in range(request.num_clips)]
    files = [tuple(stem.with_name(f"{stem.name}{end}.nii.gz") for end in ("", "_label")) for stem in stems]
    if missing := [image.name for image, label in files if not (image.is_file() and label.is_file())]:
        raise StudyError(f"{stems[0].parent}: the bundle has not sampled {', '.join(missing[:_NAMED])}")
    return [ClipItem(image, label, flags=SYNTHETIC) for image, label in files]
