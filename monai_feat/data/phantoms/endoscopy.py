# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A colonoscope travelling down a folded tunnel, with a sessile polyp on its wall.

Lengths are in tunnel radii unless a name says mm; the camera looks along the tunnel and ``z`` is the depth ahead of it.
The image plane is measured in half its shorter side. Shape letters: T frames, H height, W width.
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
from monai_feat.data.phantoms.tunnel import FAR, NEAR, TEXTURE_LENGTH, Polyp, Tunnel, draw_recording, draw_tunnel

CLOSEST = 0.05  # depth in front of which nothing is drawn
LIGHT_REACH = 1.6  # depth at which the light has halved


def endoscopy_phantom(
    seed: int,
    size: int | tuple[int, int] = 64,
    num_frames: int = 16,
    frame_rate: float = 10.0,
    polyp_probability: float = 0.85,
    patient_seed: int | None = None,
) -> PhantomClip:
    """Render a colonoscopic clip with an exact polyp mask; the same seed gives the same scene at every size.

    Attributes of the clip: ``polyp_present`` (0 or 1), ``polyp_diameter_mm`` (0 if absent), ``speed_mm_per_s``,
    ``tunnel_radius_mm``, ``fold_spacing_mm``.

    Args:
        seed: Non-negative integer that fixes the whole scene.
        size: ``(H, W)`` in pixels, or one integer for a square; at least 16.
        num_frames: Frames T, at least 1.
        frame_rate: Frames per second, Hz.
        polyp_probability: Share of seeds with a polyp; the rest of a scene does not depend on it.
        patient_seed: Non-negative integer that fixes the anatomy instead, so that clips of other seeds show the same
            patient in another recording; None for a patient of the clip's own.

    Returns:
        A clip with an RGB image ``(3, T, H, W)`` and the mask ``(1, T, H, W)`` of pixels that show the polyp.

    Raises:
        ValueError: An argument is out of range.
    """
    height, width = parse_request(seed, size, num_frames, frame_rate)
    if not 0 <= polyp_probability <= 1:
        raise ValueError(f"polyp_probability must be in [0, 1], got {polyp_probability}")
    scene = draw_tunnel(np.random.default_rng([0, seed]), polyp_probability)
    if patient_seed is not None:
        patient = draw_tunnel(np.random.default_rng([0, parse_seed(patient_seed)]), polyp_probability)
        scene = draw_recording(patient, scene)
    image, mask = render_tunnel(scene, height, width, frame_times(num_frames, frame_rate))
    polyp = scene.polyp
    attributes = {
        "polyp_present": float(polyp is not None),
        "polyp_diameter_mm": 2 * polyp.radius * scene.radius_mm if polyp else 0.0,
        "speed_mm_per_s": scene.speed * scene.radius_mm,
        "tunnel_radius_mm": scene.radius_mm,
        "fold_spacing_mm": scene.folds.spacing * scene.radius_mm,
    }
    return PhantomClip(to_uint8(image), mask.to(torch.uint8), frame_rate, attributes)


@dataclass(frozen=True)
class _View:
    """The camera of each frame: what turns depth into image positions. Scalars over time are ``(T, 1, 1)``."""

    scene: Tunnel
    travel: Tensor
    pan: tuple[Tensor, Tensor]
    offset: tuple[Tensor, Tensor]
    x: Tensor
    y: Tensor
    pixel: float

    @classmethod
    def at(cls, scene: Tunnel, height: int, width: int, times: Tensor) -> _View:
        pan_x, pan_y, roll, offset_x, offset_y = (drift.at(times) for drift in scene.drifts)
        x, y = pixel_grid(height, width)
        rolled = (roll.cos() * x + roll.sin() * y, roll.cos() * y - roll.sin() * x)
        return cls(
            scene, scene.speed * times, (pan_x, pan_y), (offset_x, offset_y), *rolled, pixel=2 / min(height, width)
        )

    def axis(self, depth: Tensor) -> tuple[Tensor, Tensor]:
        """Position of the tunnel's axis beside the line of sight at a depth: κ/2·z² + κ'/6·z³ − offset."""
        centre = []
        for bend, rate, offset in zip(self.scene.bend, self.scene.bend_rate, self.offset, strict=True):
            curvature = bend + rate * self.travel
            centre.append((rate / 6 * depth + curvature / 2) * depth * depth - offset)
        return centre[0], centre[1]

    def from_axis(self, depth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Pixel position relative to the axis at a depth, and its length: ``(x, y, r)``, each ``(T, H, W)``."""
        centre_x, centre_y = self.axis(depth)
        scale = self.scene.focal / depth
        x, y = self.x - self.pan[0] - scale * centre_x, self.y - self.pan[1] - scale * centre_y
        return x, y, torch.sqrt(x * x + y * y).clamp_(min=1e-3)

    def wall_depth(self) -> Tensor:
        """Depth of the smooth wall behind each pixel: the damped fixed point of z = f / |p − axis(z)|."""
        depth = (self.scene.focal / self.from_axis(torch.tensor(1.0))[2]).clamp_(NEAR, FAR)
        for _ in range(3):
            update = (self.scene.focal / self.from_axis(depth)[2]).clamp_(NEAR, FAR)
            depth = torch.sqrt(depth * update)
        return depth


def render_tunnel(scene: Tunnel, height: int, width: int, times: Tensor) -> tuple[Tensor, Tensor]:
    """Paint the folds from the farthest to the nearest, then the polyp where no nearer fold hides it.

    Returns:
        The image in [0, 1], ``(3, T, H, W)``, and the boolean mask of the polyp, ``(1, T, H, W)``.
    """
    view = _View.at(scene, height, width, times)
    wall = view.wall_depth()
    depth, facing = wall.clone(), torch.zeros_like(wall)
    unhidden = torch.ones_like(wall)  # part of each pixel where no fold hides the polyp
    folds = scene.folds.ahead(float(view.travel.min()), float(view.travel.max()))
    nearer = [*(fold[0] for fold in folds[1:]), -math.inf]
    for fold, next_position in zip(folds, nearer, strict=True):
        cover, layer_depth, layer_facing = _fold_layer(view, wall, fold, next_position)
        depth = torch.lerp(depth, layer_depth, cover)
        facing = torch.lerp(facing, layer_facing, cover)
        if scene.polyp and fold[0] < scene.polyp.position:
            unhidden = unhidden * (1 - cover)
    polyp_cover, polyp_light = _paint_polyp(view, scene.polyp) if scene.polyp else (torch.zeros_like(wall),) * 2
    polyp_share = unhidden * polyp_cover
    image = _shade(view, depth, facing, polyp_share, polyp_light)
    aperture = _aperture(scene, height, width)
    return image * aperture, (polyp_share * aperture >= 0.5)[None]


def _fold_layer(
    view: _View, wall: Tensor, fold: tuple[float, float, float], next_position: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Coverage, depth and facing (1 towards the camera) of a fold and of the wall up to the next nearer one."""
    position, reach, angle = fold
    scene = view.scene
    ahead = position - view.travel  # (T, 1, 1)
    depth = ahead.clamp(min=NEAR)
    x, y, r = view.from_axis(depth)  # (T, H, W)
    ux, uy = x / r, y / r
    # cos(3(θ − angle)) from the unit vector: an arctangent per fold would cost more than all the rest.
    lobes = math.cos(3 * angle) * (4 * ux * ux - 3) * ux + math.sin(3 * angle) * (3 - 4 * uy * uy) * uy
    base = scene.focal / depth
    rim = base * (1 - reach * (1 + scene.folds.lobes * lobes))
    beyond = r - rim
    cover = (beyond / (1.4 * view.pixel) + 0.5).clamp_(0, 1) * (ahead > NEAR)
    slope = beyond / (base - rim)
    facing = (1 - ((slope - 0.4) / 0.9).square_()).clamp_(min=0).square_()
    nearest = (next_position - view.travel).clamp(min=0.0)
    return cover, torch.minimum(torch.maximum(wall, nearest), depth), facing


def _paint_polyp(view: _View, polyp: Polyp) -> tuple[Tensor, Tensor]:
    """Coverage and light of the polyp: a sphere met by each pixel's ray, where the ray is still inside the tunnel."""
    f = view.scene.focal
    ahead = polyp.position - view.travel  # (T, 1, 1)
    axis_x, axis_y = view.axis(ahead)
    cx, cy = axis_x + polyp.height * math.cos(polyp.angle), axis_y + polyp.height * math.sin(polyp.angle)
    ray_x, ray_y = (view.x - view.pan[0]) / f, (view.y - view.pan[1]) / f
    # |z·ray − centre|² = radius² is a z² − 2 b z + c = 0; the ray meets the smaller root first, ahead where b > 0.
    a = ray_x * ray_x + ray_y * ray_y + 1
    b = ray_x * cx + ray_y * cy + ahead
    c = cx * cx + cy * cy + ahead * ahead - polyp.radius**2
    disc = b * b - a * c
    z = ((b - disc.clamp(min=0).sqrt_()) / a).clamp_(min=CLOSEST)  # (T, H, W)
    inside = f / z - view.from_axis(z)[2]  # image distance to the wall
    # Close to the outline disc falls off as 2·radius·|centre|·(distance past it).
    outline = disc / (2 * polyp.radius * c.sqrt()) * f / z
    cover = (torch.minimum(inside, outline) / (1.4 * view.pixel) + 0.5).clamp_(0, 1) * (b > 0)
    normal = tuple(offset / polyp.radius for offset in (ray_x * z - cx, ray_y * z - cy, z - ahead))
    diffuse = _towards(normal, ray_x, ray_y).clamp_(min=0)
    # The second lamp sits beside the lens, so its reflection does not hide the middle of the polyp.
    glint = smoothstep(_towards(normal, ray_x + 0.25, ray_y + 0.3), 0.965, 0.998)
    light = (0.25 + 0.75 * diffuse) / (1 + a * (z / LIGHT_REACH) ** 2)
    return cover, light + 0.8 * glint


def _towards(normal: tuple[Tensor, ...], ray_x: Tensor, ray_y: Tensor) -> Tensor:
    """Cosine between a normal and the way back along the ray (x, y, 1)."""
    along = normal[0] * ray_x + normal[1] * ray_y + normal[2]
    return -along * torch.rsqrt(ray_x * ray_x + ray_y * ray_y + 1)


def _shade(view: _View, depth: Tensor, facing: Tensor, polyp_share: Tensor, polyp_light: Tensor) -> Tensor:
    """Colour of each pixel in [0, 1], ``(3, T, H, W)``, from its depth, orientation and texture under a headlight."""
    scene = view.scene
    x, y, _ = view.from_axis(depth)
    mottle, vessels, bumps = _sample_texture(scene.texture, torch.atan2(y, x), depth + view.travel)
    near = 1 / (1 + (depth / LIGHT_REACH).square())
    grazing = torch.rsqrt(1 + depth.square())
    towards = grazing + (1 - grazing) * 0.8 * facing
    light = near * (0.15 + 0.85 * towards) * (1 + 0.08 * mottle)
    wet = 1.6 * smoothstep(bumps * facing, 1.1, 2.2) * near * smoothstep(depth, 0.5, 1.0)
    light = torch.lerp(light, polyp_light, polyp_share) * _lamp(scene, *depth.shape[1:])
    redden = 1 - 0.22 * vessels * (1 - polyp_share)
    channels = []
    for channel, (wall, polyp) in enumerate(zip(scene.wall_colour, scene.polyp_colour, strict=True)):
        tint = torch.lerp(torch.full_like(light, wall), torch.full_like(light, polyp), polyp_share)
        if channel:
            tint = tint * redden
        # Blood absorbs green and blue more on longer paths, so far tissue is redder.
        seen = light if channel == 0 else light * light.sqrt()
        channels.append(1 - torch.exp(-(3.0 * tint * seen + wet * (1 - polyp_share))))
    return torch.stack(channels)


def _lamp(scene: Tunnel, height: int, width: int) -> Tensor:
    """Light that the lamps send towards each pixel, ``(H, W)``: stronger on one side, weaker off the axis."""
    x, y = pixel_grid(height, width)
    return (1 + scene.lamp[0] * x + scene.lamp[1] * y - 0.12 * (x * x + y * y)).clamp_(min=0.2)


def _sample_texture(texture: Tensor, angle: Tensor, position: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Bilinear samples of the periodic texture at an angle (radians) and a position along the tunnel."""
    wrapped = F.pad(texture[None], (0, 1, 0, 1), mode="circular")
    u = 2 * torch.remainder(position / TEXTURE_LENGTH, 1) - 1
    grid = torch.stack([u, angle / torch.pi], dim=-1)  # (T, H, W, 2)
    frames, height, width = angle.shape
    sampled = F.grid_sample(wrapped, grid.reshape(1, frames * height, width, 2), align_corners=True)
    mottle, vessels, bumps = sampled.reshape(3, frames, height, width)
    return mottle, vessels, bumps


def _aperture(scene: Tunnel, height: int, width: int) -> Tensor:
    """Coverage of the octagonal field of view, ``(H, W)``."""
    x, y = pixel_grid(height, width)
    unit = min(height, width) / 2
    corner = (width + height) / (2 * unit) - scene.corner_cut - x.abs() - y.abs()
    return (corner / math.sqrt(2) * unit / 1.4 + 0.5).clamp(0, 1)
