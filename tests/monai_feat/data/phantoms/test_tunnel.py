# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_feat.data.phantoms.tunnel import FAR, NEAR, Folds, draw_tunnel


def test_a_missing_polyp_changes_nothing_else() -> None:
    with_polyp = draw_tunnel(np.random.default_rng(5), 1.0)
    without = draw_tunnel(np.random.default_rng(5), 0.0)
    assert with_polyp.polyp is not None
    assert without.polyp is None
    assert without.folds == with_polyp.folds
    assert without.drifts == with_polyp.drifts
    assert without.wall_colour == with_polyp.wall_colour
    torch.testing.assert_close(without.texture, with_polyp.texture)


def test_folds_do_not_depend_on_how_far_one_looks() -> None:
    folds = Folds(spacing=1.0, reach=0.3, lobes=0.4, twist=0.1, seed=7)
    near, far = folds.table(4.0), folds.table(12.0)
    np.testing.assert_array_equal(near, far[: len(near)])
    assert (np.diff(far[:, 0]) >= 0.5).all()
    assert far[-1, 0] >= 12.0


def test_folds_ahead_are_sorted_and_in_view() -> None:
    folds = Folds(spacing=0.9, reach=0.3, lobes=0.4, twist=0.1, seed=7)
    positions = [fold[0] for fold in folds.ahead(1.0, 2.0)]
    assert positions == sorted(positions, reverse=True)
    assert min(positions) > 1.0 + NEAR
    assert max(positions) < 2.0 + FAR
    assert folds.first_beyond(3.0) == min(p for p in folds.table(9.0)[:, 0] if p > 3.0)


def test_texture_is_periodic_and_normalised() -> None:
    texture = draw_tunnel(np.random.default_rng(0), 0.0).texture
    mottle, vessels, bumps = texture
    assert mottle.std() == pytest.approx(1, abs=0.01)
    assert bumps.std() == pytest.approx(1, abs=0.01)
    assert vessels.min() >= 0
    assert vessels.max() <= 1
    step = mottle.diff(dim=1).abs()
    assert (mottle[:, 0] - mottle[:, -1]).abs().mean() < 2 * step.mean()
