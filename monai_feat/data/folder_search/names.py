# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What names say in public data sets: which folders hold pictures, which ground truth, and which mask belongs to whom.

Folders: SUN-SEG (``Frame``, ``GT``), EndoVis (``left_frames``, ``ground_truth``, ``labels``), Kvasir-SEG (``images``,
``masks``), CVC (``Original``, ``Ground Truth``). Files: CAMUS (``_gt``), CholecSeg8k (``_watershed_mask``), BUSI
(``_mask``, ``_mask_1``), Dresden's anatomy data (``image00``, ``mask00``).
"""

from __future__ import annotations

import re
from typing import Literal
from unicodedata import normalize

__all__ = ["PICTURE_NAMES", "Role", "bare_name", "folder_role", "mask_rank", "part_of", "split_mask_suffix"]

Role = Literal["pictures", "masks", ""]

PICTURE_NAMES = ("clips", "frames", "images", "originals", "pictures", "videos")
_PICTURES = frozenset(
    ("clip", "clips", "frame", "frames", "image", "images", "img", "imgs", "jpegimages", "original", "originals",
     "picture", "pictures", "video", "videos", "cine", "cines", "bild", "bilder", "imagen", "imagenes", "imagem",
     "imagens", "immagini")
)  # fmt: skip
# The first is taken where one clip has several; what is drawn in outline or by hand is taken last.
_MASKS = (
    "watershed", "mask", "masks", "gt", "gts", "groundtruth", "truth", "label", "labels", "labelmap", "labelmaps",
    "segmentation", "segmentations", "seg", "segs", "segm", "annotation", "annotations", "ann", "anns",
    "instance", "instances", "color", "colour", "edge", "edges", "contour",
    "contours", "polygon", "polygons", "scribble", "scribbles", "outline", "outlines",
    "maske", "masken", "masque", "masques", "mascara", "mascaras", "maschera", "maschere", "semseg", "insseg",
)  # fmt: skip
_RANKS = {word: rank for rank, word in enumerate(_MASKS)}
# Words that may stand beside these without changing the meaning, as in ``train_masks`` and ``labelsTr``.
_NEUTRAL = frozenset(
    ("train", "training", "trainval", "test", "testing", "val", "valid", "validation", "dev", "tr", "ts", "left",
     "right", "all", "set", "png", "jpg", "binary", "class", "classes", "object", "objects", "center", "centre")
)  # fmt: skip
# Endings of a file's name; ``color`` and the like alone are none.
_SUFFIX = re.compile(
    r"(?P<base>.+?)(?P<suffix>(?:[ _.-](?:watershed|colou?r|binary|instance|class|edge))?"
    r"[ _.-](?:masks?|gt|ground[ _-]?truth|labels?|labelmap|seg|segm|segmentation|annotation)(?:[ _-]?\d{1,2})?)",
    re.IGNORECASE,
)
# A word before a number, or stuck to one that ends there: ``cju0qk`` is no such thing.
_FIRST_WORD = re.compile(r"^[^\W\d_]+(?:[ _.-](?=\d|%d)|(?=%d|\d+(?:[\W_]|$)))")


def folder_role(name: str) -> Role:
    """Say what the name of a folder promises: pictures, masks, or nothing.

    Example:
        >>> folder_role("left_frames"), folder_role("masks_C1"), folder_role("Dataset_BUSI_with_GT")
        ('pictures', 'masks', '')
    """
    words = _words(name)
    rest = [word for word in words if word not in _NEUTRAL and not word.isdecimal() and len(word) > 1]
    if not rest or any(word not in _PICTURES and word not in _RANKS for word in rest):
        return ""
    return "masks" if rest[-1] in _RANKS else "pictures" if set(rest) <= _PICTURES else ""


def part_of(name: str) -> frozenset[str]:
    """Say which part of a data set a folder of pictures or masks is of, as ``trainval`` of ``trainval-mask``."""
    return frozenset(word for word in _words(name) if word not in _PICTURES and word not in _RANKS)


def mask_rank(name: str) -> int:
    """Order masks of one clip: the lower is taken. `name` is that of a folder, or the ending of a file's name."""
    return min((_RANKS.get(word, len(_MASKS)) for word in _words(name)), default=len(_MASKS)) + 100 * _is_edge(name)


def split_mask_suffix(stem: str) -> tuple[str, str] | None:
    """Split the name of a mask into that of its clip and what it has in addition; None where it has nothing.

    Example:
        >>> split_mask_suffix("benign (1)_mask_1"), split_mask_suffix("frame_80_endo")
        (('benign (1)', '_mask_1'), None)
    """
    match = _SUFFIX.fullmatch(stem)
    return (match["base"], match["suffix"]) if match else None


def bare_name(stem: str) -> str:
    """A name without a first word that says picture, mask or nothing of the kind, before what counts.

    Example:
        >>> bare_name("mask_0007-l"), bare_name("image07"), bare_name("cju0qk")
        ('0007-l', '07', 'cju0qk')
    """
    return _FIRST_WORD.sub("", stem)


def _is_edge(name: str) -> bool:
    return bool({"color", "colour", "edge", "edges", "1", "2", "3"} & set(_words(name)))


def _words(name: str) -> list[str]:
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode()  # máscaras
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain)  # labelsTr
    words = [word for word in re.split(r"[^a-z0-9]+|(?<=[a-z])(?=\d)", spaced.lower()) if word]
    return " ".join(words).replace("ground truth", "groundtruth").replace("jpeg images", "jpegimages").split()
