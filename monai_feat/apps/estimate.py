# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Say how much memory a FEAT needs for training and for sampling, before it runs.

    monai-feat estimate --preset S --frames 16 --size 16,16 --batch 4

The size is that of the latents: 128 pixels are 16 behind an autoencoder that makes frames eight times smaller. Nothing
is allocated: every operation runs without its numbers. What the device itself takes (about 0.5 GiB for CUDA) and the
autoencoder come on top; half precision needs less, how much is not estimated. With ``--time``, a few steps of one and
two of its layers are run on this machine's processor, to say how long steps of all of them take.

Exit codes: 0 said, 2 not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from monai_feat.networks.nets import FEAT, FEAT_PRESETS
from monai_feat.networks.nets.memory import Memory, estimate_memory
from monai_feat.networks.nets.step_time import StepTime, estimate_step_time

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    sizes = dict(in_channels=options.channels, out_channels=2 * options.channels, use_checkpoint=options.use_checkpoint)
    shape = (options.batch, options.channels, options.frames, *options.size)
    try:
        memory = estimate_memory(partial(FEAT, **FEAT_PRESETS[options.preset], **sizes), shape)
    except ValueError as error:
        print(f"estimate: {error}", file=sys.stderr)
        return 2
    print(f"FEAT-{options.preset}, clips {' x '.join(map(str, shape))} (batch, channels, frames, height, width)")
    print(_table(memory))
    if options.time:
        print(
            _times(estimate_step_time(partial(_of_layers, options.preset, sizes), _num_layers(options.preset), shape))
        )
    return 0


def _of_layers(preset: str, sizes: Mapping[str, Any], num_layers: int) -> FEAT:
    return FEAT(**{**FEAT_PRESETS[preset], **sizes, "num_layers": num_layers})


def _num_layers(preset: str) -> int:
    return int(FEAT_PRESETS[preset]["num_layers"])


def _times(step: StepTime) -> str:
    rows = {"a training step": step.training, "a sampling step": step.sampling}
    lines = [f"  {name:42} {seconds:9.3f} s of this machine's processor" for name, seconds in rows.items()]
    return "\n".join(lines)


def _table(memory: Memory) -> str:
    rows = {
        "weights": memory.parameters,
        "gradients, Adam's moments, moving average": memory.training_state,
        "activations kept for the backward pass": memory.activations,
        "peak of a training step": memory.training_peak,
        "peak of a sampling step": memory.sampling_peak,
    }
    return "\n".join(f"  {name:42} {count / 2**30:9.3f} GiB" for name, count in rows.items())


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition(",")
    return int(height), int(width or height)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat estimate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--preset", choices=list(FEAT_PRESETS), default="S")
    parser.add_argument("--frames", type=int, default=16, help="frames of a clip (default: %(default)s)")
    parser.add_argument("--size", type=_size, default=(16, 16), help="height,width of the latents (default: 16,16)")
    parser.add_argument("--channels", type=int, default=4, help="channels of the latents (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=1, help="clips in a batch (default: %(default)s)")
    parser.add_argument("--time", action="store_true", help="also how long steps take, by running a few layers here")
    parser.add_argument("--use-checkpoint", action="store_true", help="compute activations again in the backward pass")
    return parser


if __name__ == "__main__":
    sys.exit(main())
