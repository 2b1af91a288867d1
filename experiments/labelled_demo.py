# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips with masks: train the labelled model on procedural clips, sample from it, and measure whether the masks fit.

A segmenter, which has seen real procedural clips only, judges: its masks of the sampled images are compared with the
sampled masks. The autoencoder and FEAT start from the shipped weights, which know no masks. All of it takes less than
15 minutes on 2 CPU cores:

    python -m experiments.labelled_demo --modality ultrasound --out runs/labelled
    python -m experiments.labelled_demo --from-scratch                  # without the shipped weights

The folder gets ``samples`` (clips, masks, contact sheet), ``report.json`` and the weights of all networks.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from monai.losses import DiceCELoss
from monai.metrics import compute_dice
from monai.networks.nets import UNet
from monai.networks.utils import one_hot
from torch import Tensor, nn

from monai_feat.apps.recipe import FINE_TUNING_RATE, Recipe
from monai_feat.checkpoints import load_checkpoint, save_checkpoint, widen_autoencoder
from monai_feat.data import PHANTOMS, PhantomDataset, load_clip
from monai_feat.files import write_json
from monai_feat.metrics import MaskTemporalIoU
from monai_feat.transforms.functional import to_unit_range
from monai_feat.visualize import save_contact_sheet

CLASSES = 2  # background and structure
AUTOENCODER_TUNING_RATE = 0.001
HELD_OUT_SEED, SEGMENTER_SEED = 1_000_003, 2_000_003  # neither meets the clips of the generator, whose seed is 0


@dataclass(frozen=True)
class Budget:
    """How much is done; the default takes less than 15 minutes on 2 CPU cores.

    Attributes:
        segmenter_steps: steps of the segmenter's training.
        autoencoder_seconds: training of the labelled autoencoder.
        feat_seconds: training of FEAT.
        num_training_clips: clips that FEAT is trained on.
        num_clips: sampled clips, and real ones to compare with.
        num_sampling_steps: steps of the sampler.
    """

    segmenter_steps: int = 300
    autoencoder_seconds: float = 120
    feat_seconds: float = 450
    num_training_clips: int = 600
    num_clips: int = 64
    num_sampling_steps: int = 10


@dataclass(frozen=True)
class Agreement:
    """How well masks fit images, by the segmenter, and how steady they are in time.

    Attributes:
        dice: mean Dice over clips, of the clips' masks with the segmenter's; clips where both are empty are left out.
        dice_std: standard deviation over these clips.
        worst_dice: of the worst clip.
        scored: number of these clips.
        both_empty: number of clips that both leave empty.
        shuffled_dice: the same mean, with each image given the mask of another clip: what chance alone would reach.
        temporal_iou: mean IoU of the masks of neighbouring frames.
    """

    dice: float
    dice_std: float
    worst_dice: float
    scored: int
    both_empty: int
    shuffled_dice: float
    temporal_iou: float


def make_segmenter(channels: int) -> UNet:
    """Build a small U-Net for single frames ``(N, C, H, W)``."""
    return UNet(2, channels, CLASSES, channels=(16, 32, 64), strides=(2, 2), num_res_units=1)


def train_segmenter(modality: str, size: int, steps: int, batch_size: int = 16) -> nn.Module:
    """Train a segmenter on frames of real procedural clips, each seen once.

    It is given steps, not seconds, so that the judge is the same on every machine.
    """
    torch.manual_seed(SEGMENTER_SEED)
    clips = PhantomDataset(modality, steps * batch_size, SEGMENTER_SEED, size, num_frames=1)
    segmenter = make_segmenter(len(clips[0]["image"]))
    loss_function = DiceCELoss(to_onehot_y=True, softmax=True, batch=True)
    optimizer = torch.optim.AdamW(segmenter.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, steps)
    for step in range(steps):
        items = [clips[step * batch_size + i] for i in range(batch_size)]
        images, labels = (torch.stack([item[key][:, 0] for item in items]) for key in ("image", "label"))
        optimizer.zero_grad()
        loss_function(segmenter(images), labels).backward()
        optimizer.step()
        schedule.step()
    return segmenter.eval()


@torch.no_grad()
def segment(segmenter: nn.Module, images: Tensor) -> Tensor:
    """Segment clips ``(N, C, T, H, W)`` in [-1, 1] frame by frame: uint8 ``(N, 1, T, H, W)``."""
    classes = [segmenter(clip.transpose(0, 1)).argmax(1) for clip in images]  # (T, H, W) each
    return torch.stack(classes)[:, None].to(torch.uint8)


def clip_dice(first: Tensor, second: Tensor) -> Tensor:
    """Dice of the structures in masks ``(N, 1, T, H, W)``, over all frames of a clip; NaN where both are empty."""
    dice = compute_dice(one_hot(first, CLASSES), one_hot(second, CLASSES), include_background=False, ignore_empty=False)
    neither = ~((first > 0) | (second > 0)).flatten(1).any(1)
    return dice[:, 0].masked_fill(neither, torch.nan)


def agree(images: Tensor, labels: Tensor, segmenter: nn.Module) -> Agreement:
    """Compare the masks of clips with those that a segmenter finds in their images."""
    found = segment(segmenter, images)
    dice = clip_dice(found, labels)
    scored = dice[~dice.isnan()]
    steadiness = MaskTemporalIoU()
    steadiness.update(labels)
    return Agreement(
        dice=scored.mean().item(),
        dice_std=scored.std().item(),
        worst_dice=scored.min().item() if len(scored) else torch.nan,
        scored=len(scored),
        both_empty=len(dice) - len(scored),
        shuffled_dice=clip_dice(found, labels.roll(1, 0)).nanmean().item(),
        temporal_iou=steadiness.compute().item(),
    )


def train_and_sample(recipe: Recipe, budget: Budget) -> Path:
    """Train the labelled autoencoder, FEAT in its latent space, and sample clips with masks; return their folder."""
    common = {"dataset_dir": recipe.source, "label_channels": CLASSES}
    start = None if recipe.from_scratch else widen_shipped_autoencoder(recipe)
    recipe.run(
        "train_autoencoder",
        **common,
        output_dir=str(recipe.output / "autoencoder"),
        max_seconds=budget.autoencoder_seconds,
        learning_rate=AUTOENCODER_TUNING_RATE if start else None,
        autoencoder_weights=start,
    )
    weights = str(recipe.output / "autoencoder" / "autoencoder.safetensors")
    recipe.run(
        "train",
        **common,
        output_dir=str(recipe.output / "feat"),
        num_clips=budget.num_training_clips,
        max_epochs=1000,
        max_seconds=budget.feat_seconds,
        val_interval=1000,
        learning_rate=FINE_TUNING_RATE if start else None,
        autoencoder_weights=weights,
        network_weights=recipe.start_weights("feat"),
    )
    recipe.run(
        "inference",
        **common,
        output_dir=str(recipe.output / "samples"),
        output_format="nifti",
        num_clips=budget.num_clips,
        batch_size=16,
        num_sampling_steps=budget.num_sampling_steps,
        autoencoder_weights=weights,
        network_weights=str(recipe.output / "feat" / "feat.safetensors"),
    )
    return recipe.output / "samples"


def widen_shipped_autoencoder(recipe: Recipe) -> str:
    """Write the shipped autoencoder with room for masks, which it does not look at yet, and return the path."""
    path = recipe.output / "autoencoder_start.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(widen_autoencoder(load_checkpoint(recipe.weights("autoencoder")), CLASSES), path)
    return str(path)


def read_samples(folder: Path) -> tuple[Tensor, Tensor]:
    """Read sampled clips, ``(N, C, T, H, W)`` in [-1, 1], and their masks, uint8 ``(N, 1, T, H, W)``."""
    masks = sorted(folder.glob("clip_*_label.nii.gz"))
    images = [folder / path.name.replace("_label", "") for path in masks]
    pixels, labels = (torch.stack([load_clip(path).as_tensor() for path in paths]) for paths in (images, masks))
    return to_unit_range(pixels), labels


def real_clips(modality: str, num_clips: int, num_frames: int, size: int) -> tuple[Tensor, Tensor]:
    """Render held-out clips and their masks, as `read_samples` gives them."""
    clips = PhantomDataset(modality, num_clips, HELD_OUT_SEED, size, num_frames)
    items = [clips[index] for index in range(num_clips)]
    return torch.stack([item["image"] for item in items]), torch.stack([item["label"] for item in items])


def show(recipe: Recipe, budget: Budget) -> dict[str, Agreement]:
    """Run everything, and return how well the masks of held-out real and of sampled clips fit."""
    started = time.monotonic()
    for step in ("autoencoder", "feat", "samples"):  # results of an earlier run would mix with the new ones
        shutil.rmtree(recipe.output / step, ignore_errors=True)
    samples = train_and_sample(recipe, budget)
    sampled_at = time.monotonic() - started
    images, labels = read_samples(samples)
    real, real_labels = real_clips(recipe.modality, budget.num_clips, *images.shape[2:4])
    segmenter = train_segmenter(recipe.modality, images.shape[-1], budget.segmenter_steps)
    save_checkpoint(segmenter.state_dict(), recipe.output / "segmenter.safetensors")
    found = {"real": agree(real, real_labels, segmenter), "sampled": agree(images, labels, segmenter)}
    save_contact_sheet(
        {"real, true masks": real[:4], "sampled, sampled masks": images[:4], "sampled, by the segmenter": images[:4]},
        recipe.output / "masks.png",
        masks={
            "real, true masks": real_labels[:4],
            "sampled, sampled masks": labels[:4],
            "sampled, by the segmenter": segment(segmenter, images[:4]),
        },
    )
    report = {
        "modality": recipe.modality,
        "budget": asdict(budget),
        "seconds_to_samples": round(sampled_at),
        "seconds": round(time.monotonic() - started),
        **{name: asdict(agreement) for name, agreement in found.items()},
    }
    write_json(recipe.output / "report.json", report)
    print("\n".join(describe(found)))
    print(f"\nDone in {report['seconds']} s; look at {samples} and {recipe.output / 'masks.png'}")
    return found


def describe(found: dict[str, Agreement]) -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"\n{'clips':8} {'Dice with segmenter':>20} {'worst':>6} {'other masks':>12} {'IoU in time':>12} {'clips':>6}"
    for name, agreement in found.items():
        yield (
            f"{name:8} {agreement.dice:13.3f} ± {agreement.dice_std:.3f}  {agreement.worst_dice:.3f} "
            f"{agreement.shuffled_dice:12.3f} {agreement.temporal_iou:12.3f} {agreement.scored:6d}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Train on labelled phantoms, sample clips with masks, score them.")
    parser.add_argument("--modality", choices=sorted(PHANTOMS), default="ultrasound", help="bundle to measure")
    parser.add_argument("--out", type=Path, default=Path("runs/labelled"), help="folder for the results")
    parser.add_argument("--from-scratch", action="store_true", help="start without the shipped weights")
    options = parser.parse_args(arguments)
    show(
        Recipe(options.modality, f"phantom:{options.modality}", options.out, options.from_scratch),
        Budget(),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
