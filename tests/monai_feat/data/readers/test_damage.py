# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Damaged files of every format: each is read, or refused in one line, within bounds of time and memory."""

from __future__ import annotations

import subprocess
import sys
import zlib
from pathlib import Path

import av
import h5py
import nibabel as nib
import nrrd
import numpy as np
import pytest
import tifffile
import torch
from PIL import Image
from pydicom.uid import RLELossless

from monai_feat.data import VideoReadError, load_clip, write_gif, write_mp4
from tests.monai_feat.data.readers.test_dicom import colours, dicom, jpeg_dicom, saved

ROOT = Path(__file__).resolve().parents[4]
COPIES = 60
# A reader that has not done with one copy after so many seconds hangs.
PATIENCE = 60
SEED = 0
# Address space of a process that reads damaged files, beyond what importing the readers takes.
GIBIBYTES = 2.0

# Flips bytes, mostly in the first kilobyte where headers lie, and cuts pieces out. Each file has a process of its own,
# forked so that the readers are imported once; prints how it ended, and how often a damaged copy was read and refused,
# or the copy at which it died.
FUZZ = """
import os, random, resource, signal, sys, warnings
from pathlib import Path
import torch
from monai_feat.data import VideoReadError, load_clip, open_clip

def damaged(good, rng):
    data = bytearray(good)
    for _ in range(rng.choice((1, 3, 20))):
        data[rng.randrange(min(len(data), rng.choice((1024, len(data)))))] = rng.choice((0, 255, rng.randrange(256)))
    if rng.random() < 0.3:
        cut = rng.randrange(len(data))
        del data[cut : cut + rng.choice((1, 100, 10**9))]
    return data

def is_read(path):
    try:
        load_clip(path, 0, min(2, open_clip(path).frames))
    except VideoReadError as error:
        assert "\\n" not in str(error), str(error)
        return False
    return True

def fuzz(path, copies, gibibytes, patience, seed, died):
    warnings.simplefilter("ignore")
    load_clip(path)
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + int(gibibytes * 2**30),) * 2)
    good, rng, copy = path.read_bytes(), random.Random(seed), path.with_name("damaged_" + path.name)
    read = 0
    for number in range(copies):
        copy.write_bytes(damaged(good, rng))
        os.pwrite(died, b"%9d" % number, 0)
        signal.alarm(patience)
        read += is_read(copy)
    print(path.name, "ended", read, copies - read, flush=True)

torch.set_num_threads(1)
folder, copies, gibibytes, patience, seed = sys.argv[1:]
died = os.memfd_create("number of the copy")
for path in sorted(Path(folder).iterdir()):
    if (child := os.fork()) == 0:
        fuzz(path, int(copies), float(gibibytes), int(patience), int(seed), died)
        os._exit(0)
    if status := os.waitpid(child, 0)[1]:
        print(path.name, "failed", os.waitstatus_to_exitcode(status), "at", int(os.pread(died, 9, 0)), flush=True)
"""


def samples(folder: Path) -> dict[str, Path]:
    """A small good file of each format."""
    clip = (torch.arange(3 * 6 * 32 * 32) % 251).to(torch.uint8).reshape(3, 6, 32, 32)
    write_mp4(clip, folder / "a.mp4", 10)
    write_gif(clip, folder / "a.gif", 10)
    for name, codec in (("a.avi", "mjpeg"), ("a.mkv", "ffv1"), ("a.webm", "libvpx-vp9"), ("a.mpeg", "mpeg2video")):
        # Without this option each file has random numbers in its header.
        with av.open(str(folder / name), "w", options={"fflags": "+bitexact"}) as container:
            stream = container.add_stream(codec, rate=25)
            stream.width = stream.height = 32
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            for frame in clip.permute(1, 2, 3, 0).numpy():
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")))
            container.mux(stream.encode(None))
    header = "NDims = 3\nDimSize = 32 32 6\nElementType = MET_UCHAR\nCompressedData = True\nElementDataFile = LOCAL\n"
    (folder / "a.mha").write_bytes(header.encode() + zlib.compress(clip[0].numpy().tobytes()))
    nib.save(nib.Nifti1Image(clip[0].numpy(), np.eye(4)), folder / "a.nii")
    nib.save(nib.Nifti1Image(clip[0].numpy(), np.eye(4)), folder / "b.nii.gz")
    saved(dicom(colours()), folder / "a.dcm")
    data = dicom(colours())
    data.compress(RLELossless)
    saved(data, folder / "b.dcm")
    saved(jpeg_dicom(), folder / "c.dcm")
    frames = clip.permute(1, 2, 3, 0).numpy()
    pictures = [Image.fromarray(frame) for frame in frames]
    for name in ("a.png", "a.jpg", "a.jp2", "a.bmp"):
        pictures[0].save(folder / name)
    for name in ("a.webp", "b.png"):
        pictures[0].save(folder / name, save_all=True, append_images=pictures[1:])
    tifffile.imwrite(folder / "a.tif", frames, photometric="rgb", compression="zlib")
    tifffile.imwrite(folder / "b.tif", frames[..., 0], ome=True, metadata={"axes": "TYX"})
    for name, encoding in (("a.nrrd", "gzip"), ("b.nrrd", "raw")):
        nrrd.write(str(folder / name), clip[0].numpy().T, {"encoding": encoding})
    np.save(folder / "a.npy", frames)
    np.savez_compressed(folder / "a.npz", frames)
    with h5py.File(folder / "a.h5", "w") as file:
        file.create_dataset("frames", data=frames, compression="gzip")
    return {path.name: path for path in folder.iterdir()}


NAMES = [
    "a.mp4",
    "a.gif",
    "a.avi",
    "a.mkv",
    "a.webm",
    "a.mpeg",
    "a.mha",
    "a.nii",
    "b.nii.gz",
    "a.dcm",
    "b.dcm",
    "c.dcm",
    "a.png",
    "b.png",
    "a.jpg",
    "a.jp2",
    "a.bmp",
    "a.webp",
    "a.tif",
    "b.tif",
    "a.nrrd",
    "b.nrrd",
    "a.npy",
    "a.npz",
    "a.h5",
]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return samples(tmp_path_factory.mktemp("good"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of memory are those of Linux")
def test_damaged_bytes_neither_hang_nor_crash_nor_fill_the_memory(good: dict[str, Path]) -> None:
    assert sorted(good) == sorted(NAMES)
    folder = next(iter(good.values())).parent
    limits = [str(COPIES), str(GIBIBYTES), str(PATIENCE), str(SEED)]
    run = subprocess.run(
        [sys.executable, "-c", FUZZ, str(folder), *limits], cwd=ROOT, capture_output=True, text=True, check=False
    )
    ends = {name: how for name, how, *_ in map(str.split, run.stdout.splitlines())}
    assert ends == dict.fromkeys(NAMES, "ended"), f"{run.stdout}\n{run.stderr[-3000:]}"


def test_bad_files_are_refused_in_one_line(good: dict[str, Path], tmp_path: Path) -> None:
    header = good["a.gif"].read_bytes()
    files = {
        "empty.mp4": b"",
        "text.mp4": b"This is not a video.\n" * 50,
        "cut.mp4": good["a.mp4"].read_bytes()[:-300],
        "cut.mkv": good["a.mkv"].read_bytes()[:60],
        "no_frame.gif": header[: header.index(b"\x21\xf9")] + b";",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(VideoReadError, match=name) as caught:
            load_clip(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert caught.value.reason.startswith(("is ", "has no "))


def test_odd_files_load(tmp_path: Path) -> None:
    folder = tmp_path / "Größe 100% ключ"
    folder.mkdir()
    write_gif(torch.full((1, 1, 13, 17), 80, dtype=torch.uint8), folder / "one frame.gif", 10)
    assert load_clip(folder / "one frame.gif").shape == (3, 1, 13, 17)
    Image.new("RGBA", (17, 13), (200, 100, 50, 128)).save(folder / "alpha.png")
    assert load_clip(folder / "alpha.png")[:, 0, 0, 0].tolist() == [100, 50, 25]
    Image.fromarray(np.full((13, 17), 128 * 257, np.uint16)).save(folder / "deep.png")
    assert load_clip(folder / "deep.png")[:, 0, 0, 0].tolist() == pytest.approx([128] * 3, abs=1)


def test_a_foreign_container_is_refused(shared_data: Path) -> None:
    with pytest.raises(VideoReadError, match=r"liver_sweep\.imf: is not a video"):
        load_clip(shared_data / "ultrasound_video" / "liver_sweep.imf")
