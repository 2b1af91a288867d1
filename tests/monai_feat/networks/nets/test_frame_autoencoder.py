# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from monai.networks.nets import AutoencoderKL
from torch import Tensor

from monai_feat.networks.nets import FrameAutoencoder, sample_posterior


def plain_autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        spatial_dims=2,
        in_channels=3,
        out_channels=3,
        num_res_blocks=(1, 1),
        channels=(4, 4),
        attention_levels=(False, False),
        latent_channels=2,
        norm_num_groups=2,
        with_encoder_nonlocal_attn=False,
        with_decoder_nonlocal_attn=False,
    ).eval()


def network(**arguments: Any) -> FrameAutoencoder:
    return FrameAutoencoder(plain_autoencoder(), **arguments)


def clips(B: int = 2, T: int = 5, H: int = 8, W: int = 12) -> Tensor:
    return torch.randn(B, 3, T, H, W)


def test_equals_the_plain_autoencoder_on_each_frame() -> None:
    net, x = network(scale_factor=0.5), clips()
    mean, log_variance = net.encode_moments(x)
    latents, decoded = net.encode(x), net.decode(0.5 * mean)
    assert latents.shape == mean.shape == log_variance.shape == (2, 2, 5, 4, 6)
    assert decoded.shape == x.shape
    for t in range(x.shape[2]):
        frame_mean, frame_std = net.autoencoder.encode(x[:, :, t])
        torch.testing.assert_close(mean[:, :, t], frame_mean)
        torch.testing.assert_close(log_variance[:, :, t].exp(), frame_std**2)
        torch.testing.assert_close(latents[:, :, t], 0.5 * frame_mean)
        torch.testing.assert_close(decoded[:, :, t], net.autoencoder.decode(frame_mean))


def test_a_frozen_encoder_keeps_its_latents_while_the_decoder_learns() -> None:
    net, x = network(), clips()
    before = net.encode_moments(x), net.decode(net.encode(x))
    optimizer = torch.optim.SGD(net.freeze_encoder().parameters(), lr=0.1)
    (net(x)[0] - x).square().mean().backward()
    optimizer.step()
    torch.testing.assert_close(net.encode_moments(x), before[0], rtol=0, atol=0)
    assert not torch.equal(net.decode(net.encode(x)), before[1])


@pytest.mark.parametrize("max_frames", [1, 3, 10, 99])
def test_frames_at_once_change_nothing(max_frames: int) -> None:
    whole, x = network(), clips()
    pieces = FrameAutoencoder(whole.autoencoder, max_frames=max_frames)
    torch.testing.assert_close(pieces.encode_moments(x), whole.encode_moments(x))
    torch.testing.assert_close(pieces.decode(pieces.encode(x)), whole.decode(whole.encode(x)))


def test_frames_at_once_are_bounded() -> None:
    net, seen = network(max_frames=3), []
    net.autoencoder.encoder.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    net.encode(clips())
    assert seen == [3, 3, 3, 1]


def test_forward_reconstructs_through_sampled_latents() -> None:
    net, x = network(scale_factor=0.3), clips()
    noise = torch.randn(2, 2, 5, 4, 6)
    reconstruction, mean, log_variance = net(x, noise)
    torch.testing.assert_close((mean, log_variance), net.encode_moments(x))
    torch.testing.assert_close(reconstruction, net.decode(0.3 * sample_posterior(mean, log_variance, noise)))
    assert not torch.equal(net(x)[0], net(x)[0])
    reconstruction.mean().backward()
    assert all(p.grad is not None for p in net.parameters())


def test_disturbed_latents_are_off_by_standard_deviations_of_their_channels() -> None:
    net, x = network(scale_factor=0.5), clips()
    noise, disturbance = torch.randn(2, 2, 2, 5, 4, 6)
    with torch.no_grad():
        found, mean, log_variance = net(x, noise, disturbance)
        latents = sample_posterior(mean, log_variance, noise)
        spread = latents.transpose(0, 1).flatten(1).std(dim=1)[:, None, None, None]
        torch.testing.assert_close(found, net.decode(0.5 * (latents + spread * disturbance)))


def test_posterior_samples_have_its_moments() -> None:
    mean, log_variance = torch.full((100_000,), 3.0), torch.full((100_000,), -1.0)
    samples = sample_posterior(mean, log_variance, torch.randn(100_000))
    assert samples.mean().item() == pytest.approx(3, abs=0.01)
    assert samples.var().item() == pytest.approx(torch.e**-1.0, rel=0.02)


def test_scale_factor_is_that_of_all_latents_together() -> None:
    net = network()
    batches = [clips(1, 2) + 3, 2 * clips(3, 1), clips(1, 7, 4, 4)]  # unequal numbers, sizes, means and spreads
    returned = net.estimate_scale_factor(iter(batches))
    moments = [net.encode_moments(batch) for batch in batches]
    means = torch.cat([mean.flatten() for mean, _ in moments]).double()
    variances = torch.cat([log_variance.flatten() for _, log_variance in moments]).double().exp()
    variance = means.var(correction=0) + variances.mean()  # the law of total variance
    assert returned == pytest.approx(variance.item() ** -0.5, rel=1e-6)
    assert returned == pytest.approx(net.scale_factor.item())
    assert returned != pytest.approx(1 / net.encode_moments(batches[0])[0].std().item(), rel=0.05)


def test_scaled_latents_have_unit_variance() -> None:
    net, x = network(), clips(8, 8, 16, 16)
    net.estimate_scale_factor([x])
    latents = net.scale_factor * sample_posterior(*net.encode_moments(x), noise=torch.randn(8, 2, 8, 8, 8))
    assert latents.std().item() == pytest.approx(1, rel=0.02)


def test_scale_factor_is_saved_with_the_weights() -> None:
    net, loaded, x = network(), network(), clips()
    net.estimate_scale_factor([x])
    assert "scale_factor" in net.state_dict()
    loaded.load_state_dict(net.state_dict())
    for other in (loaded, copy.deepcopy(net)):
        torch.testing.assert_close(other.encode(x), net.encode(x), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_stays_close(dtype: torch.dtype) -> None:
    net, x = network(scale_factor=0.7), clips()
    with torch.autocast("cpu", dtype):
        reconstruction = net.decode(net.encode(x))
    exact = net.decode(net.encode(x))
    error = (reconstruction - exact).abs().max() / exact.abs().max()
    assert error.item() < 16 * torch.finfo(dtype).eps


@pytest.mark.parametrize(("scale_factor", "max_frames"), [(0.0, 1), (-1.0, 1), (float("nan"), 1), (1.0, 0)])
def test_impossible_numbers_are_errors(scale_factor: float, max_frames: int) -> None:
    with pytest.raises(ValueError, match=f"must be positive, got {scale_factor} and {max_frames}"):
        network(scale_factor=scale_factor, max_frames=max_frames)


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 3, 8, 8), (1, 3, 0, 8, 8), (0, 3, 1, 8, 8)], ids=str)
def test_what_is_no_clip_is_an_error(shape: tuple[int, ...]) -> None:
    for function in (network().encode_moments, network().encode, network().decode):
        with pytest.raises(ValueError, match=r"expected clips \(B, C, T, H, W\)"):
            function(torch.zeros(shape))


def test_no_scale_comes_of_no_clips_or_nan() -> None:
    net = network()
    with pytest.raises(ValueError, match="there are no clips"):
        net.estimate_scale_factor([])
    with pytest.raises(ValueError, match="the variance nan"):
        net.estimate_scale_factor([torch.full((1, 3, 1, 8, 8), torch.nan)])
    assert net.scale_factor.item() == 1


def test_frames_that_the_autoencoder_would_cut_off_are_an_error() -> None:
    with pytest.raises(ValueError, match="frames of 9×8 pixels are cut off"):
        network().encode(torch.zeros(1, 3, 1, 9, 8))


@pytest.mark.parametrize("scale_factor", [1.0, 0.2])
def test_standardised_latents_reconstruct_the_same(scale_factor: float) -> None:
    net, batches = network(scale_factor=scale_factor).double(), [clips(2, 3).double() + 1, clips(1, 4).double()]
    before = [net.decode(net.encode(batch)) for batch in batches]
    net.standardize_latents(iter(batches))
    for batch, reconstruction in zip(batches, before, strict=True):
        torch.testing.assert_close(net.decode(net.encode(batch)), reconstruction)
    means, log_variances = zip(*map(net.encode_moments, batches), strict=True)
    for channel in range(2):
        mean = torch.cat([m[:, channel].flatten() for m in means])
        variance = torch.cat([v[:, channel].flatten() for v in log_variances]).exp()
        assert mean.mean().item() == pytest.approx(0, abs=1e-9)
        assert (mean.var(correction=0) + variance.mean()).item() == pytest.approx(1)
    assert net.scale_factor.item() == 1


def test_noise_shares_are_those_of_the_encoders_variance() -> None:
    net, x = network(), clips()
    mean, log_variance = net.encode_moments(x)
    spread, noise = (value.transpose(0, 1).flatten(1) for value in (mean, log_variance.exp()))
    expected = noise.mean(1) / (spread.var(dim=1, correction=0) + noise.mean(1))
    found = net.noise_shares([x[:1], x[1:]])
    torch.testing.assert_close(found, expected.double(), rtol=1e-4, atol=0)
    net.standardize_latents([x])
    torch.testing.assert_close(net.noise_shares([x]), found, rtol=1e-4, atol=0)  # whatever the scale


def test_channels_of_noise_are_refused_by_number() -> None:
    net, x = network(), clips()
    net.get_parameter("autoencoder.quant_conv_log_sigma.conv.weight").data.zero_()
    bias = net.get_parameter("autoencoder.quant_conv_log_sigma.conv.bias").data
    bias.copy_(torch.tensor([-20.0, 20.0]))
    with pytest.raises(ValueError, match=r"latent channels 1 \(1.00\) are noise to more than 0.25 of their variance"):
        net.check_latents([x])
    bias.fill_(-20.0)
    net.check_latents([x])
