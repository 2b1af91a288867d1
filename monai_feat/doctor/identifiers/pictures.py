# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""What stills say beside their pixels: EXIF, XMP, IPTC, comments, text chunks, tags, and bytes behind the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from PIL import ExifTags, Image, TiffImagePlugin, TiffTags

from monai_feat.doctor.identifiers.traces import Traces, first_names

__all__ = ["look_at_picture"]

# What describes the pixels and not where they come from.
_EXIF_STRUCTURE = frozenset(
    ("Orientation", "XResolution", "YResolution", "ResolutionUnit", "ColorSpace", "ExifImageWidth", "ExifImageHeight",
     "ExifOffset", "GPSInfo", "ExifInteroperabilityOffset", "YCbCrPositioning", "ComponentsConfiguration",
     "ExifVersion", "FlashPixVersion", "InteropIndex", "InteropVersion", "ImageWidth", "ImageLength",
     "BitsPerSample", "Compression",
     "JpegIFOffset", "JpegIFByteCount")
)  # fmt: skip
_TIFF_TEXT = frozenset(
    ("DocumentName", "ImageDescription", "Make", "Model", "PageName", "Software", "DateTime", "Artist", "HostComputer",
     "InkNames", "TargetPrinter", "Copyright", "XMP", "IptcNaaInfo", "PhotoshopInfo", "ExifIFD", "GPSInfoIFD",
     "UniqueCameraModel", "CameraSerialNumber", "MakerNote", "ImageID", "WangAnnotation")
)  # fmt: skip
_FIRST_PRIVATE_TIFF = 32768
_PNG_STRUCTURE = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"bKGD", b"pHYs",
     b"hIST", b"sPLT", b"acTL", b"fcTL", b"fdAT", b"cICP", b"mDCV", b"cLLI")
)  # fmt: skip
_JPEG_STRUCTURE = ("JFIF", "ICC_PROFILE", "Adobe", "AVI1")
_INFO = {"comment": "a comment", "xmp": "XMP", "XML:com.adobe.xmp": "XMP", "photoshop": "Photoshop's fields (IPTC)",
         "iptc": "IPTC"}  # fmt: skip
_TAIL = 1 << 16
_TIFF_PRIVATE_STRUCTURE = frozenset((33421, 33422, 34377, 34675, 42112, 42113, 50838, 50839))
_IMAGEJ = frozenset((50838, 50839))


def look_at_picture(path: Path) -> Traces:
    """List what a still, a GIF or a stack of pages says beside its pixels."""
    try:
        with Image.open(path) as image:
            found = [*_exif(image), *_info(image), *_segments(image), *_pages(image)]
            kind = image.format or ""
    except Exception as error:  # Pillow raises many types for bad bytes
        return Traces(unseen=(f"its metadata ({type(error).__name__})",))
    found += _png_chunks(path) if kind == "PNG" else []
    found += ["bytes behind its end"] if _is_longer_than_it_should_be(path, kind) else []
    return Traces(tuple(dict.fromkeys(found)))


def _exif(image: Image.Image) -> Iterator[str]:
    exif = image.getexif()
    if image.format in ("TIFF", "MPO") and not exif:
        return
    names = [ExifTags.TAGS.get(tag, f"tag {tag}") for tag in exif] if image.format != "TIFF" else []
    for folder in (ExifTags.IFD.Exif, ExifTags.IFD.IFD1):
        names += [ExifTags.TAGS.get(tag, f"tag {tag}") for tag in exif.get_ifd(folder)]
    names += [f"GPS {ExifTags.GPSTAGS.get(tag, tag)}" for tag in exif.get_ifd(ExifTags.IFD.GPSInfo)]
    if telling := [str(name) for name in names if name not in _EXIF_STRUCTURE]:
        yield f"EXIF {first_names(telling)}"


def _info(image: Image.Image) -> Iterator[str]:
    image.load()  # text behind the pixels of a PNG is read last
    known = {key: words for key, words in _INFO.items() if image.info.get(key)}
    yield from known.values()


def _segments(image: Image.Image) -> Iterator[str]:
    """JPEG's application segments and comments."""
    for name, content in getattr(image, "applist", ()):
        if content.startswith(tuple(mark.encode() for mark in _JPEG_STRUCTURE)):
            continue
        if name == "COM":
            yield "a comment"
        elif content.startswith(b"http://ns.adobe.com/"):
            yield "XMP"
        elif content.startswith(b"Photoshop"):
            yield "Photoshop's fields (IPTC)"
        elif not content.startswith(b"Exif"):
            yield f"JPEG segment {name}"


def _pages(image: Image.Image) -> Iterator[str]:
    """Tags of the pages of a TIFF."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    names: dict[str, None] = {}
    for page in range(getattr(image, "n_frames", 1)):
        image.seek(page)
        names |= dict.fromkeys(_telling_tags(image.tag_v2))
    if names:
        yield f"TIFF {first_names(names)}"


def _telling_tags(tags: TiffImagePlugin.ImageFileDirectory_v2) -> Iterable[str]:
    for tag in tags:
        name = TiffTags.lookup(tag).name
        is_private = tag >= _FIRST_PRIVATE_TIFF and tag not in _TIFF_PRIVATE_STRUCTURE
        if (name in _TIFF_TEXT or is_private or tag in _IMAGEJ) and str(tags[tag]).strip(" \0"):
            yield name if name != "unknown" else f"tag {tag}"


def _png_chunks(path: Path) -> list[str]:
    found: dict[str, None] = {}
    with path.open("rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, kind = int.from_bytes(head[:4], "big"), head[4:]
            if kind not in _PNG_STRUCTURE:
                key = file.read(min(length, 80)).split(b"\0")[0] if kind in (b"tEXt", b"zTXt", b"iTXt") else b""
                file.seek(length - min(length, 80) if key or kind in (b"tEXt", b"zTXt", b"iTXt") else length, 1)
                label = f"PNG {kind.decode('latin-1')}" + (f" {key.decode('latin-1')!r}" if key else "")
                found[label] = None
                file.seek(4, 1)
            else:
                file.seek(length + 4, 1)
            if kind == b"IEND":
                break
    return list(found)


def _is_longer_than_it_should_be(path: Path, kind: str) -> bool:
    """Whether something follows the mark that ends a picture."""
    end = {"PNG": b"IEND\xaeB`\x82", "JPEG": b"\xff\xd9", "GIF": b";"}.get(kind)
    if end is None:
        return False
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - _TAIL))
        tail = file.read().rstrip(b"\0\n\r ")
    return not tail.endswith(end)
