# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Hostile inputs of every format and kind of document: each is read or refused by name, shortly and within bounds."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from monai_feat.data.datalist import inspect_datalist
from monai_feat.documents import read_table, read_yaml
from tests.monai_feat.data.hostile_inputs import make_hostile_inputs

ROOT = Path(__file__).resolve().parents[3]
CPU_SECONDS, MEGABYTES = 5.0, 500
# A child that has not ended after so many seconds of a busy machine hangs.
PATIENCE = 120

# Each file has a process of its own, forked so that the readers are imported once. Prints, for each: how it ended, CPU
# seconds, and megabytes beyond what importing takes.
RUN = """
import os, resource, signal, sys, time, warnings
from pathlib import Path
import torch
from monai_feat.data import VideoReadError, load_clip
from monai_feat.data.annotation_files import read_annotations
from monai_feat.data.datalist import DatalistError, inspect_datalist
from monai_feat.documents import read_config, read_table, read_yaml

READERS = {
    ".json": ((inspect_datalist, DatalistError), (read_annotations, DatalistError), (read_config, ValueError)),
    ".csv": ((read_table, ValueError),),
    ".xml": ((read_annotations, DatalistError),),
    ".yaml": ((read_yaml, ValueError), (read_config, ValueError)),
}

def load_whole_and_in_part(path):
    load_clip(path)
    load_clip(path, 0, 2)

def ended(path):
    readers = READERS.get(path.suffix, ((load_whole_and_in_part, VideoReadError),))
    ends = [end_of(read, expected, path) for read, expected in readers]
    return next((end for end in ends if end not in ("read", "refused")), ends[0])

def end_of(read, expected, path):
    try:
        read(path)
    except expected as error:
        text = str(error)
        is_short = len(text) < 1500 and len(text.splitlines()) == 1
        return "refused" if is_short else "refused_at_length:" + repr(text[:200])
    except BaseException as error:
        return "raised:" + repr(error)[:200]
    return "read"

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

warnings.simplefilter("ignore")
torch.set_num_threads(1)
for path in sorted(Path(sys.argv[1]).iterdir()):
    if (child := os.fork()) == 0:
        signal.alarm(int(sys.argv[2]))
        before, start = peak(), time.process_time()
        how = ended(path).replace(" ", "_")
        print(ascii(path.name).replace(" ", "_"), how, time.process_time() - start, peak() - before, flush=True)
        os._exit(0)
    if status := os.waitpid(child, 0)[1]:
        print(ascii(path.name).replace(" ", "_"), f"died:{os.waitstatus_to_exitcode(status)}", 0, 0, flush=True)
"""


def ends_of(folder: Path, number: int) -> list[tuple[str, str, float, int]]:
    """Name, end, CPU seconds and megabytes of each file of a folder."""
    run = subprocess.run(
        [sys.executable, "-c", RUN, str(folder), str(PATIENCE)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = [line.split() for line in run.stdout.splitlines()]
    assert len(lines) == number, run.stderr[-3000:]
    return [(name, end, float(seconds), int(megabytes)) for name, end, seconds, megabytes in lines]


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pipes and devices are those of Linux")
def test_hostile_inputs_are_refused_shortly_and_within_bounds(tmp_path: Path) -> None:
    files = make_hostile_inputs(tmp_path)
    assert len(files) >= 200
    ends = ends_of(tmp_path, len(files))
    wrong = [end for end in ends if end[1] not in ("read", "refused") or end[2] > CPU_SECONDS or end[3] > MEGABYTES]
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are forked")
def test_files_of_the_reports_are_refused_at_once(cases: Path) -> None:
    ends = ends_of(cases / "hostile", len(list((cases / "hostile").iterdir())))
    is_listed = {name: end == "read" for name, end, _, _ in ends}
    # The doctor's findings are made of the entries of these.
    assert {name for name, is_read in is_listed.items() if is_read} == {"'nul.json'", "'long.json'"} | {
        f"'{name}.json'" for name in ("gd", "gl", "gn")
    }
    slow = [end for end in ends if end[2] > 1 + (".yaml" in end[0]) or end[3] > 200]
    assert not slow, "\n".join(map(str, slow))


DOCUMENTS = {
    "a.json": json.dumps(
        {"training": [{"image": "a.mp4", "fold": 0, "group": 0}], "groups": {"0": "a"}, "testing": []}
    ),
    "a.csv": 'image,patient,note\na.mp4,1,"x, y"\nb.mp4,2,\n',
    "a.yaml": yaml.safe_dump({"title": "x", "data": {"modality": "endoscopy", "frames": [1, 2.5, None, True]}}),
}


def damaged(good: bytes, rng: random.Random) -> bytes:
    data = bytearray(good)
    for _ in range(rng.choice((1, 3, 20))):
        data[rng.randrange(len(data))] = rng.choice((*b'{}[]":,&*-#!\n\0\xff', rng.randrange(256)))
    start = rng.randrange(len(data))
    return bytes(data[start:] + data[:start]) if rng.random() < 0.2 else bytes(data)


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_damaged_documents_are_read_or_refused_by_name(tmp_path: Path, name: str) -> None:
    rng, path = random.Random(0), tmp_path / name
    read = {".json": inspect_datalist, ".csv": read_table, ".yaml": read_yaml}[path.suffix]
    refused = [message for _ in range(300) if (message := _refusal(path, read, damaged(DOCUMENTS[name].encode(), rng)))]
    assert 0 < len(refused) < 300
    assert all(name in message for message in refused)


def _refusal(path: Path, read: Callable[[Path], object], content: bytes) -> str:
    """What is said where a document is refused; empty where it is read. Other errors are not caught."""
    path.write_bytes(content)
    try:
        read(path)
    except ValueError as error:  # DatalistError is one
        return str(error)
    return ""
