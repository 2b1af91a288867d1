# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from ignite.engine import Engine
from monai.networks.schedulers import RFlowScheduler
from torch import Tensor

from monai_feat.handlers import DenoisingReport, denoising_panels, draw_latents
from monai_feat.inferers import CleanEstimate
from monai_feat.metrics.functional import WienerFilter, denoising_errors
from monai_feat.visualize import read_tensorboard_scalars

CONSTANT = 2.0


def latents(count: int, spread: float = 1.0) -> list[dict[str, Tensor]]:
    """Clips of white noise around a constant, whose encoder is sure of them."""
    shape = (2, 4, 6, 6)
    moments = [(CONSTANT + spread * torch.randn(shape), torch.full(shape, -20.0)) for _ in range(count)]
    return [{"latent_mean": mean, "latent_log_variance": log_variance} for mean, log_variance in moments]


def velocity_to(clean: Callable[[Tensor], Tensor | float]) -> Callable[..., Tensor]:
    """A network of rectified flow that takes the clean clip to be a function of the noisy one."""

    def network(x: Tensor, timesteps: Tensor, context: None) -> Tensor:
        return (clean(x) - x) / (timesteps / 1000)[:, None, None, None, None]

    return network


def report(network: Callable[..., Tensor], folder: Path) -> DenoisingReport:
    denoise = CleanEstimate(network, RFlowScheduler(num_train_timesteps=1000))
    return DenoisingReport(denoise, latents(60), latents(4), folder, log_dir=folder / "tensorboard")


def validate(handler: DenoisingReport) -> None:
    engine = Engine(lambda _engine, _batch: None)
    handler.attach(engine)
    engine.run([0], max_epochs=1)


def test_a_network_that_harms_is_called_no_better_than_a_filter(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        validate(report(velocity_to(lambda x: 0.0), tmp_path))
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["epoch 1: not yet better than a linear filter at noise levels 0.1, 0.2, 0.4, 0.7, 1.2, 2, 4, 8"]
    assert (tmp_path / "denoising.png").is_file()


def test_one_that_knows_the_clips_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    handler = report(lambda x, timesteps, context: x, tmp_path)
    held_out = draw_latents(handler.held_out, 4)
    handler.denoise = lambda noisy, ratio: held_out + 0.01 * noisy  # type: ignore[assignment]
    with caplog.at_level(logging.INFO):
        validate(handler)
    assert [record.levelno for record in caplog.records if record.name.endswith("denoising")] == [logging.INFO]
    assert "100% at 2" in caplog.text
    curves = read_tensorboard_scalars(tmp_path / "tensorboard")
    assert len(curves) == 16
    expected = denoising_errors(handler.denoise, held_out, WienerFilter(draw_latents(handler.known, 60)))
    assert curves["below_linear_filter_at_2"][0][1] == pytest.approx(expected.below_wiener()[5].item(), abs=1e-3)


def test_latents_are_scaled_draws_of_the_first_clips() -> None:
    items = latents(5)
    drawn = draw_latents(items, 3, scale_factor=0.5)
    torch.testing.assert_close(drawn, 0.5 * torch.stack([item["latent_mean"] for item in items[:3]]), atol=1e-3, rtol=0)
    wide = [{**item, "latent_log_variance": torch.zeros(2, 4, 6, 6)} for item in items]
    assert torch.equal(draw_latents(wide, 9, seed=1), draw_latents(wide, 9, seed=1))
    assert (draw_latents(wide, 9) - draw_latents(items, 9)).std().item() == pytest.approx(1, abs=0.1)


def test_panels_show_levels_and_modes() -> None:
    clips = draw_latents(latents(30), 30)
    errors = denoising_errors(lambda noisy, _: noisy, clips, WienerFilter(clips), ratios=(0.5, 2.0))
    levels, modes = denoising_panels(errors)
    assert list(levels.lines) == ["linear filter", "network"]
    assert [ratio for ratio, _ in levels.lines["network"]] == [0.5, 2.0]
    assert list(modes.lines) == ["σ/α = 2"]
    assert [value for _, value in modes.lines["σ/α = 2"]] == errors.by_time()[1].tolist()
