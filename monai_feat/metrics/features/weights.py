# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Published weights files of feature networks: what they are, where they lie, and how they are read."""

from __future__ import annotations

import hashlib
import os
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from tqdm.auto import tqdm

from monai_feat.files import compare_keys, file_sha256, first_few, replacing

__all__ = [
    "PUBLISHED",
    "PublishedWeights",
    "WeightsError",
    "describe_damage",
    "fetch_weights",
    "load_strictly",
    "load_tensors",
    "weights_folder",
    "weights_sha256",
]

FOLDER_VARIABLE = "MONAI_FEAT_WEIGHTS"
TIMEOUT = 30.0  # seconds that a server may stay silent
CHUNK = 1 << 20
SHOWN_KEYS = 20

ModuleT = TypeVar("ModuleT", bound=nn.Module)


class WeightsError(ValueError):
    """A weights file that is damaged, is another file than it should be, or does not fit its network."""


@dataclass(frozen=True)
class PublishedWeights:
    """A weights file that its authors published.

    Attributes:
        url: where it is served.
        sha256: of the whole file.
        bytes: its size.
        licence: under which its authors put it.
        source: who made it, and what uses it.
    """

    url: str
    sha256: str
    bytes: int
    licence: str
    source: str

    @property
    def file(self) -> str:
        """Name of the file, in the cache folder as on the server."""
        return Path(urlsplit(self.url).path).name


# Sizes and hashes are those that several independent public users of each file state; hashes are never guessed.
PUBLISHED: dict[str, PublishedWeights] = {
    "i3d": PublishedWeights(
        url="https://www.dropbox.com/s/ge9e5ujwgetktms/i3d_torchscript.pt?dl=1",
        sha256="bec6519f66ea534e953026b4ae2c65553c17bf105611c746d904657e5860a5e2",
        bytes=51_235_320,
        licence="Apache-2.0 (weights of deepmind/kinetics-i3d); none is stated for the conversion",
        source="I3D of Kinetics-400 as TorchScript, github.com/universome/stylegan-v; FVD of StyleGAN-V, Endora, FEAT",
    ),
    "inception": PublishedWeights(
        url="https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt",
        sha256="f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
        bytes=95_607_719,
        licence="Apache-2.0 (weights of TensorFlow); NVIDIA Source Code License, non-commercial, for the conversion",
        source="Inception of 2015-12-05 as TorchScript, github.com/NVlabs/stylegan2-ada-pytorch; FID, IS of StyleGAN-V",
    ),
    "inception_state_dict": PublishedWeights(
        url="https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
        sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
        bytes=95_628_359,
        licence="Apache-2.0",
        source="Inception of 2015-12-05 as tensors, of pytorch-fid and torch-fidelity; FID of torchmetrics",
    ),
    "video_mae": PublishedWeights(
        url="https://huggingface.co/OpenGVLab/VideoMAE2/resolve/97d119d270aca7a1217fff7f413c0c543eb325d9/"
        "mae-g/vit_g_hybrid_pt_1200e_ssv2_ft.pth",
        sha256="5a210a92f035dff30c53b46157b612e7a1a5d3c99700e1b2d71da5c399ca7e70",
        bytes=2_023_804_201,
        licence="tagged Apache-2.0 where it is served; the code is MIT",
        source="VideoMAE V2 ViT-g, fine-tuned on Something-Something V2; github.com/songweige/content-debiased-fvd",
    ),
}
"""Weights files by name: what a name stands for in `fetch_weights`."""


def weights_folder() -> Path:
    """Return the folder of published weights: ``MONAI_FEAT_WEIGHTS``, or else that of torch.hub."""
    given = os.environ.get(FOLDER_VARIABLE)
    return Path(given).expanduser() if given else Path(torch.hub.get_dir()) / "checkpoints"


def fetch_weights(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the path of a weights file, downloading a published one where it is not in the cache folder yet.

    Args:
        name_or_path: a name in `PUBLISHED`, whose file is looked for in `weights_folder`, and checked by size and
            SHA-256 wherever it comes from; or the path of a file, which is used as it is.

    Raises:
        FileNotFoundError: there is no such file or name, or no network to download it by.
        WeightsError: the file is not the published one.

    Example:
        >>> fetch_weights("resnet")
        Traceback (most recent call last):
        FileNotFoundError: no weights file resnet, and no published one of that name; there are i3d, inception, ...
    """
    published = PUBLISHED.get(os.fspath(name_or_path))
    if published is None:
        return _existing(Path(name_or_path))
    path = weights_folder() / published.file
    if path.is_file():
        _check_published(path, published)
    else:
        _download(published, path)
    return path


def weights_sha256(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file, which can be large; one that kept its size and time is read once per process."""
    path = Path(path).resolve()
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


def load_tensors(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read a state dict, by safetensors or with ``weights_only``, so that nothing in the file is executed.

    A state dict that lies under ``model`` or ``module`` is unwrapped.

    Raises:
        FileNotFoundError: there is no such file.
        WeightsError: the file is damaged, or holds something else.
    """
    path = _existing(Path(path))
    try:
        content = load_file(path) if path.suffix == ".safetensors" else _load_pickle(path)
    except Exception as error:  # whatever a damaged file provokes in either reader
        raise WeightsError(describe_damage(path, "a state dict")) from error
    for wrapper in ("model", "module"):
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise WeightsError(f"{path}: expected a dict of tensors, got {_kind(content)}")
    return dict(content)


def load_strictly(network: ModuleT, state: Mapping[str, Tensor], source: str) -> ModuleT:
    """Put every tensor of `state`, as float32, into the network, which may be on the meta device, and return it.

    Raises:
        WeightsError: a tensor is missing, left over or of another shape; the message names them.
    """
    expected = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in state.items()}
    if found := compare_keys(expected, given):
        differences = {
            "missing": sorted(found.missing),
            "unused": sorted(found.unexpected),
            "of another shape": [f"{name} {given[name]} instead of {expected[name]}" for name in found.changed],
        }
        listed = "; ".join(
            f"{len(keys)} {kind}: {first_few(keys, SHOWN_KEYS)}" for kind, keys in differences.items() if keys
        )
        raise WeightsError(f"{source}: does not fit {type(network).__name__}: {listed}")
    network.load_state_dict({name: _single_precision(value) for name, value in state.items()}, assign=True)
    return network


def describe_damage(path: Path, expected: str) -> str:
    """Return one line that tells how a file that cannot be read differs from the published file of that name."""
    found = (
        f"{path}: cannot be read as {expected}; it has {path.stat().st_size} bytes and sha256 {weights_sha256(path)}"
    )
    for published in PUBLISHED.values():
        if published.file == path.name:
            return f"{found}, the published file {published.bytes} bytes and sha256 {published.sha256}; get it again"
    return f"{found}; is it complete, and of the right kind?"


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, time: int) -> str:
    """Hash a file; size and time are there for the cache to see that it changed."""
    return file_sha256(path)


def _existing(path: Path) -> Path:
    if not path.is_file():
        known = ", ".join(PUBLISHED)
        raise FileNotFoundError(f"no weights file {path}, and no published one of that name; there are {known}")
    return path


def _difference(size: int, digest: Callable[[], str], published: PublishedWeights) -> str:
    """Return how a file differs from the published one, or nothing; size comes first, since it costs no reading."""
    if size != published.bytes:
        return f"it has {size} bytes, expected {published.bytes} (sha256 {published.sha256})"
    found = digest()
    return f"it has sha256 {found}, expected {published.sha256}" if found != published.sha256 else ""


def _check_published(path: Path, published: PublishedWeights) -> None:
    if difference := _difference(path.stat().st_size, lambda: weights_sha256(path), published):
        raise WeightsError(f"{path}: is not the published {published.file}: {difference}; delete it and get it again")


def _download(published: PublishedWeights, path: Path) -> None:
    """Put at `path` only what is whole."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            digest = _stream(published, file)
            if difference := _difference(file.tell(), lambda: digest, published):
                raise WeightsError(f"{published.url}: did not send the published {published.file}: {difference}")
    except (OSError, HTTPException) as error:
        raise FileNotFoundError(
            f"{published.file} is not in {path.parent} and could not be downloaded from {published.url} ({error}); "
            f"where there is a network, get it, put it there (or name its folder in {FOLDER_VARIABLE}) "
            f"and check that its sha256 is {published.sha256}"
        ) from error


def _stream(published: PublishedWeights, file: BinaryIO) -> str:
    """Write what the server sends, and return its SHA-256."""
    digest = hashlib.sha256()
    with (
        urllib.request.urlopen(published.url, timeout=TIMEOUT) as response,
        tqdm(total=published.bytes, unit="B", unit_scale=True, desc=published.file) as progress,
    ):
        while chunk := response.read(CHUNK):
            file.write(chunk)
            digest.update(chunk)
            progress.update(len(chunk))
    return digest.hexdigest()


def _load_pickle(path: Path) -> Any:
    return torch.load(path, map_location="cpu", weights_only=True)


def _single_precision(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def _kind(content: object) -> str:
    return (
        f"a dict with {first_few(list(content), SHOWN_KEYS)}"
        if isinstance(content, Mapping)
        else type(content).__name__
    )
