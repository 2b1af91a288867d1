# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a seed decides about an ultrasound scene: the heart and its cycle, the sector, the speckle.

Lengths are in half the image's shorter side; the heart is described as it lies at end diastole.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from monai_feat.data.phantoms.clip import Drift, smoothstep

MM_PER_UNIT = 75.0  # half the image side: a 15 cm deep scan
SYSTOLE_SHARE = 0.36  # part of the cycle in which the ventricle empties
LONG_AXIS_SHORTENING = 0.22  # part of the logarithmic volume change that is shortening of the long axis
SPECKLE_DEPTH, SPECKLE_ANGLE = 2.4, 1.6  # period of the speckle: depth in half image sides, angle in radians


@dataclass(frozen=True)
class Heart:
    """Everything that a seed decides about an ultrasound scene, before any pixel is computed.

    Attributes:
        heart_rate: Beats per minute.
        phase: Part of the cycle at time 0; 0 is end diastole.
        ejection_fraction: Part of the end-diastolic volume that is ejected.
        length: Long axis at end diastole.
        width: Short axis at end diastole.
        egg: How much wider the base is than the apex, 0 is an ellipse.
        apex: Position of the apex in the image.
        tilt: Angle of the long axis to the vertical, radians.
        wall: Thickness of the wall at end diastole.
        half_angle: Half the opening angle of the sector, radians.
        footprint: Radius of the transducer's face.
        attenuation: Loss from top to bottom after gain compensation, dB.
        dynamic_range: Range of the log compression, dB.
        gain: Level of the tissue under the top of that range, dB.
        blood: Level of the blood under the tissue, dB.
        sway: Slow wander of the heart, x and y.
        beam_gain: Amplitude (dB), cycles over the sector and phase of the uneven contact along the transducer.
        speckle: Complex speckle in polar material coordinates, ``(2, depth, angle)``, unit mean power.
    """

    heart_rate: float
    phase: float
    ejection_fraction: float
    length: float
    width: float
    egg: float
    apex: tuple[float, float]
    tilt: float
    wall: float
    half_angle: float
    footprint: float
    attenuation: float
    dynamic_range: float
    gain: float
    blood: float
    sway: tuple[Drift, Drift]
    beam_gain: tuple[float, float, float]
    speckle: Tensor

    @property
    def end_diastolic_volume(self) -> float:
        """Volume of the ventricle at end diastole, ml: π/6·L·D²·(1 + egg²/5), its outline revolved."""
        return math.pi / 6 * (1 + self.egg**2 / 5) * self.length * self.width**2 * MM_PER_UNIT**3 / 1000

    @property
    def area_change(self) -> float:
        """Part of the end-diastolic area in the image plane that is lost at end systole."""
        length, width = self.axes(torch.tensor(1.0))
        return 1 - float(length * width) / (self.length * self.width)

    def axes(self, emptying: Tensor) -> tuple[Tensor, Tensor]:
        """Long and short axis when ``emptying`` (0 to 1) of the stroke volume has left: L·D² follows the volume."""
        volume = 1 - self.ejection_fraction * emptying
        length = volume**LONG_AXIS_SHORTENING
        return self.length * length, self.width * torch.sqrt(volume / length)


def draw_heart(rng: np.random.Generator) -> Heart:
    """Draw a scene, healthy and failing hearts alike."""
    ejection_fraction = rng.uniform(0.25, 0.7)
    length = rng.uniform(0.95, 1.15)
    return Heart(
        heart_rate=rng.uniform(55, 105),
        phase=rng.uniform(0, 1),
        ejection_fraction=ejection_fraction,
        length=length,
        # Failing ventricles are dilated.
        width=length * (0.66 - 0.25 * ejection_fraction + rng.uniform(-0.05, 0.05)),
        egg=rng.uniform(0.12, 0.28),
        apex=(rng.uniform(0.02, 0.13), rng.uniform(-0.72, -0.6)),
        tilt=rng.uniform(-0.25, 0.02),
        wall=rng.uniform(0.11, 0.16),
        half_angle=rng.uniform(0.62, 0.72),
        footprint=rng.uniform(0.06, 0.22),
        attenuation=rng.uniform(4, 12),
        dynamic_range=rng.uniform(52, 62),
        gain=rng.uniform(17, 22),
        blood=rng.uniform(28, 38),
        sway=(Drift.draw(rng, 0.02), Drift.draw(rng, 0.02)),
        beam_gain=(rng.uniform(1, 4), rng.uniform(0.8, 2.5), rng.uniform(0, 2 * np.pi)),
        speckle=speckle_field(rng, (160, 96), (0.05 / SPECKLE_DEPTH, 0.07 / SPECKLE_ANGLE)),
    )


# What differs between two recordings of one patient: the heart's phase and rate, the probe's pose and settings, and the
# speckle, because no two recordings show the same slice to a wavelength.
_RECORDING = (
    "heart_rate",
    "phase",
    "apex",
    "tilt",
    "attenuation",
    "dynamic_range",
    "gain",
    "sway",
    "beam_gain",
    "speckle",
)


def draw_recording(patient: Heart, recording: Heart) -> Heart:
    """Return a patient's heart as another recording shows it: anatomy of one, motion and pose of the other."""
    return replace(patient, **{name: getattr(recording, name) for name in _RECORDING})


def speckle_field(rng: np.random.Generator, shape: tuple[int, int], width: tuple[float, float]) -> Tensor:
    """Fully developed speckle: a circular complex Gaussian field, periodic, seen through a Gaussian point spread.

    Its envelope, the length over the first axis, is Rayleigh distributed: mean/std = √(π/(4−π)) = 1.913 (Burckhardt,
    IEEE Trans. Sonics Ultrason. 25, 1978).

    Args:
        rng: Source of the scatterers.
        shape: Samples along both axes.
        width: Full width at half maximum of the point spread along both axes, as a part of the period.

    Returns:
        Real and imaginary part, float32, ``(2, *shape)``; the mean of their summed squares is 1.
    """
    fy, fx = np.fft.fftfreq(shape[0], 1 / shape[0])[:, None], np.fft.fftfreq(shape[1], 1 / shape[1])[None]
    sigma_y, sigma_x = (w / math.sqrt(8 * math.log(2)) for w in width)
    transfer = np.exp(-2 * np.pi**2 * ((sigma_y * fy) ** 2 + (sigma_x * fx) ** 2))
    spectrum = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) * transfer
    field = np.fft.ifft2(spectrum)
    field /= np.sqrt(np.mean(np.abs(field) ** 2))
    return torch.from_numpy(np.stack([field.real, field.imag]).astype(np.float32))


def emptied(phase: Tensor) -> Tensor:
    """Part of the stroke volume that has left the ventricle at a phase of the cycle, in [0, 1].

    A smooth ejection to 1 at the end of systole, then early filling, a rest, and the atrial kick back to 0.
    """
    phase = torch.remainder(phase, 1)
    ejected = smoothstep(phase, 0.0, SYSTOLE_SHARE)
    early = 0.75 * smoothstep(phase, SYSTOLE_SHARE, 0.68)
    kick = 0.25 * smoothstep(phase, 0.8, 1.0)
    return ejected - early - kick


def mitral_opening(phase: Tensor) -> Tensor:
    """Opening of the mitral valve at a phase of the cycle, in [0, 1]: wide in early filling, less at the kick."""
    phase = torch.remainder(phase, 1)
    early = smoothstep(phase, SYSTOLE_SHARE, 0.46) - 0.7 * smoothstep(phase, 0.54, 0.7)
    return early + 0.4 * smoothstep(phase, 0.76, 0.86) - 0.7 * smoothstep(phase, 0.9, 1.0)
