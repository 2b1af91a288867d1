# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Dense optical flow of many pairs of frames at once: iterative Lucas–Kanade, coarse to fine.

Shape letters: N pairs of frames, H height, W width. A flow is ``(N, 2, H, W)``: pixels to the right, pixels down.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["MIN_FLOW_SIDE", "optical_flow", "visible_pixels", "warp_back"]

MIN_FLOW_SIDE = 16

_RADIUS = 7  # of the square window, pixels
_WARPS = 3  # per level
_DAMPING = 0.5  # (levels / pixel)²; a window whose gradients are weaker holds the flow it has
_NOISE = 4.0  # levels²; the contrast of weaker windows is left as it is
_LEAST_WEIGHT = 1e-6  # share of a window
_PAIRS = ((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (0, 3), (1, 3), (3, 3), (4, 4))  # of the signals in `_solve`
_PIXELS_AT_ONCE = 2**16  # what caches hold
_FINEST = 2**17  # pixels of a frame


@torch.no_grad()
def optical_flow(first: Tensor, second: Tensor) -> Tensor:
    """Estimate where each pixel of the first frame is in the second.

    Le Besnerais and Champagnat, "Dense optical flow by iterative local window registration" (ICIP 2005): in a window of
    15 × 15 pixels around each pixel, least squares of the linearised difference between the first frame and the
    second, which is warped back by the flow found so far; three times on each level of a pyramid that halves the frame
    down to 16 pixels. Frames of more than 2^17 pixels (362 × 362) are measured at half their size or less, for time.
    Three things are added. Each window may change brightness and contrast, so that light is not taken for motion.
    What the flow puts outside the frame has no weight. And the equations are damped towards the flow found so far
    (Levenberg), so that it stays 0 in black borders instead of following noise.

    `skimage.registration.optical_flow_ilk` gives the same for small motion under constant light. Motion of up to an
    eighth of the frame is found; flat regions far from any texture are guessed from coarser levels.

    Args:
        first: grey levels in [0, 255], float ``(N, 1, H, W)``.
        second: likewise.

    Returns:
        Flow in pixels, float32 ``(N, 2, H, W)``.

    Raises:
        ValueError: the shapes differ, or a side is under 16 pixels.

    Example:
        >>> import torch
        >>> x = torch.arange(64.0)
        >>> frame = 128 + 60 * torch.sin(x / 4)[:, None] * torch.cos(x / 5)
        >>> flow = optical_flow(frame[None, None], frame.roll(2, dims=1)[None, None])
        >>> [abs(round(pixels, 1)) for pixels in flow[0, :, 32, 32].tolist()]
        [2.0, 0.0]
    """
    if first.shape != second.shape or first.ndim != 4 or first.shape[1] != 1 or min(first.shape[2:]) < MIN_FLOW_SIDE:
        raise ValueError(
            f"expected two batches of grey frames (N, 1, H, W) of at least {MIN_FLOW_SIDE} x {MIN_FLOW_SIDE} pixels, "
            f"got {tuple(first.shape)} and {tuple(second.shape)}"
        )
    pairs = max(1, _PIXELS_AT_ONCE // (first.shape[2] * first.shape[3]))
    # Levels about 0 lose less to rounding when their products are averaged.
    parts = zip((first.float() - 128).split(pairs), (second.float() - 128).split(pairs), strict=True)
    return torch.cat([_coarse_to_fine(*part) for part in parts])


def _coarse_to_fine(first: Tensor, second: Tensor) -> Tensor:
    height, width = first.shape[2:]
    if min(height, width) >= 2 * MIN_FLOW_SIDE:
        size = (height // 2, width // 2)
        flow = _coarse_to_fine(_resize(first, size), _resize(second, size))
        scale = torch.tensor([width / size[1], height / size[0]], device=flow.device)
        flow = _resize(flow, (height, width)) * scale[:, None, None]
        if height * width > _FINEST:
            return flow
    else:
        flow = first.new_zeros(len(first), 2, height, width)
    return _refine(first, second, flow)


def _refine(first: Tensor, second: Tensor, flow: Tensor) -> Tensor:
    gradient = _gradient(first)  # (N, 2, H, W)
    for _ in range(_WARPS):
        warped, inside = warp_back(second, flow)
        flow = _solve(gradient, first, warped, inside, flow)
    return flow


def _solve(gradient: Tensor, first: Tensor, warped: Tensor, inside: Tensor, flow: Tensor) -> Tensor:
    """Least squares of I₁ + c = k I₂(x + u) ≈ k I₂(x + u₀) + g·(u − u₀) in each window, for u and c.

    Its normal equations, with the gradient g of I₁, the flow u₀ so far and k = sd(I₁) / sd(I₂), are
    Cov(g, g) u = Cov(g, g·u₀ + I₁ − k I₂(x + u₀)).
    """
    ahead = (gradient * flow).sum(1, keepdim=True) + first
    signals = torch.cat((gradient, ahead, warped, first), 1)  # (N, 5, H, W)
    xx, xy, yy, xa, ya, xw, yw, ww, ff = _window_covariances(signals, inside)
    gain = ((ff + _NOISE) / (ww + _NOISE)).sqrt()
    bx, by = xa - gain * xw + _DAMPING * flow[:, :1], ya - gain * yw + _DAMPING * flow[:, 1:]
    xx, yy = xx + _DAMPING, yy + _DAMPING
    return torch.cat((yy * bx - xy * by, xx * by - xy * bx), 1) / (xx * yy - xy * xy)


def warp_back(frames: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Look up each pixel where the flow says that it went, between pixels by bilinear interpolation.

    Args:
        frames: float ``(N, C, H, W)``, the later frames.
        flow: pixels ``(N, 2, H, W)`` from the earlier frames to them.

    Returns:
        Frames ``(N, C, H, W)`` in the geometry of the earlier ones, and ``(N, 1, H, W)``: whether the flow ends inside
        the frame.
    """
    height, width = frames.shape[2:]
    x = torch.arange(width, device=flow.device) + flow[:, 0]
    y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    grid = torch.stack((2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1), dim=-1).to(frames.dtype)
    return F.grid_sample(frames, grid, align_corners=True, padding_mode="border"), inside[:, None]


def visible_pixels(forward: Tensor, backward: Tensor) -> Tensor:
    """Tell which pixels of the earlier frame are visible in the later one: forward and backward flow cancel there.

    Visible is |w + ŵ'|² ≤ 0.01 (|w|² + |ŵ'|²) + 0.5 (Sundaram, Brox and Keutzer, ECCV 2010, eq. 5; Ruder, Dosovitskiy
    and Brox, GCPR 2016), with w the forward flow and ŵ' the backward flow where w ends, which must be in the frame.

    Args:
        forward: pixels ``(N, 2, H, W)``, from the earlier to the later frame.
        backward: likewise from the later to the earlier.

    Returns:
        Boolean ``(N, 1, H, W)``.
    """
    back, inside = warp_back(backward, forward)
    mismatch = (forward + back).square().sum(1, keepdim=True)
    lengths = forward.square().sum(1, keepdim=True) + back.square().sum(1, keepdim=True)
    return inside & (mismatch <= 0.01 * lengths + 0.5)


def _resize(frames: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(frames, size, mode="bilinear", antialias=True, align_corners=False)


def _gradient(frames: Tensor) -> Tensor:
    """Central differences ``(N, 2, H, W)`` of ``(N, 1, H, W)``, halved in effect at the edges."""
    padded = F.pad(frames, (1, 1, 1, 1), mode="replicate")
    along_x = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    along_y = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    return torch.cat((along_x, along_y), 1) / 2


def _window_covariances(signals: Tensor, inside: Tensor) -> tuple[Tensor, ...]:
    """Covariances ``(N, 1, H, W)`` of `_PAIRS` of signals over the pixels of each window that are inside."""
    one, other = (list(side) for side in zip(*_PAIRS, strict=True))
    terms = torch.cat((torch.ones_like(signals[:, :1]), signals, signals[:, one] * signals[:, other]), 1)
    weight, means, products = _window_mean(terms * inside).split((1, signals.shape[1], len(_PAIRS)), dim=1)
    means, products = (part / weight.clamp(min=_LEAST_WEIGHT) for part in (means, products))
    covariances = products - means[:, one] * means[:, other]
    return tuple(covariances.split(1, dim=1))


def _window_mean(frames: Tensor) -> Tensor:
    """Mean over the part of the window that is inside the frame; two matrix products beat pooling up to 256 pixels."""
    rows, columns = (_averaging(side, frames) for side in frames.shape[2:])
    return rows @ frames @ columns.T


def _averaging(side: int, like: Tensor) -> Tensor:
    place = torch.arange(side, device=like.device)
    near = ((place[:, None] - place).abs() <= _RADIUS).to(like.dtype)
    return near / near.sum(1, keepdim=True)
