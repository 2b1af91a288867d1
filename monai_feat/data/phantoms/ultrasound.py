# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""An apical B-mode sector of a beating left ventricle, with speckle that moves with the tissue.

Every structure and the speckle live in material coordinates, the tissue as it lies at end diastole; a smooth motion
maps each pixel of each frame back to them. The image is measured in half its shorter side, x to the right, y down, as
is the sector; the heart in the frame of its long axis. Shape letters: T frames, H height, W width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from monai_feat.data.phantoms.clip import (
    PhantomClip,
    frame_times,
    parse_request,
    parse_seed,
    pixel_grid,
    smoothstep,
    to_uint8,
)
from monai_feat.data.phantoms.heart import (
    MM_PER_UNIT,
    SPECKLE_ANGLE,
    SPECKLE_DEPTH,
    Heart,
    draw_heart,
    draw_recording,
    emptied,
    mitral_opening,
)

MOTION_REACH = 2.7  # where the wall's motion has died out, in ventricle radii


def ultrasound_phantom(
    seed: int,
    size: int | tuple[int, int] = 64,
    num_frames: int = 16,
    frame_rate: float = 16.0,
    patient_seed: int | None = None,
) -> PhantomClip:
    """Render an apical clip of a beating ventricle with the exact mask of its cavity.

    The ejection fraction is that of the solid of revolution of the mask about its long axis between end diastole and
    end systole, whether or not a frame falls on them: EF = 1 − (A_s²/L_s) / (A_d²/L_d) with area A and long axis L.

    Attributes of the clip: ``ejection_fraction`` (0 to 1), ``heart_rate_bpm``, ``end_diastolic_volume_ml``,
    ``end_systolic_volume_ml``, ``fractional_area_change`` (0 to 1), ``phase`` (of the first frame, 0 to 1; 0 is end
    diastole), ``depth_mm``.

    Args:
        seed: Non-negative integer that fixes the whole scene.
        size: ``(H, W)`` in pixels, or one integer for a square; at least 16.
        num_frames: Frames T, at least 1.
        frame_rate: Frames per second, Hz.
        patient_seed: Non-negative integer that fixes the anatomy instead, so that clips of other seeds show the same
            patient in another recording; None for a patient of the clip's own.

    Returns:
        A clip with a grey image ``(1, T, H, W)`` and the mask ``(1, T, H, W)`` of the left ventricle's cavity.

    Raises:
        ValueError: An argument is out of range.
    """
    height, width = parse_request(seed, size, num_frames, frame_rate)
    heart = draw_heart(np.random.default_rng([1, seed]))
    if patient_seed is not None:
        heart = draw_recording(draw_heart(np.random.default_rng([1, parse_seed(patient_seed)])), heart)
    image, mask = render_heart(heart, height, width, frame_times(num_frames, frame_rate))
    volume = heart.end_diastolic_volume
    attributes = {
        "ejection_fraction": heart.ejection_fraction,
        "heart_rate_bpm": heart.heart_rate,
        "end_diastolic_volume_ml": volume,
        "end_systolic_volume_ml": volume * (1 - heart.ejection_fraction),
        "fractional_area_change": heart.area_change,
        "phase": heart.phase,
        "depth_mm": 2 * MM_PER_UNIT,
    }
    return PhantomClip(to_uint8(image), mask.to(torch.uint8), frame_rate, attributes)


@dataclass(frozen=True)
class _Motion:
    """The heart's state in each frame, ``(T, 1, 1)``: apex, both axes of the ventricle, opening of the mitral valve."""

    apex_x: Tensor
    apex_y: Tensor
    length: Tensor
    width: Tensor
    opened: Tensor

    @classmethod
    def at(cls, heart: Heart, times: Tensor) -> _Motion:
        phase = heart.phase + heart.heart_rate / 60 * times
        length, width = heart.axes(emptied(phase))
        apex_x, apex_y = (rest + drift.at(times) for rest, drift in zip(heart.apex, heart.sway, strict=True))
        return cls(apex_x, apex_y, length, width, mitral_opening(phase))


def render_heart(heart: Heart, height: int, width: int, times: Tensor) -> tuple[Tensor, Tensor]:
    """Render the log-compressed sector.

    Returns:
        The image in [0, 1], ``(1, T, H, W)``, and the boolean mask of the cavity, ``(1, T, H, W)``.
    """
    motion = _Motion.at(heart, times)
    x, y = pixel_grid(height, width)
    across, along, radius = _to_material(heart, motion, x, y)
    depth, angle = _polar(heart, x, y)
    level = _tissue_level(heart, across, along, motion) + _gain(heart, depth, angle)
    # Speckle alone is finer than a pixel: four samples of it are compressed and averaged, all else is smooth.
    fine_across, fine_along, _ = _to_material(heart, motion, *pixel_grid(2 * height, 2 * width))
    speckle = _speckle_level(heart, fine_across, fine_along).reshape(-1, height, 2, width, 2)
    grey = (1 + (level[:, :, None, :, None] + speckle) / heart.dynamic_range).clamp_(0, 1).mean((2, 4))
    image = grey * _sector(heart, depth, angle, 2 / min(height, width))
    return image[None], (radius < 1)[None]


def _ventricle_radius(heart: Heart, across: Tensor, along: Tensor, width: Tensor | float) -> Tensor:
    """Distance from the centre in ventricle radii, 1 on the endocardium.

    ``along`` runs from -1 at the apex to 1 at the base. The half width is D/2·√(1−u²)·(1+egg·u): the egg's area is
    that of the ellipse, and its volume is the ellipsoid's times a constant.
    """
    across = across / (width / 2 * (1 + heart.egg * along.clamp(-1, 1)))
    return torch.sqrt(across * across + along * along)


def _to_material(heart: Heart, motion: _Motion, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Map pixels to the tissue at end diastole: across and along the long axis from the ventricle's centre.

    The cavity follows the axes of the frame, and the motion dies out smoothly away from it. Also returns the
    radius of :func:`_ventricle_radius` in the frame itself. All ``(T, H, W)``.
    """
    dx, dy = x - motion.apex_x, y - motion.apex_y
    c, s = math.cos(heart.tilt), math.sin(heart.tilt)
    across, along = c * dx + s * dy, c * dy - s * dx - motion.length / 2
    radius = _ventricle_radius(heart, across, along * (2 / motion.length), motion.width)
    follow = 1 - smoothstep(radius, 1.0, MOTION_REACH)
    rest_along = along + motion.length / 2 - heart.length / 2
    across = across * (1 + follow * (heart.width / motion.width - 1))
    along = rest_along + follow * (along * (heart.length / motion.length) - rest_along)
    return across, along, radius


def _tissue_level(heart: Heart, across: Tensor, along: Tensor, motion: _Motion) -> Tensor:
    """Mean echo level in dB under the brightest, at material positions: four chambers, walls, surroundings."""
    half, wall = heart.length / 2, heart.wall
    left_ventricle = (_ventricle_radius(heart, across, along / half, heart.width) - 1) * (heart.width / 2)

    def ellipse(cx: float, cy: float, a: float | Tensor, b: float) -> Tensor:
        ex, ey = (across - cx) * (1 / a), (along - cy) * (1 / b)
        return (torch.sqrt(ex * ex + ey * ey) - 1) * 0.24

    left_atrium = ellipse(0.04, half + 0.2, 0.27, 0.27)
    right_at = -heart.width / 2 - wall - 0.16
    squeeze = motion.width / heart.width
    right_ventricle = torch.maximum(
        ellipse(right_at, 0.2 * half, 0.24 * squeeze, 0.72 * half), 0.8 * wall - left_ventricle
    )
    right_atrium = torch.maximum(ellipse(right_at - 0.02, half + 0.2, 0.25, 0.22), 0.06 - left_atrium)
    left = torch.minimum(left_ventricle, left_atrium)
    right = torch.minimum(right_ventricle, right_atrium)
    chambers = torch.minimum(left, right)  # distance to the nearest chamber
    muscle = 1 - smoothstep(torch.minimum(left, right + 0.5 * wall), 0.8 * wall, 1.5 * wall)
    outer_wall = _ridge((left_ventricle - 1.15 * wall).square(), 0.06) * smoothstep(across, -0.1, 0.15)
    lining = _ridge(chambers.square(), 0.07)
    tissue = -heart.gain - 11 + 12 * muscle + 7 * outer_wall + 3 * lining
    blood = 1 - smoothstep(chambers, -0.03, 0.02)
    leaflets = _mitral_leaflets(heart, across, along, motion)
    return tissue - blood * (heart.blood * (1 - leaflets) + 3 * leaflets)


def _ridge(squared_distance: Tensor, width: float) -> Tensor:
    """Smooth bump, 1 at distance 0 and 0 from ``width`` on: (1 − d²/w²)². A Gaussian would make slow denormals."""
    return (1 - squared_distance / width**2).clamp_(min=0).square_()


def _mitral_leaflets(heart: Heart, across: Tensor, along: Tensor, motion: _Motion) -> Tensor:
    """Presence in [0, 1] of the two leaflets: segments that meet when closed and point at the apex when open."""
    ring, half = 0.19, heart.length / 2
    shortest = torch.full_like(across, 1.0)
    for side, reach in ((-1.0, 0.17), (1.0, 0.13)):
        tip_x = -side * (0.19 - 0.12 * motion.opened)  # relative to the ring
        tip_y = -0.06 - reach * motion.opened
        x, y = across - (0.02 + side * ring), along - 0.9 * half
        share = ((x * tip_x + y * tip_y) / (tip_x * tip_x + tip_y * tip_y)).clamp_(0, 1)
        shortest = torch.minimum(shortest, (x - share * tip_x).square_() + (y - share * tip_y).square_())
    return _ridge(shortest, 0.045)


def _polar(heart: Heart, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Distance from the virtual apex of the sector and angle to its axis."""
    down = y + 0.97 + heart.footprint * math.cos(heart.half_angle)
    return torch.sqrt(x * x + down * down), torch.atan2(x, down)


def _speckle_level(heart: Heart, across: Tensor, along: Tensor) -> Tensor:
    """Speckle in dB at material positions; its point spread is constant in angle, so it widens with depth."""
    c, s = math.cos(heart.tilt), math.sin(heart.tilt)
    below = along + heart.length / 2
    x, y = heart.apex[0] + c * across - s * below, heart.apex[1] + s * across + c * below
    depth, angle = _polar(heart, x, y)
    grid = torch.stack([angle / (SPECKLE_ANGLE / 2), depth / (SPECKLE_DEPTH / 2) - 1], dim=-1)
    frames, height, width = depth.shape
    field = F.grid_sample(heart.speckle[None], grid.reshape(1, frames * height, width, 2), align_corners=True)[0]
    power = field.square_().sum(0).reshape(frames, height, width)
    return 10 * torch.log10(power + 1e-2)


def _gain(heart: Heart, depth: Tensor, angle: Tensor) -> Tensor:
    """Attenuation with depth and uneven contact along the transducer, dB."""
    amplitude, cycles, phase = heart.beam_gain
    contact = amplitude * (torch.sin(cycles * math.pi / heart.half_angle * angle + phase) - 1)
    return contact - heart.attenuation * (depth / 2 - 0.3)


def _sector(heart: Heart, depth: Tensor, angle: Tensor, pixel: float) -> Tensor:
    """Coverage of the field of view, 1 inside, with an edge of one pixel."""
    edge = torch.minimum(
        torch.minimum(depth - heart.footprint, 1.95 + heart.footprint - depth), (heart.half_angle - angle.abs()) * depth
    )
    return (edge / pixel + 0.5).clamp(0, 1)
