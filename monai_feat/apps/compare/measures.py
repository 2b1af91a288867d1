# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What is measured of a trained variant: its size and cost, how it denoises held-out clips, how its samples look."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from monai_feat.checkpoints import load_weights
from monai_feat.handlers import draw_latents
from monai_feat.inferers import CleanEstimate
from monai_feat.metrics import DescriptorVideoDistance, SpatialPowerRatio, TemporalPowerRatio
from monai_feat.metrics.functional import WienerFilter, denoising_errors
from monai_feat.networks.nets.memory import estimate_memory
from monai_feat.networks.nets.step_time import measure_step_time
from monai_feat.transforms.functional import to_uint8

__all__ = ["Found", "Yardstick", "load_found"]

NUM_KNOWN = 160  # clips that the linear filter is fitted to, at most
SAMPLING_BATCH = 8


@dataclass(frozen=True)
class Found:
    """What was found of one run; errors are squared, over the variance of the latents or of their mode.

    Attributes:
        parameters: of the network.
        flops: of the matrix products, attention and convolutions of a forward pass of one clip; scans and transforms
            do not count.
        step_seconds: of the processor, for a training step of one clip.
        step_bytes: most memory of a training step of one clip, an estimate.
        ratios: noise levels σ/α.
        errors: by noise level.
        below_linear: how far below a linear filter's, by noise level.
        by_time: by noise level and temporal mode.
        by_space: by noise level and spatial band.
        samples: power over real clips' by temporal mode and spatial band, and distance of descriptors; may be empty.
    """

    parameters: int
    flops: int
    step_seconds: float
    step_bytes: int
    ratios: tuple[float, ...]
    errors: list[float]
    below_linear: list[float]
    by_time: list[list[float]]
    by_space: list[list[float]]
    samples: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return it as values of JSON."""
        return asdict(self)


def load_found(content: Mapping[str, Any]) -> Found:
    """Make it again of what `Found.to_json` has returned."""
    return Found(**{**content, "ratios": tuple(content["ratios"])})


class Yardstick:
    """What all runs of a study are measured with: the clips, their latents, and a linear filter.

    Args:
        config: the training, as all variants have it.
    """

    def __init__(self, config: ConfigParser) -> None:
        self.autoencoder, self.scheduler = map(config.get_parsed_content, ("autoencoder", "scheduler"))
        known, held_out = map(config.get_parsed_content, ("train::dataset", "held_out::dataset"))
        scale = float(self.autoencoder.scale_factor)
        self.latents = draw_latents(held_out, len(held_out), scale, seed=1)
        self.linear = WienerFilter(draw_latents(known, NUM_KNOWN, scale))
        self.real = torch.stack([to_uint8(held_out.dataset[i]["image"]) for i in range(len(held_out))])

    def __call__(self, config: ConfigParser, weights: Path, num_samples: int, seed: int) -> Found:
        """Measure a variant.

        Args:
            config: its training.
            weights: what that has left.
            num_samples: clips to sample; 0 for none.
            seed: of the noise of samples; that of denoising is the same for all.
        """
        network = load_weights(config.get_parsed_content("network_def"), weights).eval()
        denoise = CleanEstimate(network, config.get_parsed_content("scheduler"))
        errors = denoising_errors(denoise, self.latents, self.linear)
        shape = (1, *self.latents.shape[1:])
        return Found(
            parameters=sum(p.numel() for p in network.parameters()),
            flops=_flops(network, shape),
            step_bytes=_training_peak(network, shape),
            ratios=errors.ratios,
            errors=errors.relative(errors.network).tolist(),
            below_linear=errors.below_wiener().tolist(),
            by_time=errors.by_time().tolist(),
            by_space=errors.by_space().tolist(),
            samples=self._sample(config, network, num_samples, seed) if num_samples else {},
            step_seconds=measure_step_time(network, shape, repeats=3).training,
        )

    def _sample(self, config: ConfigParser, network: nn.Module, count: int, seed: int) -> dict[str, Any]:
        config.update({"seed": seed})
        inferer = config.get_parsed_content("validate::inferer")
        batches = torch.arange(count).split(SAMPLING_BATCH)
        pixels = torch.cat([to_uint8(inferer(indices, network)) for indices in batches])
        found: dict[str, Any] = {}
        metrics = {"time": TemporalPowerRatio(), "space": SpatialPowerRatio(), "descriptors": DescriptorVideoDistance()}
        for name, metric in metrics.items():
            metric.update(self.real, real=True)
            metric.update(pixels, real=False)
            found[name] = metric.compute()
        found["descriptors"] = found["descriptors"]["descriptors"]
        return {name: value.tolist() for name, value in found.items()}


@torch.no_grad()
def _flops(network: nn.Module, shape: tuple[int, ...]) -> int:
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(shape), torch.zeros(shape[0]))
    return int(counter.get_total_flops())


def _training_peak(network: nn.Module, shape: tuple[int, int, int, int, int]) -> int:
    return estimate_memory(lambda: copy.deepcopy(network).to("meta"), shape).training_peak
