# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Words in names of files that are the field's and nobody's name."""

from __future__ import annotations

__all__ = ["FIELD_WORDS"]

FIELD_WORDS = frozenset(
    ("a4c", "abdomen", "abdominal", "adenoma", "aligned", "all", "annotation", "annotations", "anon", "apical",
     "arm", "artery", "axis", "baseline", "batch", "benign", "bileduct", "bladder", "bmode", "body", "bowel",
     "brain", "breast", "calc", "cancer", "cardiac", "carotid", "case", "cecum", "cell", "chamber", "cine", "class",
     "clean", "clip", "clips", "colon", "color", "colour", "control", "convex", "cov", "covid", "cow", "crop",
     "cropped", "cvc", "data", "database", "dataset", "date", "day", "demo", "diastole", "dicom", "doppler", "duct",
     "dynamic", "ears", "easy", "echo", "echonet", "edge", "end", "endo", "endoscopic", "endoscopy", "endovis",
     "error", "eval", "exam", "example", "export", "external", "fast", "female", "fetal", "file", "files", "film",
     "final", "first", "flow", "fold", "folder", "forceps", "frame", "frames", "full", "gastric", "gastro",
     "grasper", "gray", "grey", "ground", "group", "gt", "hard", "head", "healthy", "heart", "hepatic", "high",
     "hospital", "hyper", "image", "images", "index", "info", "input", "instrument", "internal", "intestine",
     "item", "kidney", "kvasir", "lab", "label", "labeled", "labels", "laparoscopic", "laparoscopy", "large",
     "larynx", "last", "lateral", "left", "lesion", "level", "linear", "list", "liver", "long", "low", "lower",
     "lung", "lvh", "male", "malignant", "mask", "masks", "master", "mode", "model", "movie", "mucosa", "negative",
     "nerve", "new", "no", "noise", "normal", "old", "only", "original", "other", "out", "output", "overlay",
     "part", "pat", "patient", "pediatric", "phantom", "phase", "picture", "pilot", "plane", "plax", "pleural",
     "pneu", "pneumonia", "point", "polyp", "polyps", "positive", "post", "pre", "preview", "probe", "prograsp",
     "prostate", "psax", "public", "pyloric", "quality", "raw", "real", "rectum", "reference", "reg", "right",
     "rotated", "sample", "scan", "scene", "scope", "screening", "second", "sector", "seen", "segmentation",
     "sequence", "series", "session", "set", "shared", "short", "side", "single", "site", "size", "slow", "small",
     "sonographic", "source", "spleen", "stack", "standard", "start", "stomach", "study", "subject", "surgery",
     "systole", "test", "testing", "third", "thyroid", "tiff", "time", "tool", "tools", "traditional", "train",
     "training", "transverse", "trial", "true", "tumor", "type", "ultrasound", "unseen", "upper", "us", "user",
     "val", "valid", "validation", "value", "vein", "version", "vessel", "vid", "video", "videos", "view", "viral",
     "watershed", "wave", "week", "white", "with", "without", "year", "zoom")
)  # fmt: skip
