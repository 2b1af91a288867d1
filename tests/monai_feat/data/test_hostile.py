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
from monai_feat.data.datalist import DatalistError, inspect_datalist
from monai_feat.documents import read_table, read_yaml

READERS = {
    ".json": (inspect_datalist, DatalistError),
    ".csv": (read_table, ValueError),
    ".yaml": (read_yaml, ValueError),
}

def ended(path):
    read, expected = READERS.get(path.suffix, (load_clip, VideoReadError))
    try:
        read(path)
        if read is load_clip:
            load_clip(path, 0, 2)
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


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pipes and devices are those of Linux")
def test_hostile_inputs_are_refused_shortly_and_within_bounds(tmp_path: Path) -> None:
    files = make_hostile_inputs(tmp_path)
    assert len(files) >= 200
    run = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path), str(PATIENCE)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    lines = [line.split() for line in run.stdout.splitlines()]
    assert len(lines) == len(files), run.stderr[-3000:]
    wrong = [line for line in lines if line[1] not in ("read", "refused")]
    wrong += [line for line in lines if float(line[2]) > CPU_SECONDS or int(line[3]) > MEGABYTES]
    assert not wrong, "\n".join(map(str, wrong))


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
