# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Clips: where they come from and how they are read, written and listed."""

from __future__ import annotations

from monai_feat.data.clip_attributes import AttributedClips, read_attributes
from monai_feat.data.clip_folder import ClipFolderDataset
from monai_feat.data.clip_search import find_clips, find_labelled_clips
from monai_feat.data.datalist import (
    OWN_GROUP,
    ClipItem,
    Datalist,
    DatalistError,
    build_datalist,
    read_datalist,
    write_datalist,
)
from monai_feat.data.frame_rates import typical_frame_rate
from monai_feat.data.image_writers import FramesWriter, GifWriter, Mp4Writer, NiftiClipWriter
from monai_feat.data.labelled_clips import LabelledClips
from monai_feat.data.latent_cache import LatentCache, LatentCacheError, autoencoder_digest, clip_digest
from monai_feat.data.latents import ClipIndexDataset, LatentDataset, open_latents
from monai_feat.data.limits import ReadLimits, reading_limits
from monai_feat.data.mask_values import Legend
from monai_feat.data.phantoms import (
    PHANTOMS,
    PhantomClip,
    PhantomDataset,
    endoscopy_phantom,
    get_phantom,
    speckle_field,
    ultrasound_phantom,
)
from monai_feat.data.phantoms.collection import write_phantoms
from monai_feat.data.readers import ClipFile, VideoReader, load_clip, open_clip
from monai_feat.data.segmentation_clips import SegmentationClips
from monai_feat.data.segmentation_source import list_segmentation_clips, open_segmentation_clips
from monai_feat.data.single_frames import SingleFrames, open_frames
from monai_feat.data.source_names import held_out_source, is_phantom, is_source
from monai_feat.data.sources import list_clips, list_held_out, open_clips
from monai_feat.data.video_reader import VideoInfo, VideoReadError, iter_frames, probe_video, read_video
from monai_feat.data.video_writer import write_gif, write_mp4

__all__ = [
    "OWN_GROUP",
    "PHANTOMS",
    "AttributedClips",
    "ClipFile",
    "ClipFolderDataset",
    "ClipIndexDataset",
    "ClipItem",
    "Datalist",
    "DatalistError",
    "FramesWriter",
    "GifWriter",
    "LabelledClips",
    "LatentCache",
    "LatentCacheError",
    "LatentDataset",
    "Legend",
    "Mp4Writer",
    "NiftiClipWriter",
    "PhantomClip",
    "PhantomDataset",
    "ReadLimits",
    "SegmentationClips",
    "SingleFrames",
    "VideoInfo",
    "VideoReadError",
    "VideoReader",
    "autoencoder_digest",
    "build_datalist",
    "clip_digest",
    "endoscopy_phantom",
    "find_clips",
    "find_labelled_clips",
    "get_phantom",
    "held_out_source",
    "is_phantom",
    "is_source",
    "iter_frames",
    "list_clips",
    "list_held_out",
    "list_segmentation_clips",
    "load_clip",
    "open_clip",
    "open_clips",
    "open_frames",
    "open_latents",
    "open_segmentation_clips",
    "probe_video",
    "read_attributes",
    "read_datalist",
    "read_video",
    "reading_limits",
    "speckle_field",
    "typical_frame_rate",
    "ultrasound_phantom",
    "write_datalist",
    "write_gif",
    "write_mp4",
    "write_phantoms",
]
