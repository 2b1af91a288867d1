# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Muon for the linear maps inside a network, and AdamW for all else, as one optimiser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW, Optimizer

__all__ = ["MuonWithAdamW"]


class MuonWithAdamW(Optimizer):
    """Move weights of inner linear maps by orthogonalised momentum (Muon), and all other parameters by AdamW.

    Source: torch's ``Muon`` (Keller Jordan et al. 2024), whose steps are scaled to those of AdamW
    (``match_rms_adamw``, arXiv 2502.16982), so that one learning rate serves both. The maps from and to pixels, in
    `outer`, are AdamW's, as is advised. Schedules of the learning rate and checkpoints see one optimiser of two groups.

    Args:
        network: what is trained.
        lr: learning rate of both.
        weight_decay: of both.
        momentum: of Muon.
        outer: names of children whose linear maps are left to AdamW.

    Raises:
        ValueError: there is no inner linear map.
        RuntimeError: this torch has no Muon.
    """

    def __init__(
        self,
        network: nn.Module,
        lr: float = 1e-3,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        outer: tuple[str, ...] = ("patch_embedding", "output"),
    ) -> None:
        if not hasattr(torch.optim, "Muon"):
            raise RuntimeError(f"torch {torch.__version__} has no Muon; install 2.9 or later, or take AdamW")
        inner = [
            module.weight
            for name, module in network.named_modules()
            if isinstance(module, nn.Linear) and name.split(".")[0] not in outer
        ]
        if not inner:
            raise ValueError(f"{type(network).__name__} has no linear map for Muon but those of {', '.join(outer)}")
        taken = set(map(id, inner))
        others = [parameter for parameter in network.parameters() if id(parameter) not in taken]
        groups: list[dict[str, Any]] = [{"params": inner}, {"params": others}]
        super().__init__(groups, {"lr": lr})
        options: dict[str, Any] = dict(lr=lr, weight_decay=weight_decay)
        muon = torch.optim.Muon(inner, momentum=momentum, adjust_lr_fn="match_rms_adamw", **options)
        self._parts: tuple[Optimizer, ...] = (muon, AdamW(others, **options))
        self.param_groups = [part.param_groups[0] for part in self._parts]
        self._share()

    def _share(self) -> None:
        """Let the parts work on the groups and states that are this one's."""
        for part, group in zip(self._parts, self.param_groups, strict=True):
            part.param_groups = [group]
            part.state = self.state

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step of both; returns the loss of the closure, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for part in self._parts:
            part.step()
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        super().load_state_dict(state_dict)
        self._share()
