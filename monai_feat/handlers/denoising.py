# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a network in training denoises better than what has learned nothing but moments."""

from __future__ import annotations

import logging
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events
from torch import Tensor
from torch.utils.data import Dataset
from torch.utils.tensorboard import SummaryWriter

from monai_feat.inferers import CleanEstimate
from monai_feat.metrics.functional import DenoisingErrors, WienerFilter, denoising_errors
from monai_feat.networks.nets import sample_posterior
from monai_feat.visualize import Panel, save_panels

__all__ = ["DenoisingReport", "denoising_panels", "draw_latents"]

logger = logging.getLogger(__name__)


class DenoisingReport:
    """Measure, at every validation, the error of denoising held-out latents by noise level and temporal mode.

    A Wiener filter and the prior are fitted once, to the latents of the training, and measured beside the network on
    the same noise; see `monai_feat.metrics.functional.denoising_errors`. The log says how far below the filter the
    network is, and warns where it is not: such a network samples blobs. TensorBoard has it as curves, and
    ``denoising.png`` in the folder of the run shows the last measurement.

    Args:
        denoise: the network as a denoiser.
        known: latents of the training, see `LatentDataset`; the first of them are fitted.
        held_out: latents that the training does not see.
        output_dir: folder of the picture; made if missing.
        log_dir: TensorBoard folder; None for no curves.
        scale_factor: of the autoencoder's latents.
        num_known: clips to fit.
        num_held_out: clips to measure.
        seed: of the noise.
        device: the network's.
    """

    def __init__(
        self,
        denoise: CleanEstimate,
        known: Dataset[dict[str, Tensor]],
        held_out: Dataset[dict[str, Tensor]],
        output_dir: str | os.PathLike[str],
        log_dir: str | os.PathLike[str] | None = None,
        scale_factor: float = 1.0,
        num_known: int = 160,
        num_held_out: int = 16,
        seed: int = 0,
        device: str | torch.device = "cpu",
    ) -> None:
        self.device = device
        self.denoise, self.known, self.held_out = denoise, known, held_out
        self.output_dir, self.log_dir = Path(output_dir), log_dir
        self.scale_factor, self.seed = float(scale_factor), seed
        self.num_known, self.num_held_out = num_known, num_held_out

    def attach(self, engine: Engine) -> None:
        """Register with an evaluator."""
        engine.add_event_handler(Events.EPOCH_COMPLETED, self)

    def __call__(self, engine: Any) -> None:
        """Measure, log, and draw; one process does it for all."""
        if idist.get_rank() != 0:
            return
        errors = denoising_errors(self._estimate, self._latents, self._filter, seed=self.seed)
        self._log(errors, engine.state.epoch)
        self.output_dir.mkdir(parents=True, exist_ok=True)
        save_panels(denoising_panels(errors), self.output_dir / "denoising.png")

    def _estimate(self, noisy: Tensor, ratio: float) -> Tensor:
        return self.denoise(noisy.to(self.device), ratio).cpu()

    @cached_property
    def _filter(self) -> WienerFilter:
        return WienerFilter(draw_latents(self.known, self.num_known, self.scale_factor, self.seed))

    @cached_property
    def _latents(self) -> Tensor:
        return draw_latents(self.held_out, self.num_held_out, self.scale_factor, self.seed + 1)

    def _log(self, errors: DenoisingErrors, epoch: int) -> None:
        below = dict(zip(errors.ratios, errors.below_wiener().tolist(), strict=True))
        behind = [f"{ratio:g}" for ratio, share in below.items() if share <= 0]
        found = ", ".join(f"{share:.0%} at {ratio:g}" for ratio, share in below.items())
        logger.info("epoch %d: denoising error below a linear filter's, by noise level: %s", epoch, found)
        if behind:
            logger.warning("epoch %d: not yet better than a linear filter at noise levels %s", epoch, ", ".join(behind))
        if self.log_dir is not None:
            error = dict(zip(errors.ratios, errors.relative(errors.network).tolist(), strict=True))
            with SummaryWriter(str(self.log_dir)) as writer:
                for ratio in errors.ratios:
                    writer.add_scalar(f"denoising_error_at_{ratio:g}", error[ratio], epoch)
                    writer.add_scalar(f"below_linear_filter_at_{ratio:g}", below[ratio], epoch)


def draw_latents(dataset: Dataset[dict[str, Tensor]], count: int, scale_factor: float = 1.0, seed: int = 0) -> Tensor:
    """Draw the latents of the first clips of a `LatentDataset` from their Gaussians, ``(N, C, T, H, W)``."""
    items = [dataset[index] for index in range(min(count, len(dataset)))]  # type: ignore[arg-type]
    mean, log_variance = (torch.stack([item[f"latent_{name}"] for item in items]) for name in ("mean", "log_variance"))
    noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(seed))
    return sample_posterior(mean, log_variance, noise) * scale_factor


def denoising_panels(errors: DenoisingErrors) -> list[Panel]:
    """Draw errors by noise level, beside the filter's, and over the prior's by temporal mode."""
    by_level = {
        name: list(zip(errors.ratios, errors.relative(values).tolist(), strict=True))
        for name, values in {"linear filter": errors.wiener, "network": errors.network}.items()
    }
    by_time = {
        f"σ/α = {ratio:g}": list(enumerate(values))
        for ratio, values in zip(errors.ratios, errors.by_time().tolist(), strict=True)
        if ratio >= 1
    }
    return [
        Panel("error over the latents' variance", "noise level σ/α", by_level, log_x=True, log_y=True),
        Panel("error over the prior's", "temporal mode", by_time, level=1.0),
    ]
