# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Measure sampled clips, the autoencoder alone, and denoising, on procedural clips that were in no training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from torch import Tensor
from torchmetrics import Metric

from experiments.sampled import Sampled, sample
from experiments.seed_table import Row, Scores, over_seeds
from monai_feat.data import LatentDataset, PhantomDataset
from monai_feat.handlers import draw_latents
from monai_feat.inferers import CleanEstimate
from monai_feat.metrics import (
    DescriptorVideoDistance,
    PrecisionRecallDensityCoverage,
    RandomFeatureVideoDistance,
    SpatialPowerRatio,
    TemporalPowerRatio,
)
from monai_feat.metrics.features import RandomVideoFeatures
from monai_feat.metrics.functional import DenoisingErrors, WienerFilter, clip_psnr, denoising_errors
from monai_feat.transforms.functional import to_uint8

__all__ = ["BANDS", "MODES", "Plan", "Result", "run_study"]

HELD_OUT_SEED = 1_000_003  # no training sees these clips
TRAINING_SEED = 0
BATCH_SIZE = 8
MODES = {f"time mode {mode}": mode for mode in (1, 2, 3, 4, 8)}
BANDS = {"coarse": 0, "middle": 1, "fine": 2, "finest": 3}


@dataclass(frozen=True)
class Plan:
    """What is measured.

    Attributes:
        modality: which bundle, and which procedural clips.
        bundle: folder of the bundle.
        overlays: configs laid over its ``inference.json``, for networks of other shapes.
        autoencoder_weights: other ones than the bundle's.
        network_weights: other ones than the bundle's.
        num_steps: of the sampler; None for the bundle's.
        autoguidance_scale: of the sampling; None for the bundle's.
        num_clips: sampled for each seed, and real ones beside them.
        num_references: real clips that all are compared with.
        num_known: clips that the linear filter is fitted to.
        seeds: of the noise.
    """

    modality: str
    bundle: Path
    overlays: tuple[Path, ...] = ()
    autoencoder_weights: Path | None = None
    network_weights: Path | None = None
    num_steps: int | None = None
    autoguidance_scale: float | None = None
    num_clips: int = 48
    num_references: int = 96
    num_known: int = 160
    seeds: tuple[int, ...] = (0, 1, 2)

    def config(self) -> ConfigParser:
        """Read the bundle's config for sampling, with what this plan changes."""
        config = ConfigParser()
        config.read_config([str(self.bundle / "configs" / "inference.json"), *map(str, self.overlays)])
        changes = {
            "autoencoder_weights": self.autoencoder_weights and str(self.autoencoder_weights),
            "network_weights": self.network_weights and str(self.network_weights),
            "num_sampling_steps": self.num_steps,
            "autoguidance_scale": self.autoguidance_scale,
        }
        config.update({"bundle_root": str(self.bundle), "inferer::progress": False})
        config.update({key: value for key, value in changes.items() if value is not None})
        return config

    def clips(self, config: ConfigParser, count: int, seed: int) -> PhantomDataset:
        """Return procedural clips as the bundle's are."""
        size, frames = config.get_parsed_content("frame_size"), config.get_parsed_content("num_frames")
        return PhantomDataset(self.modality, count, seed, size, frames)


@dataclass(frozen=True)
class Result:
    """What was found.

    Attributes:
        rows: scores of real clips, of the autoencoder alone, and of sampled clips.
        errors: of denoising.
        sampled: clips of the first seed, uint8 ``(N, C, T, H, W)``.
        real: as many real ones.
    """

    rows: list[Row]
    errors: DenoisingErrors
    sampled: Tensor
    real: Tensor


class _Yardstick:
    """What is measured of a set of clips, against one set of real clips."""

    def __init__(self, real: Tensor) -> None:
        self.real = real

    def __call__(self, pixels: Tensor) -> Scores:
        """Measure clips, uint8 ``(N, C, T, H, W)``."""
        in_time, in_space = self._compare(TemporalPowerRatio(), pixels), self._compare(SpatialPowerRatio(), pixels)
        scores = {name: in_time[mode].item() for name, mode in MODES.items()}
        scores |= {name: in_space[band].item() for name, band in BANDS.items()}
        scores["descriptors"] = self._compare(DescriptorVideoDistance(), pixels)["descriptors"].item()
        scores["random features"] = self._compare(RandomFeatureVideoDistance(), pixels).item()
        among = self._compare(PrecisionRecallDensityCoverage(RandomVideoFeatures()), pixels)
        scores |= {name: among[name].item() for name in ("precision", "recall")}
        return scores

    def _compare(self, metric: Metric, pixels: Tensor) -> Any:
        for clips, real in ((self.real, True), (pixels, False)):
            for part in clips.split(BATCH_SIZE):
                metric.update(part, real=real)
        return metric.compute()


def run_study(plan: Plan) -> Result:
    """Measure everything; prints what it is at."""
    config = plan.config()
    held_out = plan.clips(config, plan.num_references + plan.num_clips, HELD_OUT_SEED)
    pixels = torch.stack([held_out.clip(index).image for index in range(len(held_out))])
    references, others = pixels.split([plan.num_references, plan.num_clips])
    yardstick = _Yardstick(references)
    rows = [Row("real, other ones", yardstick(others), {}), _autoencoder_alone(config, held_out, others, yardstick)]
    print("denoising", flush=True)
    errors = _denoising(plan, config, held_out)
    sampled = [_sample(plan, seed) for seed in plan.seeds]
    scores = [yardstick(clips.pixels) | {"seconds a clip": clips.seconds} for clips in sampled]
    rows.append(Row("sampled", *over_seeds(scores)))
    return Result(rows, errors, sampled[0].pixels, others)


@torch.no_grad()
def _autoencoder_alone(config: ConfigParser, held_out: PhantomDataset, pixels: Tensor, yardstick: _Yardstick) -> Row:
    autoencoder, device = config.get_parsed_content("autoencoder"), config.get_parsed_content("device")
    first = len(held_out) - len(pixels)
    batches = torch.stack([held_out[first + index]["image"] for index in range(len(pixels))]).split(BATCH_SIZE)
    decoded = torch.cat([to_uint8(autoencoder.decode(autoencoder.encode(x.to(device)))).cpu() for x in batches])
    psnr = clip_psnr(decoded, pixels).mean().item()
    return Row("real, through the autoencoder", yardstick(decoded) | {"PSNR (dB)": psnr}, {})


def _denoising(plan: Plan, config: ConfigParser, held_out: PhantomDataset) -> DenoisingErrors:
    autoencoder, network, scheduler, device = map(
        config.get_parsed_content, ("autoencoder", "network", "scheduler", "device")
    )
    scale = float(autoencoder.scale_factor)
    known = LatentDataset(plan.clips(config, plan.num_known, TRAINING_SEED), autoencoder)
    linear = WienerFilter(draw_latents(known, plan.num_known, scale))
    latents = draw_latents(LatentDataset(held_out, autoencoder), plan.num_clips, scale, seed=1)
    denoise = CleanEstimate(network.eval(), scheduler)
    return denoising_errors(lambda noisy, ratio: denoise(noisy.to(device), ratio).cpu(), latents, linear)


def _sample(plan: Plan, seed: int) -> Sampled:
    config = plan.config()
    config.update({"seed": seed})
    sampled = sample(config, plan.num_clips)
    print(f"sampled with seed {seed}: {sampled.seconds:.2f} s a clip", flush=True)
    return sampled
