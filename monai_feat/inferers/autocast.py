# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Mixed precision on any device, around any inferer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, get_args

import torch
from monai.inferers.inferer import Inferer
from torch import Tensor

__all__ = ["AutocastInferer", "Precision"]

Precision = Literal["float32", "bfloat16", "float16"]


class AutocastInferer(Inferer):
    """Call a network through another inferer with its matrix products in half precision, the rest as torch sees fit.

    MONAI's trainers know mixed precision on CUDA only. What comes out is float32, so that losses are computed in full.
    Weights, gradients and the optimiser's state stay as they are.

    Args:
        inferer: what calls the network.
        precision: ``float32`` changes nothing; ``bfloat16`` has the range of float32 and needs nothing else;
            ``float16`` needs the loss scaler of a trainer with ``amp=True``, which works on CUDA only.

    Raises:
        ValueError: the precision is unknown; or, when called, float16 is asked for on a CPU.

    Example:
        >>> from monai.inferers import SimpleInferer
        >>> inferer = AutocastInferer(SimpleInferer(), "bfloat16")
        >>> inferer(torch.ones(1, 2), torch.nn.Linear(2, 1)).dtype
        torch.float32
    """

    def __init__(self, inferer: Inferer, precision: Precision = "float32") -> None:
        super().__init__()
        if precision not in get_args(Precision):
            raise ValueError(f"expected a precision of {', '.join(get_args(Precision))}; got {precision!r}")
        self.inferer, self.precision = inferer, precision

    def __call__(self, inputs: Tensor, network: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call the network on inputs ``(B, ...)``; arguments are those of the other inferer."""
        if self.precision == "float32":
            return self.inferer(inputs, network, *args, **kwargs)
        if self.precision == "float16" and inputs.device.type == "cpu":
            raise ValueError("float16 needs a loss scaler, which MONAI has on CUDA only: set the precision to bfloat16")
        with torch.autocast(inputs.device.type, dtype=getattr(torch, self.precision)):
            output = self.inferer(inputs, network, *args, **kwargs)
        return tuple(part.float() for part in output) if isinstance(output, tuple) else output.float()
