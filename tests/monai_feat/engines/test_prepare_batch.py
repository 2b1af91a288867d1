# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.engines import SupervisedTrainer
from monai.inferers import DiffusionInferer
from monai.networks.nets import AutoencoderKL
from monai.networks.schedulers import RFlowScheduler
from torch import Tensor, nn

from monai_feat.conditions import ClassCondition, FirstFramesCondition
from monai_feat.engines import LatentDiffusionPrepareBatch, ReconstructionPrepareBatch
from monai_feat.losses import HybridDiffusionLoss
from monai_feat.networks.nets import FrameAutoencoder
from monai_feat.networks.schedulers import RespacedDDPMScheduler


@pytest.fixture
def autoencoder() -> FrameAutoencoder:
    net = AutoencoderKL(
        2, 1, 1, (1, 1), (4, 4), (False, False), 2, 2,
        with_encoder_nonlocal_attn=False, with_decoder_nonlocal_attn=False,
    )  # fmt: skip
    return FrameAutoencoder(net, scale_factor=3.0)


@pytest.fixture
def clips() -> Tensor:
    return torch.rand(2, 1, 3, 8, 8) * 2 - 1


def moments(mean: float, log_variance: float, batch: int = 64) -> dict[str, Tensor]:
    shape = (batch, 2, 3, 8, 8)
    return {"latent_mean": torch.full(shape, mean), "latent_log_variance": torch.full(shape, log_variance)}


def test_clips_and_their_moments_give_the_same(autoencoder: FrameAutoencoder, clips: Tensor) -> None:
    prepare = LatentDiffusionPrepareBatch(autoencoder)
    mean, log_variance = autoencoder.encode_moments(clips)
    results = []
    for batch in ({"image": clips}, {"latent_mean": mean, "latent_log_variance": log_variance}):
        torch.manual_seed(1)
        latents, target, args, kwargs = prepare(batch, "cpu")
        assert args == ()
        assert not latents.requires_grad
        results.append({"latents": latents, **target, **kwargs})
    torch.testing.assert_close(results[0], results[1])
    assert results[0]["latents"].shape == (2, 2, 3, 4, 4)


def test_latents_are_scaled_draws_of_the_encoders_gaussian(autoencoder: FrameAutoencoder) -> None:
    """N(0.5, e⁻¹) times 3 has mean 1.5 and standard deviation 3 e^(-1/2)."""
    latents, target, _, _ = LatentDiffusionPrepareBatch(autoencoder)(moments(0.5, -1.0), "cpu")
    assert latents.mean().item() == pytest.approx(1.5, abs=0.05)
    assert latents.std().item() == pytest.approx(3 * torch.tensor(-0.5).exp().item(), rel=0.03)
    assert target["x0"] is latents


def test_latents_and_noise_are_drawn_anew(autoencoder: FrameAutoencoder) -> None:
    prepare, batch = LatentDiffusionPrepareBatch(autoencoder), moments(0.0, 0.0, batch=2)
    first, second = (prepare(batch, "cpu") for _ in range(2))
    assert not torch.equal(first[0], second[0])
    assert not torch.equal(first[1]["noise"], second[1]["noise"])


def test_timesteps_are_uniform_over_the_chain(autoencoder: FrameAutoencoder) -> None:
    prepare = LatentDiffusionPrepareBatch(autoencoder, num_train_timesteps=4)
    batch = {key: moment[:, :, :1, :1, :1] for key, moment in moments(0.0, 0.0, batch=4000).items()}
    _, target, _, kwargs = prepare(batch, "cpu")
    assert target["timesteps"].dtype == torch.int64
    assert torch.equal(target["timesteps"], kwargs["timesteps"])
    shares = torch.bincount(target["timesteps"]) / 4000
    torch.testing.assert_close(shares, torch.full((4,), 0.25), atol=0.03, rtol=0)


def test_timesteps_are_drawn_as_told(autoencoder: FrameAutoencoder) -> None:
    """The logarithm of the odds of logit-normal timesteps is standard normal."""
    scheduler = RFlowScheduler(use_discrete_timesteps=False, sample_method="logit-normal")
    prepare = LatentDiffusionPrepareBatch(autoencoder, draw_timesteps=scheduler.sample_timesteps)
    batch = {key: moment[:, :, :1, :1, :1] for key, moment in moments(0.0, 0.0, batch=4000).items()}
    _, target, _, kwargs = prepare(batch, "cpu")
    assert torch.equal(target["timesteps"], kwargs["timesteps"])
    odds = (target["timesteps"] / 1000).logit()
    assert odds.mean().item() == pytest.approx(0, abs=0.06)
    assert odds.std().item() == pytest.approx(1, abs=0.05)


def test_the_autoencoder_is_frozen(autoencoder: FrameAutoencoder) -> None:
    LatentDiffusionPrepareBatch(autoencoder.train())
    assert not autoencoder.training
    assert not any(parameter.requires_grad for parameter in autoencoder.parameters())


def test_a_batch_without_clips_is_named(autoencoder: FrameAutoencoder) -> None:
    with pytest.raises(ValueError, match=r"needs 'image'.* this one has \['label', 'video'\]"):
        LatentDiffusionPrepareBatch(autoencoder)({"video": torch.zeros(1), "label": torch.zeros(1)})


def test_conditions_come_after_everything_else(autoencoder: FrameAutoencoder) -> None:
    """The draws of an unconditional training stay what they were."""
    batch = {**moments(0.0, 0.0, batch=4), "view": torch.tensor([0, 1, 2, 0])}
    results = []
    for conditions in ([], [ClassCondition("view", 3), FirstFramesCondition()]):
        torch.manual_seed(1)
        results.append(LatentDiffusionPrepareBatch(autoencoder, conditions=conditions)(batch, "cpu"))
    torch.testing.assert_close(results[1][:3], results[0][:3], rtol=0, atol=0)
    assert "condition" not in results[0][3]
    assert list(results[1][3]["condition"]) == ["view", "first_frames"]


@pytest.mark.parametrize(("probability", "expected"), [(0.0, [0, 1, 2, 0]), (1.0, [-1, -1, -1, -1])])
def test_conditions_are_dropped(autoencoder: FrameAutoencoder, probability: float, expected: list[int]) -> None:
    prepare = LatentDiffusionPrepareBatch(
        autoencoder, conditions=[ClassCondition("view", 3)], drop_probability=probability
    )
    batch = {**moments(0.0, 0.0, batch=4), "view": torch.tensor([0, 1, 2, 0])}
    assert prepare(batch, "cpu")[3]["condition"]["view"].tolist() == expected
    with pytest.raises(ValueError, match=r"drop_probability must be in \[0, 1\], got 1.5"):
        LatentDiffusionPrepareBatch(autoencoder, drop_probability=1.5)


def test_the_stock_trainer_and_inferer_take_it(autoencoder: FrameAutoencoder, clips: Tensor) -> None:
    class Denoiser(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.map = nn.Conv3d(2, 4, 1)

        def forward(self, x: Tensor, timesteps: Tensor, context: Tensor | None = None) -> Tensor:
            assert timesteps.shape == (2,)
            return self.map(x)

    network, scheduler = Denoiser(), RespacedDDPMScheduler(variance_type="learned_range")
    trainer = SupervisedTrainer(
        device="cpu",
        max_epochs=1,
        train_data_loader=[{"image": clips}],  # type: ignore[arg-type]
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.1),
        loss_function=HybridDiffusionLoss(scheduler),
        inferer=DiffusionInferer(scheduler),
        prepare_batch=LatentDiffusionPrepareBatch(autoencoder),
        decollate=False,
    )
    before = network.map.weight.clone()
    trainer.run()
    assert not torch.equal(network.map.weight, before)
    assert torch.isfinite(trainer.state.output["loss"])


@pytest.mark.parametrize("key", ["image", "latent_mean"])
def test_a_clips_draws_are_those_of_its_own_seed(autoencoder: FrameAutoencoder, key: str) -> None:
    """Two clips in one batch draw what each draws by itself; the frozen autoencoder, and one that is trained."""
    whole = {"image": torch.rand(2, 1, 3, 8, 8), **moments(0.5, -1.0, batch=2), "clip_seeds": torch.tensor([5, 2**62])}
    prepare = (
        ReconstructionPrepareBatch(autoencoder, latent_noise=0.2)
        if key == "image"
        else LatentDiffusionPrepareBatch(autoencoder, conditions=[FirstFramesCondition(max_frames=2)])
    )

    def drawn(batch: dict[str, Tensor]) -> list[Tensor]:
        inputs = prepare(batch, "cpu")[3]
        values = {**inputs, **inputs.pop("condition", {})}
        return [values[name] for name in ("noise", "disturbance", "timesteps", "first_frames") if name in values]

    for clip in (slice(0, 1), slice(1, 2)):
        torch.rand(3)
        alone = drawn({name: values[clip] for name, values in whole.items()})
        torch.testing.assert_close(alone, [values[clip] for values in drawn(whole)], rtol=0, atol=0)


def test_reconstruction_takes_clips_as_input_and_target(autoencoder: FrameAutoencoder, clips: Tensor) -> None:
    prepare = ReconstructionPrepareBatch(autoencoder.double())
    given, target, _, inputs = prepare({"image": clips, "label": torch.zeros(1)}, "cpu", dtype=torch.float64)
    assert given is target
    torch.testing.assert_close(given, clips.double())
    assert autoencoder(given, **inputs)[1].shape == inputs["noise"].shape == (2, 2, 3, 4, 4)
    with pytest.raises(KeyError, match="image"):
        prepare({})


def test_latents_are_disturbed_by_up_to_the_given_noise(autoencoder: FrameAutoencoder) -> None:
    clips = torch.zeros(300, 1, 1, 16, 16)
    disturbance = ReconstructionPrepareBatch(autoencoder, latent_noise=0.4)({"image": clips}, "cpu")[3]["disturbance"]
    levels = disturbance.flatten(1).std(dim=1)  # uniform in [0, 0.4]: mean 0.2, deviation 0.4/√12
    assert disturbance.shape == (300, 2, 1, 8, 8)
    assert levels.mean().item() == pytest.approx(0.2, abs=0.03)
    assert levels.std().item() == pytest.approx(0.4 / 12**0.5, abs=0.02)
    with pytest.raises(ValueError, match="latent_noise of 0 or more, got -1"):
        ReconstructionPrepareBatch(autoencoder, latent_noise=-1)


def test_some_masks_are_hidden_from_the_input_only(autoencoder: FrameAutoencoder) -> None:
    clips = torch.ones(400, 3, 1, 4, 4)
    autoencoder.latent_shape = lambda *_: (2, 1, 2, 2)  # type: ignore[method-assign]  # it has one image channel
    prepare = ReconstructionPrepareBatch(autoencoder, label_channels=2, hidden_labels=0.25)
    seen, target, _, _ = prepare({"image": clips}, "cpu")
    assert torch.equal(target, clips)
    assert (seen[:, 0] == 1).all()
    hidden = (seen[:, 1:] == 0).flatten(1).all(1)
    assert (seen[~hidden] == 1).all()
    assert hidden.float().mean().item() == pytest.approx(0.25, abs=0.07)


def test_nothing_is_hidden_where_nothing_shall_be(autoencoder: FrameAutoencoder, clips: Tensor) -> None:
    for options in ({"hidden_labels": 0.5}, {"label_channels": 2}):
        assert ReconstructionPrepareBatch(autoencoder, **options)({"image": clips}, "cpu")[0] is clips
    with pytest.raises(ValueError, match=r"share hidden_labels in \[0, 1\], got 2"):
        ReconstructionPrepareBatch(autoencoder, 2, 2)
