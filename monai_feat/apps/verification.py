# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Whether a packed run is what its record says, and whether it comes out again."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from monai.bundle import ConfigParser

from monai_feat.bundle import sample_bundle, shipped_bundles
from monai_feat.checkpoints import load_checkpoint
from monai_feat.data import load_clip
from monai_feat.files import file_sha256, read_json
from monai_feat.records import RECORD, read_record
from monai_feat.records.crate import WEIGHTS

__all__ = ["Check", "verify_run"]

LEVELS, LATENTS = 1.0, 1e-3
"""Largest difference of a clip that another machine may make: mean of grey levels, or of latents."""
_OTHERWISE = {  # of this machine, or given here
    "_meta_",
    "autoencoder_weights",
    "bundle_root",
    "dataset_dir",
    "debug",
    "device",
    "early_weights",
    "network_weights",
    "output_dir",
}


class Check(NamedTuple):
    """Something that was looked at.

    Attributes:
        standing: ``same``, ``near`` for equal within a tolerance, ``differs``, or ``not checked``.
        name: of what, such as a file.
        note: what was found.
    """

    standing: Literal["same", "near", "differs", "not checked"]
    name: str
    note: str


def verify_run(folder: Path) -> Iterator[Check]:
    """Compare the files of an unpacked run with its record; sample again, on the CPU, what was sampled.

    Of the crate, only values are used: a config with expressions of its own is a program, and is not run.

    Args:
        folder: of the run, as a crate has it.

    Raises:
        RecordError: it has no record that can be read.
    """
    record = read_record(folder / RECORD)
    files = {result["name"]: result["sha256"] for result in record["results"]}
    weights = {f"{WEIGHTS}/{entry['name']}": entry["sha256"] for entry in record["weights"]}
    yield from (_compare(folder, name, digest, "is missing") for name, digest in files.items())
    yield from (_compare(folder, name, digest, "") for name, digest in weights.items())
    known = {*files, *weights, RECORD}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if (name := path.relative_to(folder).as_posix()) not in known:
            yield Check("differs", name, "is not in the record")
    if record["kind"] == "sampling":
        yield from _sample_again(folder, record)
    else:
        yield Check("not checked", record["kind"], "was not run again: only sampling is, whose data are all in a crate")


def _compare(folder: Path, name: str, digest: str, missing: str) -> Check:
    path = folder / name
    if not path.is_file():
        return Check("differs", name, missing) if missing else Check("not checked", name, "is not in the crate")
    found = file_sha256(path)
    if found == digest:
        return Check("same", name, "SHA-256 as recorded")
    return Check("differs", name, f"SHA-256 {found[:12]}…, recorded {digest[:12]}…")


def _sample_again(folder: Path, record: Mapping[str, Any]) -> Iterator[Check]:
    config = record["config"]
    if record["seeds"].get("seed") != config.get("seed"):
        note = f"{record['seeds'].get('seed')} among the seeds, {config.get('seed')} in the config"
        yield Check("differs", "seed", note)
        return
    paths = {entry["role"]: folder / WEIGHTS / entry["name"] for entry in record["weights"]}
    gone = [path.name for path in paths.values() if not path.is_file()]
    if gone:
        yield Check("not checked", "sampling", f"was not run again without {', '.join(gone)}")
        return
    shipped = {read_json(each / "configs" / "metadata.json")["name"]: each for each in shipped_bundles().values()}
    bundle = shipped.get(config.get("_meta_", {}).get("name"))
    if bundle is None:
        yield Check("not checked", "sampling", "was not run again: its bundle is none of the shipped ones")
        return
    options = _changed(bundle, config)
    if programs := sorted(key for key, value in options.items() if not _is_plain(value)):
        yield Check("not checked", "sampling", f"was not run again: {', '.join(programs)} of its config are programs")
        return
    with tempfile.TemporaryDirectory() as place:
        given = {
            **options,
            "autoencoder_weights": str(paths["autoencoder"]),
            "network_weights": str(paths["network"]),
            "early_weights": str(paths["weaker"]) if "weaker" in paths else None,
            "device": "$torch.device('cpu')",
            "named_handlers::sheet::_disabled_": True,
        }
        count = given.pop("num_clips", config["num_clips"])
        for clip in sample_bundle(bundle, place, count, **given):
            yield _compare_clips(folder / clip.name, clip)


def _changed(bundle: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    """What a recorded config sets otherwise than the shipped one."""
    parser = ConfigParser()
    parser.read_config(bundle / "configs" / "inference.json")
    parser.parse()
    shipped: dict[str, Any] = parser.get()
    keys = (config.keys() | shipped.keys()) - _OTHERWISE
    return {key: config.get(key) for key in keys if config.get(key) != shipped.get(key)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return "_target_" not in value and all(_is_plain(item) for pair in value.items() for item in pair)
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, str) or not value.startswith(("$", "@", "%"))


def _compare_clips(recorded: Path, again: Path) -> Check:
    name = f"{again.name}, sampled again"
    if not recorded.is_file():
        return Check("differs", name, "is not among the recorded clips")
    if file_sha256(recorded) == file_sha256(again):
        return Check("same", name, "bit for bit")
    is_latent = again.suffix == ".safetensors"
    try:
        one, other = ((load_checkpoint(p)["latent"] if is_latent else load_clip(p)).float() for p in (recorded, again))
        distance = (one - other).abs().mean().item()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        return Check("differs", name, f"the recorded clip cannot be compared: {error}")
    near = distance <= (LATENTS if is_latent else LEVELS)
    return Check("near" if near else "differs", name, f"{distance:.3g} off in the mean")
