# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What all classes over values of clips share: streaming, processes, collections, pickle, plots."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch
import torch.distributed as dist
from scipy.stats import wasserstein_distance
from torch import Tensor
from torch.multiprocessing.spawn import spawn
from torchmetrics import Metric, MetricCollection

from monai_feat.metrics import (
    AutocovarianceWidth,
    ClipMSSSIM,
    ClipPSNR,
    ClipSSIM,
    Flicker,
    LabColourDistance,
    MaskTemporalIoU,
    MotionAcceleration,
    MotionMagnitude,
    NakagamiM,
    NoisePowerSlope,
    NoisePowerSpectrum,
    PropertyDistance,
    SeamRatio,
    SpatialPowerRatio,
    SpeckleSNR,
    SpecularArea,
    SpecularLifetime,
    TemporalPowerRatio,
    WarpingError,
)
from monai_feat.metrics import functional as measure

matplotlib.use("Agg")

OF_CLIPS: dict[str, tuple[Callable[[], Metric], Callable[[Tensor], Tensor]]] = {
    "motion": (MotionMagnitude, measure.motion_magnitude),
    "acceleration": (MotionAcceleration, measure.motion_acceleration),
    "warping": (WarpingError, measure.warping_error),
    "flicker": (Flicker, measure.flicker),
    "area": (SpecularArea, measure.specular_area),
    "lifetime": (lambda: SpecularLifetime(frame_rate=25), lambda clips: measure.specular_lifetime(clips, 25)),
    "snr": (SpeckleSNR, measure.speckle_snr),
    "m": (lambda: NakagamiM(dynamic_range=60), lambda clips: measure.nakagami_m(clips, 60)),
    "axial": (lambda: AutocovarianceWidth("axial"), lambda clips: measure.autocovariance_width(clips, "axial")),
    "lateral": (lambda: AutocovarianceWidth("lateral"), lambda clips: measure.autocovariance_width(clips, "lateral")),
    "seams": (lambda: SeamRatio([1]), lambda clips: measure.seam_ratio(clips, [1])),
    "slope": (NoisePowerSlope, lambda clips: measure.noise_power_spectrum(clips).slope),
}
OF_PAIRS: dict[str, tuple[Callable[[], Metric], Callable[[Tensor, Tensor], Tensor]]] = {
    "psnr": (ClipPSNR, measure.clip_psnr),
    "ssim": (ClipSSIM, measure.clip_ssim),
    "ms_ssim": (lambda: ClipMSSSIM(scales=2), lambda a, b: measure.clip_ms_ssim(a, b, 2)),
}
OF_SETS: dict[str, Callable[[], Metric]] = {
    "colour": LabColourDistance,
    "lightness": lambda: PropertyDistance("lightness"),
    "flickering": lambda: PropertyDistance("flicker"),
    "temporal power": TemporalPowerRatio,
    "spatial power": SpatialPowerRatio,
}


def some_clips(count: int = 5, seed: int = 0) -> Tensor:
    """Reddish texture that shifts and changes its light, with highlights: uint8 (count, 3, 3, 32, 32)."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.nn.functional.avg_pool2d(torch.randn(count, 1, 34, 34, generator=generator), 3, 1)
    frames = torch.stack([80 + 25 * noise.roll(t, -1) + 4 * (t % 2) for t in range(3)], 2)
    clips = frames * torch.tensor([1.4, 0.9, 0.8])[:, None, None, None]
    clips[..., 10:12, 10:12] = 250
    return clips.clamp(0, 255).to(torch.uint8)


def some_masks() -> Tensor:
    return torch.rand(4, 1, 3, 8, 8, generator=torch.Generator().manual_seed(0)) < 0.5


def filled(name: str, part: slice = slice(None)) -> Metric:
    """A metric that has seen a part of the clips, one at a time."""
    clips, others = some_clips(), some_clips(seed=1)
    if name in OF_SETS:
        metric = OF_SETS[name]()
        for real, side in ((True, clips), (False, others)):
            for clip in side[part].split(1):
                metric.update(clip, real=real)
        return metric
    if name in OF_PAIRS:
        metric = OF_PAIRS[name][0]()
        for clip, other in zip(clips[part].split(1), others[part].split(1), strict=True):
            metric.update(clip, other)
        return metric
    others_of_clips = {"spectrum": NoisePowerSpectrum, "masks": MaskTemporalIoU}
    metric = others_of_clips[name]() if name in others_of_clips else OF_CLIPS[name][0]()
    for clip in (some_masks() if name == "masks" else clips)[part].split(1):
        metric.update(clip)
    return metric


ALL = (*OF_CLIPS, *OF_PAIRS, *OF_SETS, "spectrum", "masks")


def numbers(value: Any) -> Tensor:
    """All numbers of what a metric computed."""
    return torch.cat([part.reshape(-1) for part in (value if isinstance(value, tuple) else (value,))])


@pytest.mark.parametrize("name", OF_CLIPS)
def test_the_class_is_the_mean_of_the_function(name: str) -> None:
    torch.testing.assert_close(filled(name).compute(), OF_CLIPS[name][1](some_clips()).mean(), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("name", OF_PAIRS)
def test_the_class_of_pairs_is_the_mean_of_the_function(name: str) -> None:
    expected = OF_PAIRS[name][1](some_clips(), some_clips(seed=1)).mean()
    torch.testing.assert_close(filled(name).compute(), expected)
    assert filled(name).higher_is_better


def test_masks_and_spectrum_are_those_of_the_functions() -> None:
    torch.testing.assert_close(filled("masks").compute(), measure.mask_temporal_iou(some_masks()).mean())
    expected = measure.noise_power_spectrum(some_clips())
    found = filled("spectrum").compute()
    torch.testing.assert_close(found.frequency, expected.frequency)
    torch.testing.assert_close(found.power, expected.power.mean(0))


def test_distances_of_sets_are_those_of_the_functions() -> None:
    real, fake = some_clips(), some_clips(seed=1)
    torch.testing.assert_close(filled("colour").compute(), measure.lab_colour_distance(real, fake), rtol=1e-6, atol=0)
    values = [measure.clip_lab(clips)[:, 0].numpy() for clips in (real, fake)]
    assert filled("lightness").compute().item() == pytest.approx(wasserstein_distance(*values))


@pytest.mark.parametrize("name", ALL)
def test_it_survives_pickle_and_starts_anew_after_reset(name: str) -> None:
    metric = filled(name)
    again = pickle.loads(pickle.dumps(metric))
    assert torch.equal(numbers(again.compute()), numbers(metric.compute()))
    metric.reset()
    assert not any(
        getattr(metric, state).any() for state in metric._defaults if torch.is_tensor(getattr(metric, state))
    )


@pytest.mark.parametrize("name", ALL)
def test_it_can_be_plotted(name: str) -> None:
    figure, _ = filled(name).plot()
    matplotlib.pyplot.close(figure)


def _on_one_of_two_processes(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    shares = (slice(0, 3), slice(3, None))
    found = {name: numbers(filled(name, shares[rank]).compute()) for name in ALL}
    one_sided = PropertyDistance("flicker")
    one_sided.update_values(torch.tensor([1.0, 2.0]), real=rank == 0)
    found["one-sided"] = one_sided.compute()
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


def test_two_processes_are_one(tmp_path: Path) -> None:
    spawn(_on_one_of_two_processes, args=(str(tmp_path),), nprocs=2)
    for rank in (0, 1):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert found["one-sided"] == 0
        for name in ALL:
            torch.testing.assert_close(found[name], numbers(filled(name).compute()), rtol=1e-9, atol=1e-9)


def test_a_collection_keeps_apart_what_was_equal_in_its_first_batch() -> None:
    frozen = torch.full((1, 3, 3, 32, 32), 90, dtype=torch.uint8)
    classes: list[Metric] = [MotionMagnitude(), MotionAcceleration(), WarpingError(), Flicker(), SpecularArea()]
    together = MetricCollection(classes)
    widths = MetricCollection({name: AutocovarianceWidth(name) for name in ("axial", "lateral")})  # type: ignore[arg-type]
    for clips in (frozen, some_clips()):
        together.update(clips)
        widths.update(clips)
    alone = [type(metric)() for metric in classes]
    for metric in alone:
        metric.update(frozen)
        metric.update(some_clips())
        torch.testing.assert_close(together.compute()[type(metric).__name__], metric.compute())
    with pytest.warns(UserWarning, match="1 of 6 clips have no value"):
        found = widths.compute()
    assert found["axial"] != found["lateral"]


def test_properties_in_a_collection_stay_apart() -> None:
    frozen = torch.full((1, 3, 3, 32, 32), 90, dtype=torch.uint8)
    together = MetricCollection({name: PropertyDistance(name) for name in ("flicker", "motion_magnitude")})
    for clips in (frozen, some_clips()):
        together.update(clips, real=True)
    together.update(frozen, real=False)
    expected = measure.motion_magnitude(some_clips()).sum() / 6
    torch.testing.assert_close(together.compute()["motion_magnitude"], expected)


def test_clips_without_a_value_are_left_out_and_counted() -> None:
    metric = SpecularLifetime()
    metric.update(some_clips(1))
    metric.update(torch.full((2, 3, 3, 32, 32), 90, dtype=torch.uint8))
    with pytest.warns(UserWarning, match="SpecularLifetime: 2 of 3 clips have no value"):
        assert metric.compute() == 3
    distance = PropertyDistance("specular_lifetime")
    distance.update(some_clips(2), real=True)
    distance.update_values(torch.tensor([1.0, torch.nan]), real=False)
    with pytest.warns(UserWarning, match="1 of 2 fake clips have no value"):
        assert distance.compute() == 2


def test_a_side_without_clips_is_an_error() -> None:
    distance, colours = PropertyDistance("flicker"), LabColourDistance()
    distance.update_values(torch.ones(2), real=True)
    with pytest.raises(ValueError, match="Flicker: none of 0 fake clips has a value"):
        distance.compute()
    colours.update(some_clips(1), real=True)
    with pytest.raises(ValueError, match="no fake clips; update"):
        colours.compute()
    with pytest.raises(KeyError, match="no property 'speed'"):
        PropertyDistance("speed")


def test_one_exact_reconstruction_makes_the_mean_infinite() -> None:
    metric = ClipPSNR()
    metric.update(some_clips(), some_clips())
    assert metric.compute() == np.inf
