# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Networks that are saved with what they are, and made again from one file.

The methods are those of ``huggingface_hub``'s ``ModelHubMixin``, but all of a network is one ``.safetensors`` file; the
description is in its header, so that nothing beside it can go missing or out of step. ``huggingface_hub`` itself is
needed only for repositories of its hub, and none is downloaded unless that is asked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from monai.utils import optional_import
from torch import nn
from torch.distributed.fsdp import FSDPModule

from monai_feat.checkpoints.description import (
    ClipFormat,
    Description,
    Diffusion,
    describe_differences,
    read_description,
)
from monai_feat.checkpoints.storage import BUNDLE_HINT, CheckpointError, save_checkpoint
from monai_feat.checkpoints.weights import load_weights

__all__ = ["EARLY_WEIGHTS", "Pretrained", "find_early_weights", "find_weights"]

EARLY_WEIGHTS = "feat_early.safetensors"
"""What a training of FEAT leaves beside its weights: those of its first part, for `AutoguidedDenoiser`."""

PartT = TypeVar("PartT")
PretrainedT = TypeVar("PretrainedT", bound="Pretrained")

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


class Pretrained(nn.Module):
    """A network with `save_pretrained` and `from_pretrained`; the base of those that weights are shipped for.

    Attributes:
        weights_name: the file in a folder, or in the ``models`` of a bundle.
    """

    weights_name: ClassVar[str]
    _clips: ClipFormat | None = None
    _diffusion: Diffusion | None = None

    def arguments(self) -> dict[str, Any]:
        """Return what a network of the same tensors is constructed with, as values of JSON."""
        raise NotImplementedError

    @classmethod
    def from_arguments(cls: type[PretrainedT], arguments: Mapping[str, Any]) -> PretrainedT:
        """Make a new network of what `arguments` returns."""
        return cls(**arguments)

    @property
    def clips(self) -> ClipFormat:
        """The clips that the weights were trained on.

        Raises:
            CheckpointError: the weights do not say.
        """
        return self._known(self._clips, "what clips they were trained on")

    @property
    def diffusion(self) -> Diffusion:
        """How the weights denoise.

        Raises:
            CheckpointError: the weights do not say.
        """
        return self._known(self._diffusion, "how they denoise")

    def describe(self, clips: ClipFormat | None = None, diffusion: Diffusion | None = None) -> Description:
        """Describe the network as it is; what is not given here is what its weights have said."""
        # A network that is spread over processes has a class of its own, made by FSDP2.
        own = next(kind for kind in type(self).__mro__ if not issubclass(kind, FSDPModule))
        return Description(own.__name__, self.arguments(), clips or self._clips, diffusion or self._diffusion)

    def save_pretrained(
        self,
        folder: str | os.PathLike[str],
        clips: ClipFormat | None = None,
        diffusion: Diffusion | None = None,
    ) -> Path:
        """Write weights and description into a folder, which is made where it is missing.

        Args:
            folder: gets one file, ``weights_name``. To share it, upload the folder:
                ``huggingface_hub.upload_folder(repo_id=..., folder_path=folder)``.
            clips: what the network was trained on; by default, what its weights have said.
            diffusion: how it denoises; likewise.

        Returns:
            The file.

        Raises:
            CheckpointError: the file cannot be written.
        """
        description = self.describe(clips, diffusion)
        return save_checkpoint(self.state_dict(), Path(folder) / self.weights_name, description.to_metadata())

    @classmethod
    def from_pretrained(
        cls: type[PretrainedT],
        source: str | os.PathLike[str],
        entry: str | None = None,
        download: bool = False,
        revision: str | None = None,
        **changes: Any,
    ) -> PretrainedT:
        """Make the network that weights belong to, and load them, strictly.

        Args:
            source: a file; a folder that `save_pretrained` has written; a bundle; or a repository of the Hugging Face
                hub, ``"owner/name"``, with either of them.
            entry: which network of a checkpoint of a training, such as ``"ema"``; None for a file of weights.
            download: fetch a repository that has not been downloaded yet.
            revision: branch, tag or commit of a repository.
            changes: arguments to construct the network with in place of those of the weights, such as
                ``use_checkpoint``; what its tensors depend on cannot change.

        Returns:
            The network, in evaluation mode.

        Raises:
            FileNotFoundError: there is no such file, folder or downloaded repository.
            CheckpointError: the file cannot be read, does not describe itself, or is of another network than it or
                ``changes`` says; the message names the first difference.
        """
        path = find_weights(source, cls.weights_name, download, revision)
        description = read_description(path)
        if description is None:
            raise CheckpointError(
                f"{path}: does not say what {cls.__name__} it belongs to; build the network yourself, load the file by "
                "monai_feat.checkpoints.load_weights, and write it again with save_pretrained"
            )
        network = load_weights(cls._described(description, str(path), changes), path, entry)
        own = {key: value for key, value in network.arguments().items() if key not in changes}
        if differing := describe_differences(description.arguments, own):
            raise CheckpointError(f"{path}: contradicts itself: {differing[0]}; write it again with save_pretrained")
        return network.eval()

    @classmethod
    def for_weights(
        cls: type[PretrainedT], path: str | os.PathLike[str], otherwise: Mapping[str, Any], **changes: Any
    ) -> PretrainedT:
        """Make a new network of the sizes that a file of weights says, for configs that load them by themselves.

        Args:
            path: the file.
            otherwise: arguments where there is no such file, or where it does not describe itself.
            changes: arguments in place of either.

        Raises:
            CheckpointError: the file cannot be read, or is of another network.
        """
        description = read_description(path) if Path(path).is_file() else None
        return cls._described(description or Description(cls.__name__, otherwise), str(path), changes)

    @classmethod
    def _described(
        cls: type[PretrainedT], description: Description, source: str, changes: Mapping[str, Any]
    ) -> PretrainedT:
        if description.network != cls.__name__:
            raise CheckpointError(f"{source}: is of a {description.network}, expected a {cls.__name__}")
        try:
            network = cls.from_arguments({**description.arguments, **changes})
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{source}: {cls.__name__} cannot be made as described: {error}") from error
        network._clips, network._diffusion = description.clips, description.diffusion
        return network

    def _known(self, part: PartT | None, what: str) -> PartT:
        if part is None:
            raise CheckpointError(
                f"the weights of this {type(self).__name__} do not say {what}; give it to save_pretrained when you "
                "write them, or say it in the config of the bundle"
            )
        return part


def find_early_weights(weights: str | os.PathLike[str]) -> Path | None:
    """Return the file of earlier weights of the same training, which lies beside a file of weights; None without."""
    early = Path(weights).with_name(EARLY_WEIGHTS)
    return early if early.is_file() else None


def find_weights(
    source: str | os.PathLike[str], name: str, download: bool = False, revision: str | None = None
) -> Path:
    """Return the file of weights that a source means; see `Pretrained.from_pretrained`.

    Raises:
        FileNotFoundError: there is none.
    """
    path = Path(source)
    if path.is_file():
        return path
    if not path.exists() and _HUB_ID.fullmatch(str(source)):
        path = _hub_folder(str(source), name, download, revision)
    for file in (path / name, path / "models" / name):
        if file.is_file():
            return file
    if path.is_dir():
        raise FileNotFoundError(f"{path}: has neither {name} nor models/{name}")
    raise FileNotFoundError(f"{path}: no such file or folder, seen from {Path.cwd()}{BUNDLE_HINT}")


def _hub_folder(repository: str, name: str, download: bool, revision: str | None) -> Path:
    """Return where a repository of the hub is on this machine."""
    snapshot_download, there = optional_import("huggingface_hub", name="snapshot_download")
    missing = (
        f"{repository}: no such folder, seen from {Path.cwd()}, nor a repository of the Hugging Face hub that has been "
        "downloaded"
    )
    if not there:
        raise FileNotFoundError(f"{missing}; repositories need pip install monai-feat[hub]")
    try:
        folder = snapshot_download(
            repository,
            revision=revision,
            allow_patterns=[f"{folder}{file}" for folder in ("", "models/") for file in (name, EARLY_WEIGHTS)],
            local_files_only=not download,
        )
    except Exception as error:  # of the hub's library, of the network, of the disk
        advice = f"could not be downloaded: {error}" if download else "pass download=True to get it"
        raise FileNotFoundError(f"{missing}; {advice}") from error
    return Path(folder)
