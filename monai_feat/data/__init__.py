# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips: where they come from and how they are read, written and listed."""

from __future__ import annotations

from monai_feat.data.clip_folder import ClipFolderDataset, find_clips
from monai_feat.data.latents import ClipIndexDataset, LatentDataset
from monai_feat.data.phantoms import (
    PHANTOMS,
    PhantomClip,
    PhantomDataset,
    endoscopy_phantom,
    get_phantom,
    speckle_field,
    ultrasound_phantom,
)
from monai_feat.data.sources import open_clips
from monai_feat.data.video_reader import VideoInfo, VideoReadError, iter_frames, probe_video, read_video
from monai_feat.data.video_writer import write_gif, write_mp4

__all__ = [
    "PHANTOMS",
    "ClipFolderDataset",
    "ClipIndexDataset",
    "LatentDataset",
    "PhantomClip",
    "PhantomDataset",
    "VideoInfo",
    "VideoReadError",
    "endoscopy_phantom",
    "find_clips",
    "get_phantom",
    "iter_frames",
    "open_clips",
    "probe_video",
    "read_video",
    "speckle_field",
    "ultrasound_phantom",
    "write_gif",
    "write_mp4",
]
