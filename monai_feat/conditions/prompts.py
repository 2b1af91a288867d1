# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""From what a person asks for to the context that clips are sampled with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from monai.engines.utils import PrepareBatch
from monai.utils import convert_to_tensor, ensure_tuple_rep
from torch import Tensor

from monai_feat.conditions import NONE, Condition, check_names
from monai_feat.data import is_phantom, is_source, list_clips, load_clip, open_clip, open_clips
from monai_feat.networks.nets import FrameAutoencoder
from monai_feat.transforms.functional import to_channels, to_unit_range
from monai_feat.transforms.labels import UNKNOWN_LABEL

__all__ = ["PromptPrepareBatch"]

_MASK_SEED = 2  # of procedural masks that nobody named a seed for: trainings have 0, and validate on 1


class PromptPrepareBatch(PrepareBatch):
    """Give each clip that is to be sampled its prompt.

    Clip ``i`` is asked for the ``i % n``-th of n values, so that what it is asked for depends on its index alone. What
    no prompt names is none.

    Args:
        conditions: those of the network.
        prompts: by the name of a condition, one value for all clips, or several to take turns: numbers, −1 for none; or
            for first frames and masks a file in any format that `load_clip` reads, with frames of just the clips' size.
            Of first frames, as many are taken as the condition allows. For masks also a source of clips that have
            them, as `monai_feat.data.source_names` says: the mask of each.
        autoencoder: encodes first frames.
        num_frames: frames T of the clips.
        frame_size: their ``(H, W)`` in pixels, or one number.
        image_channels: 3 for RGB, 1 for grey.
        label_channels: number of classes K where the autoencoder encodes masks too, which first frames have not.
        num_clips: how many clips are sampled, from index 0: so many procedural masks are there to take turns.

    Raises:
        ValueError: a prompt is for something that the network was not trained for, out of bounds, or of another size;
            the message says what the network takes.
        VideoReadError: a file cannot be read.

    Example:
        >>> from monai.networks.nets import AutoencoderKL
        >>> from monai_feat.conditions import ScalarCondition
        >>> frames = FrameAutoencoder(AutoencoderKL(2, 1, 1, (1,), (4,), (False,), 2, norm_num_groups=2))
        >>> fractions = {"ejection_fraction": [0.3, 0.6]}
        >>> prepare = PromptPrepareBatch([ScalarCondition("ejection_fraction", 0.2, 0.8)], fractions, frames, 16, 64, 1)
        >>> prepare({"image": torch.tensor([4, 5, 6])})[3]["conditioning"]
        {'ejection_fraction': tensor([0.3000, 0.6000, 0.3000])}
    """

    def __init__(
        self,
        conditions: Sequence[Condition],
        prompts: Mapping[str, Any],
        autoencoder: FrameAutoencoder,
        num_frames: int,
        frame_size: int | Sequence[int],
        image_channels: int,
        label_channels: int = 0,
        num_clips: int = 1,
    ) -> None:
        check_names(prompts, conditions)
        known = {condition.name: condition for condition in conditions}
        self.autoencoder = autoencoder
        self.num_frames = num_frames
        self.frame_size = ensure_tuple_rep(frame_size, 2)
        self.image_channels, self.label_channels, self.num_clips = image_channels, label_channels, num_clips
        self.values = {name: self._read(known[name], prompt) for name, prompt in prompts.items()}
        self._masks = [name for name in prompts if known[name].mask_classes]

    def __call__(
        self,
        batchdata: Mapping[str, Tensor],
        device: str | torch.device | None = None,
        non_blocking: bool = False,
        **kwargs: Any,
    ) -> tuple[Tensor, None, tuple[Any, ...], dict[str, Any]]:
        """Return the clips' indices, no target, no arguments, and the sampler's conditioning; None without prompts."""
        indices = batchdata["image"]
        context = {name: self._of(name, indices).to(device) for name in self.values}
        return indices.to(device, non_blocking=non_blocking), None, (), {"conditioning": context or None}

    def asked_masks(self, indices: Tensor) -> Tensor | None:
        """Return the masks that clips were asked to show, uint8 ``(B, 1, T, H, W)``; None where nobody asked.

        Pixels of which nothing was asked are `monai_feat.transforms.UNKNOWN_LABEL`.
        """
        if not self._masks:
            return None
        asked = self._of(self._masks[0], indices)
        return asked.masked_fill(asked == NONE, UNKNOWN_LABEL).to(torch.uint8)

    def _of(self, name: str, indices: Tensor) -> Tensor:
        values = self.values[name]
        return values[indices.cpu() % len(values)]

    def frames(self, name: str, file: Any, num_frames: int) -> Tensor:
        """Return the first frames of a file, uint8 ``(C, T, H, W)``, fewer where it has no more.

        Raises:
            ValueError: its frames are of another size than the clips.
        """
        there = min(open_clip(file).frames, num_frames)
        clip: Tensor = convert_to_tensor(load_clip(file, num_frames=there), track_meta=False)
        height, width = clip.shape[-2:]
        if (height, width) != self.frame_size:
            rows, columns = self.frame_size
            raise ValueError(
                f"{name}: {file} has frames of {height}×{width} pixels, and clips of {rows}×{columns} are sampled; "
                "resize it, or set frame_size"
            )
        return clip

    def masks(self, source: Any, num_classes: int) -> Tensor | None:
        """Return the masks of the clips of a source, uint8 ``(n, 1, T, H, W)``: one of each; None of what is one file.

        Raises:
            FileNotFoundError: there is no such source, or it has no masks.
            ValueError: a mask holds other classes.
        """
        if not is_source(source):
            return None
        num_clips = self.num_clips if is_phantom(source) else len(list_clips(source, num_classes))
        clips = open_clips(
            source,
            num_clips,
            self.num_frames,
            self.frame_size,
            self.image_channels,
            on_short="loop",
            seed=_MASK_SEED,
            mask_classes=num_classes,
        )
        return torch.stack([clips[i]["label"] for i in range(num_clips)])

    @torch.no_grad()
    def encode(self, clip: Tensor) -> Tensor:
        """Return the latents ``(1, C, T, h, w)`` of such frames."""
        image = to_unit_range(to_channels(clip, self.image_channels))
        unlabelled = F.pad(image, (0, 0, 0, 0, 0, 0, 0, self.label_channels))  # (C + K, T, H, W)
        return self.autoencoder.encode(unlabelled[None].to(self.autoencoder.scale_factor)).cpu()

    def _read(self, condition: Condition, prompt: Any) -> Tensor:
        """Return the values of a prompt, ``(n, ...)``."""
        several = prompt if isinstance(prompt, (list, tuple)) else [prompt]
        if not several:
            raise ValueError(f"{condition.name}: the list of values is empty; it takes {condition.bounds}")
        for value in several:
            if not isinstance(value, condition.prompt_types):
                raise ValueError(
                    f"{condition.name}: expected {condition.prompt}, got {value!r}; it takes {condition.bounds}"
                )
        values = condition.read_prompts(several, self)
        condition.check(values)
        return values
