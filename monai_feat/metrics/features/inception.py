# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Inception, the network of the Fréchet inception distance and of the inception score."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from monai_feat.metrics.features.inception_v3 import NUM_CLASSES, NUM_FEATURES, InceptionV3
from monai_feat.metrics.features.published import PublishedFeatures
from monai_feat.metrics.features.torchscript import is_torchscript, load_torchscript
from monai_feat.metrics.features.weights import load_strictly, load_tensors

__all__ = ["InceptionFeatures"]

Output = Literal["features", "logits"]


class InceptionFeatures(PublishedFeatures):
    """The 2048 pooled features of Inception, for the Fréchet distance, or its 1008 class logits, for the score.

    Source: Heusel et al. 2017 (FID), Salimans et al. 2016 (IS). There are two published files of the same TensorFlow
    graph of 2015-12-05, and either will do: NVIDIA's TorchScript, which the FID and IS of StyleGAN-V, Endora and FEAT
    use, and the tensors of pytorch-fid and torch-fidelity, for which the architecture is here (`InceptionV3`). Both
    resize to 299 px as TensorFlow 1 did, and map pixels x to (x - 128) / 128. (pytorch-fid itself resizes and scales
    them otherwise; its numbers differ.) Square frames, since StyleGAN's data sets refuse others.

    Args:
        path: of the TorchScript, ``fetch_weights("inception")``, or of the tensors,
            ``fetch_weights("inception_state_dict")``, also as safetensors.
        output: ``"features"``; or ``"logits"``, each image's up to a constant, without the classifier's bias: what
            `monai_feat.metrics.functional.inception_score` takes for the score as published.
        trust_script: run a TorchScript that is not the published one, see `load_torchscript`.

    Raises:
        FileNotFoundError: there is no such file.
        WeightsError: the file is damaged, another network, or a program that is neither published nor trusted.
        ValueError: `output` is unknown.
    """

    takes = "frames"
    published = ("inception", "inception_state_dict")
    preparation = "bilinear to 299 px as TensorFlow 1, without antialias; (x - 128) / 128"

    def __init__(self, path: str | os.PathLike[str], output: Output = "features", trust_script: bool = False) -> None:
        if output not in get_args(Output):
            raise ValueError(f"inception: expected output to be one of {get_args(Output)}, got {output!r}")
        self.name = "inception" if output == "features" else "inception_logits"
        super().__init__(_load_inception(Path(path), trust_script), path)
        self.output = output
        self.num_features = NUM_FEATURES if output == "features" else NUM_CLASSES

    def features(self, pixels: Tensor) -> Tensor:
        """Return features ``(N, 2048)``, or logits ``(N, 1008)``, of RGB frames ``(N, 3, H, W)``."""
        if self.output == "features":
            features: Tensor = self.network(pixels, return_features=True)
            return features  # (N, 2048)
        probabilities = self.network(pixels, no_output_bias=True)
        # The published network gives no logits; their softmax is the same for the logarithm of what it gives.
        return torch.log(probabilities.clamp(min=torch.finfo(torch.float32).tiny))  # (N, 1008)


def _load_inception(path: Path, trust_script: bool) -> nn.Module:
    """Read either published file; both networks are called alike."""
    if path.is_file() and is_torchscript(path):
        return load_torchscript(path, ("return_features", "no_output_bias"), trust_script)
    with torch.device("meta"):
        network = InceptionV3()
    return load_strictly(network, load_tensors(path), str(path))
