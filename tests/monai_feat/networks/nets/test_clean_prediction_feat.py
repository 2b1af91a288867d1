# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from monai.networks.schedulers import RFlowScheduler
from torch import Tensor, nn

from monai_feat.inferers import CleanEstimate
from monai_feat.networks.nets import FEAT, FEAT_PRESETS, CleanPredictionFEAT

SIZES = {**FEAT_PRESETS["pico"], "out_channels": 4}


def networks() -> tuple[CleanPredictionFEAT, FEAT]:
    clean, plain = CleanPredictionFEAT(**SIZES).eval(), FEAT(**SIZES).eval()
    for parameter in clean.parameters():
        nn.init.normal_(parameter, std=0.2)
    plain.load_state_dict(clean.state_dict())
    return clean, plain


def test_a_step_of_monai_s_scheduler_leads_to_what_it_predicts() -> None:
    network, inside = networks()
    scheduler, x, t = RFlowScheduler(), torch.randn(1, 4, 2, 4, 6), 640.0
    scheduler.set_timesteps(1)
    _, original = scheduler.step(network(x, t), t, x)
    torch.testing.assert_close(original, inside(x, t), rtol=1e-4, atol=1e-5)


def test_it_is_measured_as_a_denoiser_of_velocities_is() -> None:
    network, inside = networks()
    noisy, ratio = torch.randn(2, 4, 2, 4, 6), 1.5
    time = ratio / (1 + ratio)
    expected: Tensor = inside((1 - time) * noisy, 1000 * time)
    found = CleanEstimate(network, RFlowScheduler())(noisy, ratio)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_near_the_data_velocities_stay_bounded_and_weights_remember(tmp_path: Path) -> None:
    network, inside = networks()
    x = torch.randn(1, 4, 2, 4, 6)
    torch.testing.assert_close(network(x, 0), (inside(x, 0) - x) / 0.05)
    network.save_pretrained(tmp_path)
    assert torch.equal(CleanPredictionFEAT.from_pretrained(tmp_path)(x, 3), network(x, 3))


def test_variance_has_no_place() -> None:
    with pytest.raises(ValueError, match="a clean clip has the 4 channels of a noisy one; set out_channels"):
        CleanPredictionFEAT(**{**SIZES, "out_channels": 8})
