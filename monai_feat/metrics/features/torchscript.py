# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""TorchScript networks, the form in which several feature networks were published.

A TorchScript file is a program. It cannot reach Python, but it can read and write files: ``torch.from_file`` is one of
its operations. So a program runs here only where its hash is that of a published file, or the caller trusts it.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from monai_feat.metrics.features.weights import PUBLISHED, WeightsError, describe_damage

__all__ = ["TorchScript", "is_torchscript", "load_torchscript"]


class TorchScript(nn.Module):
    """A TorchScript network that can be copied and pickled, which torch's own cannot."""

    def __init__(self, script: torch.jit.ScriptModule) -> None:
        super().__init__()
        self.script = script

    def forward(self, *args: Tensor, **kwargs: bool) -> Tensor:
        """Return what the network returns."""
        result: Tensor = self.script(*args, **kwargs)
        return result

    def __getstate__(self) -> dict[str, Any]:
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*torch.jit.save", DeprecationWarning)
            torch.jit.save(self.script, buffer)
        return {**self.__dict__, "_modules": {}, "script_bytes": buffer.getvalue()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        script = _load(state["script_bytes"])
        self.__dict__.update({key: value for key, value in state.items() if key != "script_bytes"})
        self._modules = {"script": script}


def is_torchscript(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a TorchScript archive, without reading its contents."""
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(Path(name).name == "constants.pkl" for name in archive.namelist())


def load_torchscript(path: str | os.PathLike[str], options: Collection[str], trust_script: bool = False) -> TorchScript:
    """Read a TorchScript network onto the CPU, in evaluation mode.

    Args:
        path: of the archive, a program that can read and overwrite files.
        options: arguments that its forward must have, which tells one published network from another.
        trust_script: run the program though its SHA-256 is that of no published file.

    Raises:
        FileNotFoundError: there is no such file.
        WeightsError: the program is neither published nor trusted, the file is damaged, or it is another network.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file, expected weights as TorchScript: check the path")
    program = Path(path).read_bytes()  # what is hashed is what runs
    if not trust_script:
        _check_published(program, path)
    try:
        script = _load(program, device="cpu")
    except Exception as error:  # whatever a damaged file provokes in the reader
        raise WeightsError(describe_damage(Path(path), "TorchScript")) from error
    schema: Any = script.forward.schema  # type: ignore[attr-defined]
    accepted = [argument.name for argument in schema.arguments]
    if missing := [option for option in options if option not in accepted]:
        raise WeightsError(f"{path}: is another network: forward({', '.join(accepted)}) lacks {', '.join(missing)}")
    return TorchScript(script.eval())


def _check_published(program: bytes, path: str | os.PathLike[str]) -> None:
    found = hashlib.sha256(program).hexdigest()
    if found not in {published.sha256 for published in PUBLISHED.values()}:
        raise WeightsError(
            f"{path}: is a TorchScript program of unknown origin, sha256 {found}, which could read and overwrite "
            "files; expected a published one. If you trust it: trust_script=True, or --trust-script on the command line"
        )


def _load(program: bytes, device: str | None = None) -> torch.jit.ScriptModule:
    """Load without torch's advice to export instead: these files exist in no other form."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*torch.jit.load", DeprecationWarning)
        script: torch.jit.ScriptModule = torch.jit.load(io.BytesIO(program), map_location=device)
    return script
