# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
r"""Score synthetic clips against real ones: distances with floors and intervals, properties, copies of training clips.

    monai-feat evaluate REAL FAKE --held-out HELD --gate
    monai-feat evaluate clips samples --size 128 --frame-rate 8 --group "pat(\d+)"
    monai-feat evaluate clips grid.gif --grid 4x4 --grid-border 1 --preset endora_2024 --weights i3d=i3d_torchscript.pt
    monai-feat evaluate phantom:ultrasound:1 phantom:ultrasound:2 --held-out phantom:ultrasound:3

REAL is what the model was trained on, FAKE what it made, HELD real clips of other patients. Each is a folder of clips
or one clip (mp4, avi, mov, gif, frames, DICOM, NIfTI, ...), datalist.json or datalist.json:testing, phantom:NAME:SEED,
or safetensors of latents. Under torchrun, processes share the work.

Exit codes: 0 done; 2 not done, with the reason; 3 with --gate, copies were found, the weights of --generator tell
their training patients, or either could not be calibrated.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast, get_args

import torch
from torch import distributed, nn

from monai_feat import ClipGenerator
from monai_feat.apps.next_step import GATE_PATIENTS, gate_note, next_step, study_command
from monai_feat.bundle import ClipReading
from monai_feat.checkpoints import CheckpointError
from monai_feat.data.clip_listing import name_by_pattern
from monai_feat.data.source_names import is_phantom, parse_phantom
from monai_feat.data.tensor_cache import TensorCacheError
from monai_feat.files import check_folder
from monai_feat.metrics.functional.properties import Modality

from .memorisation import describe
from .reading.agreement import Colour
from .reading.clips import SideFit
from .reading.comparison import Comparison, open_comparison
from .reading.latents import load_autoencoder
from .reading.protocol import PRESETS, Protocol, as_in_training, get_preset
from .reading.sources import SourceOptions, parse_grid
from .recording import RESULTS, record_evaluation, score_values
from .report import write_report
from .report.summary import summarise
from .results import Evaluation
from .scoring.spaces import PUBLISHED_SPACES, FeatureSpace, offline_spaces, published_spaces
from .study import Settings, evaluate

__all__ = ["main"]

WEIGHTS = ", ".join(PUBLISHED_SPACES)
LEFT_OPEN = {"size", "colour", "jpeg_quality"}  # what a published protocol may say nothing of
NEEDED_WEIGHTS = {"stylegan_v": "i3d", "endora_2024": "i3d", "feat_2025": "i3d", "cd_fvd": "video_mae"}
_ERRORS = (OSError, ValueError, CheckpointError, TensorCacheError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    options.command = shlex.join(["monai-feat", "evaluate", *(sys.argv[1:] if arguments is None else arguments)])
    rank, processes = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if processes > 1:
        distributed.init_process_group("gloo")
    try:
        return _run(options)
    except _ERRORS as error:
        if rank == 0:
            print(f"evaluation: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    finally:
        if processes > 1:
            distributed.destroy_process_group()


def _run(options: argparse.Namespace) -> int:
    for module in options.imports:
        _import(module)
    if options.gate and options.held_out is None:
        raise ValueError("--gate is calibrated on real clips that were not trained on: name them with --held-out HELD")
    if options.generator and options.held_out is None:
        raise ValueError(
            "--generator is attacked by real clips that were not trained on: name them with --held-out HELD"
        )
    for folder in (Path(options.out), _cache(options)):
        check_folder(folder)
    reading = ClipReading.of_samples(options.fake)
    protocol = _protocol(options, reading)
    spaces = _spaces(options, protocol)
    comparison = _open(options, protocol, reading)
    _tell_before(comparison, options)
    settings = _settings(options, comparison)
    record = record_evaluation(options, comparison)
    record.begin()
    evaluation = evaluate(comparison, spaces, settings)
    if evaluation is None:
        return 0
    page = write_report(evaluation, options.out)
    record.finish(score_values(evaluation), RESULTS)
    _tell(evaluation, page, options, settings.modality)
    return 3 if options.gate and not evaluation.may_be_shared else 0


def _tell_before(comparison: Comparison, options: argparse.Namespace) -> None:
    """Say before clips are decoded what their number already decides."""
    if options.quiet or not options.gate:
        return
    patients = len({recording.group for recording in comparison.sides["held_out"].recordings})
    if patients < GATE_PATIENTS:
        print(gate_note(patients), file=sys.stderr)


def _import(module: str) -> None:
    try:
        importlib.import_module(module)
    except ImportError as error:
        raise ValueError(
            f"--import: {module} cannot be imported ({error}): install it, or put its folder into PYTHONPATH"
        ) from error


def _open(options: argparse.Namespace, protocol: Protocol, reading: ClipReading | None) -> Comparison:
    sources = SourceOptions(
        num_frames=protocol.num_frames,
        stride=protocol.stride,
        frame_rate=protocol.frame_rate,
        group=None if options.group is None else name_by_pattern(options.group),
        grid=None if options.grid is None else parse_grid(options.grid, options.grid_border),
        on_bad=_on_bad(options, reading),
        autoencoder=_autoencoder(options),
        reading=reading,
        still_frames=protocol.num_frames if reading is not None and reading.num_frames == 1 else 1,
    )
    specs = {"train": options.real, "fake": options.fake, "held_out": options.held_out}
    named = {name: spec for name, spec in specs.items() if spec is not None}
    return open_comparison(named, protocol, sources, options.accept_differences)


def _on_bad(options: argparse.Namespace, reading: ClipReading | None) -> str:
    """What cannot be used is left out, and named, where the training that is compared with did so too."""
    return str(options.on_bad or ("error" if reading is None else "skip"))


def _autoencoder(options: argparse.Namespace) -> nn.Module | None:
    return None if options.autoencoder is None else load_autoencoder(Path(options.autoencoder), options.device)


def _generator(options: argparse.Namespace) -> ClipGenerator | None:
    return (
        None if options.generator is None else ClipGenerator.from_pretrained(options.generator, device=options.device)
    )


def _protocol(options: argparse.Namespace, reading: ClipReading | None) -> Protocol:
    """The preset, with what was asked for otherwise; it loses its name where that changes what it stands for."""
    preset = as_in_training(get_preset(options.preset), reading)
    asked = {
        "num_frames": options.num_frames,
        "stride": options.stride,
        "frame_rate": options.frame_rate,
        "size": options.size,
        "max_real": options.max_clips,
        "max_fake": options.max_clips,
        "colour": options.colour,
        "fit": options.fit,
        "jpeg_quality": options.jpeg_quality,
    }
    changes = {name: value for name, value in asked.items() if value is not None}
    if options.stride is not None:
        changes["frame_rate"] = None
    # Only the bilinear resampler has a choice of fit.
    resampler = preset.resampler if changes.get("fit", preset.fit) == preset.fit else "bilinear"
    protocol = replace(preset, **changes, resampler=resampler, seed=options.seed)
    if protocol.num_frames < 2 or protocol.stride < 1 or not (protocol.max_real is None or protocol.max_real >= 2):
        got = f"{protocol.num_frames}, {protocol.stride} and {protocol.max_real}"
        raise ValueError(f"expected --num-frames >= 2, --stride >= 1 and --max-clips >= 2, got {got}")
    given = {name: getattr(preset, name) for name in changes}
    left_open = {name for name in LEFT_OPEN if given.get(name, 0) is None}
    changed = [name for name, value in changes.items() if value != given[name] and name not in left_open]
    if preset.preset == "strict" or not changed:
        return protocol
    return replace(protocol, preset=f"{preset.preset}, but {', '.join(changed)}")


def _spaces(options: argparse.Namespace, protocol: Protocol) -> list[FeatureSpace]:
    weights = dict(entry.split("=", 1) if "=" in entry else (entry, entry) for entry in options.weights)
    needed = NEEDED_WEIGHTS.get(options.preset)
    if needed is not None and needed not in weights:
        raise ValueError(
            f"preset {options.preset} scores with the network {needed}: give its file with --weights {needed}=PATH, "
            f"or download it with --weights {needed}"
        )
    published = published_spaces(weights, protocol.num_frames, options.trust_script)
    spaces = published if needed is not None else [*offline_spaces(), *published]
    for space in spaces:
        space.network.to(options.device).eval()
    return spaces


def _settings(options: argparse.Namespace, comparison: Comparison) -> Settings:
    return Settings(
        cache=_cache(options),
        batch_size=options.batch_size,
        skip_bad=_on_bad(options, comparison.options.reading) == "skip",
        corruptions=options.corruptions,
        modality=options.modality or _modality(options.real, comparison),
        autoencoder=comparison.options.autoencoder,
        generator=_generator(options),
        weights=options.generator or "",
        command=options.command,
        progress=not options.quiet,
    )


def _cache(options: argparse.Namespace) -> Path:
    return Path(options.cache) if options.cache else Path(options.out).parent / ".evaluation_cache"


def _modality(real: str, comparison: Comparison) -> Modality:
    """That of a phantom or of a training, or else what grey and coloured clips usually are."""
    reading = comparison.options.reading
    if reading is not None and reading.modality in get_args(Modality):
        return cast(Modality, reading.modality)
    if is_phantom(real) and (kind := parse_phantom(real).kind) in get_args(Modality):
        return cast(Modality, kind)
    return "ultrasound" if comparison.protocol.colour == "grey" else "endoscopy"


def _tell(evaluation: Evaluation, page: Path, options: argparse.Namespace, modality: Modality) -> None:
    is_quiet = options.quiet
    if not is_quiet:
        print(summarise(evaluation))
    if evaluation.gate is not None and not evaluation.gate.passed:
        print(describe(evaluation.gate), file=sys.stderr)
    if not is_quiet:
        print(f"{page.with_suffix('.json')} holds all numbers. {evaluation.seconds:.0f} s.")
        print(next_step([page], study_command(options.real, modality)))


def _size(text: str) -> tuple[int, int]:
    parts = [int(part) for part in text.split("x")]
    if len(parts) > 2 or min(parts) < 16:
        raise argparse.ArgumentTypeError(f"expected pixels such as 128 or 96x128 (rows x columns), got {text}")
    return (parts[0], parts[-1])


def _device(text: str) -> torch.device:
    try:
        return torch.empty(0, device=text).device
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise argparse.ArgumentTypeError(f"{text!r} cannot be used here: {reason}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="monai-feat evaluate", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("real", metavar="REAL", help="clips that the model was trained on")
    parser.add_argument("fake", metavar="FAKE", help="synthetic clips that the model made")
    parser.add_argument(
        "--held-out", metavar="HELD", help="real clips of other patients, on which the model was not trained"
    )
    parser.add_argument("--gate", action="store_true", help="exit with 3 unless no copy of a training clip was found")
    weights = (
        "weights that made FAKE, a bundle or a folder: ask, too, whether they tell the patients they were trained on"
    )
    parser.add_argument("--generator", metavar="WEIGHTS", help=weights)
    parser.add_argument("--out", default="evaluation_out", help="folder of the report (default: %(default)s)")
    _add_protocol(parser)
    _add_reading(parser)
    _add_run(parser)
    return parser


def _add_protocol(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what moves the scores")
    group.add_argument("--preset", choices=list(PRESETS), default="strict", help="protocol (default: %(default)s)")
    group.add_argument("--weights", nargs="+", default=(), metavar="NAME[=PATH]", help=f"also score by {WEIGHTS}")
    trust = "run TorchScript files of --weights that are not the published ones: programs, which can overwrite files"
    group.add_argument("--trust-script", action="store_true", help=trust)
    group.add_argument("--num-frames", type=int, metavar="T", help="frames of a clip (default: 16)")
    pace = group.add_mutually_exclusive_group()
    pace.add_argument("--stride", type=int, metavar="N", help="take every n-th frame (default: 1)")
    pace.add_argument("--frame-rate", type=float, metavar="HZ", help="take frames at this rate")
    group.add_argument("--size", type=_size, metavar="H[xW]", help="resize both sides (default: they must be alike)")
    group.add_argument(
        "--fit", choices=get_args(SideFit), help="how frames of another shape are fitted (default: crop)"
    )
    jpeg = "save frames of both sides as JPEG first, as who published a score may have; Pillow's usual quality is 75"
    group.add_argument("--jpeg-quality", type=int, metavar="Q", help=jpeg)
    group.add_argument("--colour", choices=get_args(Colour), help="compare in RGB or luma (default: as found)")
    group.add_argument(
        "--max-clips",
        type=int,
        metavar="N",
        help="clips of each side at most; of phantoms exactly so many (default: 64)",
    )
    group.add_argument(
        "--seed", type=int, default=0, help="seed of the windows that are taken from real clips (default: %(default)s)"
    )


def _add_reading(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how files are read")
    group.add_argument("--group", metavar="REGEX", help="pattern that finds the patient in a path, such as 'pat(\\d+)'")
    group.add_argument("--grid", metavar="RxC", help="FAKE shows rows x columns of samples in each file")
    group.add_argument("--grid-border", type=int, default=0, metavar="N", help="pixels between the samples of a grid")
    group.add_argument("--autoencoder", metavar="PATH", help="decodes latents: a bundle, its config, or an SD VAE")
    group.add_argument(
        "--on-bad",
        choices=("error", "skip"),
        help="what to do with clips that are too short or cannot be read (default: error; skip if FAKE has a manifest)",
    )
    group.add_argument(
        "--accept-differences", action="store_true", help="only warn where two sides should not be compared"
    )


def _add_run(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("how it runs")
    group.add_argument("--corruptions", action="store_true", help="also show what each distance sees (takes longer)")
    own = "Python modules to import first, such as one that registers properties"
    group.add_argument("--import", nargs="+", default=(), metavar="MODULE", dest="imports", help=own)
    group.add_argument(
        "--modality",
        choices=get_args(Modality),
        help="measure the properties of this modality (default: that of the clips)",
    )
    group.add_argument(
        "--cache", metavar="DIR", help="folder of cached features (default: .evaluation_cache beside --out)"
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    group.add_argument("--device", type=_device, default=device, help="device of the networks (default: %(default)s)")
    group.add_argument(
        "--batch-size", type=int, default=8, help="clips that a network takes at once (default: %(default)s)"
    )
    told = "tell names of clips and patients in record.json, which else has numbers and digests"
    group.add_argument("--record-names", action="store_true", help=told)
    group.add_argument("--quiet", action="store_true", help="print only errors and found copies")
