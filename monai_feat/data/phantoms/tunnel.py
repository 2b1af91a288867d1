# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What a seed decides about an endoscopic scene: a bent tunnel with folds, the light, a polyp.

Lengths are in tunnel radii unless a name says mm. The image plane is measured in half its shorter side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from monai_feat.data.phantoms.clip import Drift

FAR = 8.0  # depth at which the lumen is black
NEAR = 0.3  # depth at which a fold has left the field of view
TEXTURE_LENGTH = 8.0  # length of wall after which the texture repeats


@dataclass(frozen=True)
class Polyp:
    """A sphere sunk into the wall.

    Attributes:
        position: Distance along the tunnel from where the camera starts.
        angle: Direction from the axis towards the polyp, radians.
        radius: Radius of the sphere.
        height: Distance from the axis to the centre of the sphere; 1 is on the wall.
    """

    position: float
    angle: float
    radius: float
    height: float


@dataclass(frozen=True)
class Folds:
    """Haustral folds, evenly spaced but for their irregularities.

    Attributes:
        spacing: Mean distance between two folds.
        reach: Mean reach of a fold towards the axis.
        lobes: How triangular the lumen is, 0 is round.
        twist: Rotation of the lobes where the camera starts, radians.
        seed: Seed of the irregularities.
    """

    spacing: float
    reach: float
    lobes: float
    twist: float
    seed: int

    def table(self, last: float) -> NDArray[np.float64]:
        """Position, reach and rotation of each fold from 0 to at least ``last``, nearest first: ``(folds, 3)``."""
        count = math.ceil(last / self.spacing) + 2
        jitter = np.random.default_rng(self.seed).uniform(-1, 1, (count, 3))
        positions = (np.arange(count) + 0.25 * jitter[:, 0]) * self.spacing
        reach = self.reach * (1 + 0.25 * jitter[:, 1])
        return np.stack([positions, reach, self.twist + 0.15 * positions + 0.5 * jitter[:, 2]], axis=1)

    def first_beyond(self, position: float) -> float:
        """Position of the first fold beyond ``position``."""
        positions = self.table(position + self.spacing)[:, 0]
        return float(positions[positions > position][0])

    def ahead(self, first: float, last: float) -> list[tuple[float, float, float]]:
        """Rows of the table that a camera moving from ``first`` to ``last`` sees, farthest first."""
        table = self.table(last + FAR)
        visible = table[(table[:, 0] > first + NEAR) & (table[:, 0] < last + FAR)]
        return [(row[0], row[1], row[2]) for row in visible[::-1].tolist()]


@dataclass(frozen=True)
class Tunnel:
    """Everything that a seed decides about an endoscopic scene, before any pixel is computed.

    Attributes:
        radius_mm: Radius of the tunnel, mm: the unit of all other lengths.
        speed: Forward speed, radii per second.
        focal: Focal length in half image sides.
        bend: Curvature of the axis where the camera starts, ``(x, y)``.
        bend_rate: Change of the curvature per radius of travel, ``(x, y)``.
        drifts: Wander of pan x, pan y (half image sides), roll (radians), camera offset x, y (radii).
        folds: The folds.
        wall_colour: RGB reflectance of the mucosa.
        polyp_colour: RGB reflectance of the polyp.
        lamp: Unevenness of the light per half image side, ``(x, y)``.
        corner_cut: Length of the black corners of the octagonal field of view, half image sides.
        polyp: The polyp, or None.
        texture: Mottling, vessels and wet bumps of the unrolled wall, ``(3, angle, length)``.
    """

    radius_mm: float
    speed: float
    focal: float
    bend: tuple[float, float]
    bend_rate: tuple[float, float]
    drifts: tuple[Drift, Drift, Drift, Drift, Drift]
    folds: Folds
    wall_colour: tuple[float, float, float]
    polyp_colour: tuple[float, float, float]
    lamp: tuple[float, float]
    corner_cut: float
    polyp: Polyp | None
    texture: Tensor


def draw_tunnel(rng: np.random.Generator, polyp_probability: float) -> Tunnel:
    """Draw a scene; each number is always drawn, so that a polyp's absence changes nothing else."""
    direction = rng.uniform(0, 2 * np.pi)
    bend, speed = rng.uniform(0.03, 0.18), rng.uniform(0.2, 0.7)
    polyp_drawn = rng.uniform() < polyp_probability
    folds = Folds(
        spacing=rng.uniform(0.75, 1.3),
        reach=rng.uniform(0.2, 0.34),
        lobes=rng.uniform(0.1, 0.6),
        twist=rng.uniform(0, 2 * np.pi),
        seed=int(rng.integers(2**31)),
    )
    # In front of a fold, where the next nearer one hides least of it, and not where the wall bends out of sight.
    position = folds.first_beyond(rng.uniform(1.15, 1.6) + speed) - 0.1
    polyp = Polyp(position, direction + rng.uniform(0.8, 5.4), rng.uniform(0.34, 0.54), 1.03)
    redness, paleness = rng.uniform(0, 1), rng.uniform(0, 1)
    wall = np.array([0.92, 0.50 - 0.14 * redness + 0.05 * paleness, 0.40 - 0.12 * redness + 0.08 * paleness])
    tint = rng.uniform([1.0, 0.68, 0.92], [1.06, 0.95, 1.08])
    polyp_tint = np.array([tint[0], tint[1], tint[1] * tint[2]])
    return Tunnel(
        radius_mm=rng.uniform(20, 28),
        speed=speed,
        focal=rng.uniform(0.75, 0.95),
        bend=(bend * math.cos(direction), bend * math.sin(direction)),
        bend_rate=tuple(rng.uniform(-0.012, 0.012, 2).tolist()),
        drifts=(
            Drift.draw(rng, 0.45),
            Drift.draw(rng, 0.4),
            Drift.draw(rng, 0.35),
            Drift.draw(rng, 0.3),
            Drift.draw(rng, 0.3),
        ),
        folds=folds,
        wall_colour=tuple(wall.tolist()),
        polyp_colour=tuple((wall * polyp_tint).tolist()),
        lamp=tuple(rng.uniform(-0.18, 0.18, 2).tolist()),
        corner_cut=rng.uniform(0.25, 0.6),
        polyp=polyp if polyp_drawn else None,
        texture=_wall_texture(rng),
    )


def draw_recording(patient: Tunnel, recording: Tunnel) -> Tunnel:
    """Return a patient's colon as another withdrawal shows it: anatomy of one, movement and light of the other.

    The camera starts at the same place, because the polyp lies there.
    """
    return replace(patient, speed=recording.speed, drifts=recording.drifts, lamp=recording.lamp)


def _wall_texture(rng: np.random.Generator, angles: int = 64, lengths: int = 80) -> Tensor:
    """Periodic texture of the unrolled wall, ``(3, angles, lengths)``: mottling, vessels in [0, 1], wet bumps."""
    fy = np.fft.fftfreq(angles, 2 * np.pi / angles)[:, None]
    fx = np.fft.rfftfreq(lengths, TEXTURE_LENGTH / lengths)[None]
    spectrum = np.fft.rfft2(rng.standard_normal((3, angles, lengths)))
    correlation = np.array([0.35, 0.22, 0.07])[:, None, None]
    fields = np.fft.irfft2(spectrum * np.exp(-2 * (np.pi * correlation) ** 2 * (fx**2 + fy**2)), s=(angles, lengths))
    fields /= fields.std(axis=(1, 2), keepdims=True)
    # Zero crossings of a smooth field are thin branching-looking curves.
    fields[1] = np.exp(-((fields[1] / 0.16) ** 2))
    return torch.from_numpy(fields.astype(np.float32))
