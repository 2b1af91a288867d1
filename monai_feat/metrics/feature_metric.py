# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What all metrics of features share: running the network, and keeping what it returns for both sides."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torchmetrics import Metric
from torchmetrics.utilities.distributed import gather_all_tensors

from monai_feat.metrics.features.base import FeatureNetwork, check_features

__all__ = ["FeatureMetric", "FeatureSampleMetric"]


class FeatureMetric(Metric):
    """Base of metrics that compare real with synthetic clips by the features of a network.

    A subclass says in `add` what it keeps of features, in states named ``real_…`` and ``fake_…``.

    Args:
        network: maps clips ``(B, C, T, H, W)`` to features ``(B, D)``, or frames where its attribute ``takes`` is
            ``"frames"``; a :class:`FeatureNetwork`, or any module. It is put into evaluation mode, follows the metric
            from device to device, and is not a submodule of it: its weights are in no state dict and in no optimiser.
            None where only ready-made features come in.
        reset_real_features: False keeps the real side over `reset`, for reals that stay the same over epochs.
        kwargs: of :class:`torchmetrics.Metric`.
    """

    higher_is_better: bool | None = False
    is_differentiable: bool | None = False
    full_state_update: bool | None = False
    feature_network: str = "network"

    network: nn.Module | None

    def __init__(self, network: nn.Module | None = None, reset_real_features: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.__dict__["network"] = network if network is None else network.eval()  # past Module's registry, see above
        self.takes: Literal["clips", "frames"] = getattr(network, "takes", "clips")
        self.num_features: int | None = getattr(network, "num_features", None)
        self.reset_real_features = reset_real_features

    @abstractmethod
    def add(self, features: Tensor, real: bool) -> None:
        """Keep what this metric needs of checked features ``(N, D)``."""

    def update(self, clips: Tensor, real: bool) -> None:
        """Take in clips.

        Args:
            clips: pixels ``(B, C, T, H, W)``, uint8 for a :class:`FeatureNetwork`; a network of frames takes them as
                ``(N, C, H, W)`` too.
            real: which side they are of.

        Raises:
            ValueError: the network cannot take these clips, or returns something else than finite vectors.
        """
        self.add(self._checked(self.extract(clips)), real)

    def update_features(self, features: Tensor, real: bool) -> None:
        """Take in features ``(N, D)`` that were computed before.

        Raises:
            ValueError: they are not finite vectors, or not of the D of the network.
        """
        self._computed = None
        self._update_count += 1
        self.add(self._checked(features), real)

    def extract(self, clips: Tensor) -> Tensor:
        """Return the features ``(N, D)`` of clips; see `update`."""
        if self.network is None:
            raise ValueError(f"{type(self).__name__} has no feature network; give it one, or use update_features")
        pixels = self._as_pixels(clips)
        with torch.no_grad():
            features: Tensor = self.network(pixels)
        return check_features(features, len(pixels), self._network_name)

    def reset(self) -> None:
        """Forget all clips, or the synthetic ones only where real ones are to be kept."""
        kept = {} if self.reset_real_features else {name: _copy(getattr(self, name)) for name in self._real_states}
        super().reset()
        for name, value in kept.items():
            setattr(self, name, value)

    def plot(self, val: Any = None, ax: Any = None) -> Any:
        """Plot the given value or sequence of values, or what `compute` gives; see :meth:`torchmetrics.Metric.plot`."""
        return self._plot(val, ax)

    def _joined(self, kept: list[Tensor] | Tensor) -> Tensor:
        """Return all rows of a state of features, which is a list until processes have gathered."""
        if isinstance(kept, Tensor):
            return kept
        return torch.cat(kept) if kept else torch.empty(0, self.num_features or 0, dtype=torch.float64)

    def _sync_dist(
        self, dist_sync_fn: Callable[..., list[Tensor]] = gather_all_tensors, process_group: Any | None = None
    ) -> None:
        """Gather, also where a process has no clips of a side: it takes part with no rows, but of the others' D."""
        group = process_group or self.process_group
        known = dist_sync_fn(torch.tensor([self.num_features or 0], device=self.device), group=group)
        nothing = torch.empty(0, int(torch.cat(known).max()), dtype=torch.float64, device=self.device)
        for name in self._defaults:
            if getattr(self, name) == []:
                setattr(self, name, [nothing])
        super()._sync_dist(dist_sync_fn, process_group)

    @property
    def _real_states(self) -> list[str]:
        return [name for name in self._defaults if name.startswith("real_")]

    @property
    def _network_name(self) -> str:
        return getattr(self.network, "name", type(self.network).__name__)

    def _apply(self, fn: Callable[[Tensor], Tensor], exclude_state: Sequence[str] = "") -> nn.Module:
        if self.network is not None:
            self.network._apply(fn)
        return super()._apply(fn, exclude_state)

    def _as_pixels(self, clips: Tensor) -> Tensor:
        """Return clips as the network takes them: whole, or their frames one after the other."""
        if not (clips.ndim == 5 or (clips.ndim == 4 and self.takes == "frames")):
            raise ValueError(f"expected clips (B, C, T, H, W), got shape {tuple(clips.shape)}")
        if isinstance(self.network, FeatureNetwork):
            _check_pixels(clips, self.network)
        if clips.ndim == 4 or self.takes == "clips":
            return clips
        return clips.transpose(1, 2).flatten(0, 1)  # (B * T, C, H, W)

    def _checked(self, features: Tensor) -> Tensor:
        """Return features if they are finite vectors of one D, which the first ones decide where no network does."""
        features = check_features(features, len(features), self._network_name)
        if self.num_features is None:
            self.num_features = features.shape[1]
        if features.shape[1] != self.num_features:
            raise ValueError(
                f"{type(self).__name__}: expected features (N, D) with D = {self.num_features}, "
                f"got shape {tuple(features.shape)}; take both sides from one feature network"
            )
        return features


class FeatureSampleMetric(FeatureMetric):
    """Base of metrics that need every feature vector, not only their moments; see :class:`FeatureMetric`.

    Features are kept in float64 and gather on every process at the end of the epoch.
    """

    real_features: list[Tensor] | Tensor
    fake_features: list[Tensor] | Tensor

    def __init__(self, network: nn.Module | None = None, reset_real_features: bool = True, **kwargs: Any) -> None:
        super().__init__(network, reset_real_features, **kwargs)
        self.add_state("real_features", default=[], dist_reduce_fx="cat")
        self.add_state("fake_features", default=[], dist_reduce_fx="cat")

    def add(self, features: Tensor, real: bool) -> None:
        """Keep features ``(N, D)``."""
        kept = self.real_features if real else self.fake_features
        assert isinstance(kept, list)
        kept.append(features.double())

    def samples(self) -> tuple[Tensor, Tensor]:
        """Return all features so far, real ``(N, D)`` and synthetic ``(M, D)``."""
        return self._joined(self.real_features), self._joined(self.fake_features)


def _copy(state: Any) -> Any:
    return list(state) if isinstance(state, list) else state.clone()


def _check_pixels(clips: Tensor, network: FeatureNetwork) -> None:
    if clips.dtype != torch.uint8:
        raise ValueError(
            f"feature network {network.name}: expected uint8 pixels, got {clips.dtype}; "
            "it prepares pixels itself, convert by monai_feat.transforms.to_uint8"
        )
    if clips.ndim == 5 and network.num_frames not in (None, clips.shape[2]):
        raise ValueError(
            f"feature network {network.name}: expected clips of {network.num_frames} frames, got {clips.shape[2]}; "
            "cut them to that length, and leave out shorter ones"
        )
