# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs as one file that a reviewer can open: an RO-Crate of records, results and weights."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from monai.apps.utils import extractall
from monai.utils import optional_import

from monai_feat.files import file_sha256, first_few, replacing
from monai_feat.records.record import RECORD
from monai_feat.records.schema import RecordError, read_record

__all__ = ["PROFILE", "WEIGHTS", "WEIGHTS_BYTES", "export_crate", "unpack_crate"]

ROCrate, _has_rocrate = optional_import("rocrate.rocrate", name="ROCrate")
ContextEntity, _ = optional_import("rocrate.model.contextentity", name="ContextEntity")

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
"""The profile that a crate keeps: Process Run Crate."""
WEIGHTS = "weights"
"""Folder of the weights that a run loaded, in a crate."""
WEIGHTS_BYTES = 2**28
"""Weights of more bytes are told by their SHA-256 alone."""
_HOME = "https://arxiv.org/abs/2506.04956"


def export_crate(runs: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str], licence: str) -> list[str]:
    """Pack runs with their records, results and the weights that they loaded.

    Every result must still be what its record says. Clips of patients that a run read are never packed: the record has
    their digests.

    Args:
        runs: folders with a ``record.json``; their names must differ.
        out: the zip file; its folder must exist.
        licence: address of the licence under which the results are handed on.

    Returns:
        What is told by its digest alone, by name.

    Raises:
        ImportError: the package ``rocrate`` is missing; says how to get it.
        RecordError: a run is not finished, or a result is missing or changed; names it.
        ValueError: two runs have one name, or the licence is no address.
        OSError: a file cannot be read or written.
    """
    if not _has_rocrate:
        raise ImportError("records are packed by the package rocrate: pip install 'monai-feat[crate]'")
    folders = [Path(run).resolve() for run in runs]
    if len({folder.name for folder in folders}) < len(folders):
        raise ValueError(f"expected runs with different names, got {first_few([folder.name for folder in folders])}")
    if "://" not in licence:
        raise ValueError(f"expected the address of a licence, such as https://…, got {licence!r}")
    with tempfile.TemporaryDirectory() as place:
        crate = _new_crate(licence)
        left_out = [name for folder in folders for name in _add_run(crate, folder)]
        crate.write(place)
        with replacing(out) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(path for path in Path(place).rglob("*") if path.is_file()):
                archive.write(path, path.relative_to(place).as_posix())
    return left_out


def _new_crate(licence: str) -> Any:
    crate = ROCrate(version="1.1")  # on which the profile is built
    crate.name = "Runs of monai-feat"
    crate.description = "What was run, with what, on which data, and what came out; see record.json of each run."
    profile = {"@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    crate.root_dataset["conformsTo"] = crate.add(ContextEntity(crate, PROFILE, profile))
    crate.license = crate.add(ContextEntity(crate, licence, {"@type": "CreativeWork", "name": licence}))
    return crate


def _add_run(crate: Any, folder: Path) -> list[str]:
    """Add one run; return the names of weights that were not found or are too large."""
    record = read_record(folder / RECORD)
    if record["status"] != "finished":
        raise RecordError(f"{folder / RECORD}: the run has not come to its end; finish it first")
    name = folder.name
    results = [_add_result(crate, folder, result) for result in record["results"]]
    results.append(_add_file(crate, folder / RECORD, f"{name}/{RECORD}", "the record of the run", "application/json"))
    found = {entry["name"]: _find_weights(entry["sha256"], folder, record["config"]) for entry in record["weights"]}
    packed = {key: path for key, path in found.items() if path is not None and path.stat().st_size <= WEIGHTS_BYTES}
    weights = [
        _add_file(crate, path, f"{name}/{WEIGHTS}/{key}", "weights that the run loaded", "application/octet-stream")
        for key, path in packed.items()
    ]
    action = {
        "@type": "CreateAction",
        "name": f"{record['kind']}: {name}",
        "description": record["command"] or record["kind"],
        "startTime": record["started"],
        "endTime": record["finished"],
    }
    run = crate.add(ContextEntity(crate, f"#{record['id']}", action))
    run["instrument"] = _software(crate, record)
    run["object"] = weights
    run["result"] = results
    crate.root_dataset.append_to("mentions", run)
    return [f"{name}: {key}" for key in found if key not in packed]


def _software(crate: Any, record: Mapping[str, Any]) -> Any:
    identifier = f"#monai-feat-{record['version']}"
    there = crate.dereference(identifier)
    content = {
        "@type": "SoftwareApplication",
        "name": "monai-feat",
        "version": record["version"],
        "softwareVersion": record["version"],
        "url": _HOME,
    }
    return there or crate.add(ContextEntity(crate, identifier, content))


def _add_result(crate: Any, folder: Path, result: Mapping[str, Any]) -> Any:
    path = folder / result["name"]
    if not path.is_file() or file_sha256(path) != result["sha256"]:
        what = "has been changed" if path.is_file() else "is missing"
        raise RecordError(f"{path}: {what} since the run; expected SHA-256 {result['sha256']}: run it again")
    return _add_file(crate, path, f"{folder.name}/{result['name']}", "a result of the run", None)


def _add_file(crate: Any, path: Path, name: str, description: str, encoding: str | None) -> Any:
    told = {"name": name, "description": description, "contentSize": str(path.stat().st_size)}
    told |= {"sha256": file_sha256(path), **({"encodingFormat": encoding} if encoding else {})}
    return crate.add_file(str(path), name, properties=told)


def _find_weights(sha256: str, folder: Path, config: Mapping[str, Any]) -> Path | None:
    """Return the file of weights with this digest: in a run's folder, its bundle, or where its config names one."""
    named = [Path(value) for value in config.values() if isinstance(value, str) and value.endswith(".safetensors")]
    models = Path(str(config.get("bundle_root", "."))) / "models"
    candidates: Iterable[Path] = [*folder.glob("*.safetensors"), *models.glob("*.safetensors"), *named]
    return next((path for path in candidates if path.is_file() and file_sha256(path) == sha256), None)


def unpack_crate(crate: str | os.PathLike[str], folder: str | os.PathLike[str]) -> list[Path]:
    """Unpack a crate into an empty folder, by MONAI, which refuses names that lead out of it; return its runs' folders.

    Raises:
        FileNotFoundError: there is no such file.
        RecordError: the file is no crate with runs.
    """
    if not Path(crate).is_file():
        raise FileNotFoundError(f"{crate}: no such file; expected what monai-feat record export wrote")
    try:
        extractall(crate, folder, file_type="zip", has_base=False)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise RecordError(f"{crate}: cannot be unpacked ({error}); get it again") from error
    runs = sorted(path.parent for path in Path(folder).glob(f"*/{RECORD}"))
    if not runs:
        raise RecordError(f"{crate}: holds no run; expected what monai-feat record export wrote")
    return runs
