# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What an item of 16 frames costs, from a long clip and from a short one: ``python -m tests.bench.readers``."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from monai_feat.data import load_clip
from monai_feat.data.video_index import _build_index

FRAME_RATE = 25
SIZE = 64


def make_clip(path: Path, seconds: int) -> None:
    """Write moving noise as H.264 with B-frames and a keyframe every two seconds, as cameras do."""
    noise = np.random.default_rng(0).integers(0, 255, (SIZE, 4 * SIZE, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        options = {"g": str(2 * FRAME_RATE), "bf": "2", "preset": "ultrafast"}
        stream = container.add_stream("libx264", rate=FRAME_RATE, options=options)
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for t in range(seconds * FRAME_RATE):
            frame = np.ascontiguousarray(noise[:, t % SIZE : t % SIZE + SIZE])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def seconds_of(work: Callable[[], object], repeats: int) -> float:
    """Shortest time of one run, the files opened for the first time in each."""
    times = []
    for _ in range(repeats):
        _build_index.cache_clear()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print the cost of a first item from 10 s and from 5 min, and of decoding all of the latter."""
    with tempfile.TemporaryDirectory() as folder:
        short, long = Path(folder, "short.mp4"), Path(folder, "long.mp4")
        make_clip(short, 10)
        make_clip(long, 300)
        item_short = seconds_of(lambda: load_clip(short, 130, 16), 5)
        item_long = seconds_of(lambda: load_clip(long, 3777, 16), 5)
        whole = seconds_of(lambda: load_clip(long), 1)
    print(f"first item of 16 frames: {1e3 * item_short:.1f} ms of 10 s, {1e3 * item_long:.1f} ms of 5 min")
    print(f"all of 5 min: {1e3 * whole:.0f} ms, {whole / item_long:.0f} times an item")


if __name__ == "__main__":
    main()
