# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Some two hundred small files that claim, nest, repeat or promise more than they hold; made, not copied."""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian, EnhancedUSVolumeStorage, RLELossless

from tests.monai_feat.data.readers.test_dicom import colours, dicom, saved

__all__ = ["make_hostile_inputs"]

_MANY = (-1, 0, 2**31 - 1, 10**9, 2**40)
_MAGICS = {
    "mp4": b"\0\0\0\x18ftypisom",
    "mov": b"\0\0\0\x08wide\xff\xff\xff\xffmoov",
    "mkv": b"\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xff",
    "avi": b"RIFF\xff\xff\xff\xffAVI LIST\xff\xff\xff\x7fhdrl",
    "mpeg": b"\0\0\1\xba\x44\0\4\0\4\1",
    "ts": b"\x47\x40\0\x10\0" + b"\xff" * 183,
    "flv": b"FLV\1\5\0\0\0\x09\xff\xff\xff\xff",
    "ogv": b"OggS\0\2" + b"\xff" * 20,
    "wmv": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c") + b"\xff" * 14,
    "mxf": bytes.fromhex("060e2b34020501010d01020101020400") + b"\x83\xff\xff\xff",
    "h264": b"\0\0\0\1\x67\x64\0\x33\xff\xff\xff",
    "hevc": b"\0\0\0\1\x40\1\x0c\1\xff\xff",
    "gif": b"GIF89a\xff\xff\xff\xff\xf7\0\0",
    "webm": b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm",
}


def make_hostile_inputs(folder: Path) -> list[Path]:
    """Write all of them; the folder holds nothing else."""
    for number, (name, content) in enumerate(_all()):
        (folder / f"{number:03d}_{name}").write_bytes(content)
    _dicom(folder)
    os.mkfifo(folder / "pipe.mp4")
    for suffix in ("json", "xml", "yaml"):
        os.mkfifo(folder / f"pipe.{suffix}")
    (folder / "zero.avi").symlink_to("/dev/zero")
    (folder / "folder.mp4").mkdir()
    (folder / "line\nbreak.mp4").write_bytes(b"no video")
    Path(os.fsdecode(os.fsencode(folder) + b"/M\xfcller.nii")).write_bytes(b"no image")
    return sorted(folder.iterdir())


def _all() -> Iterator[tuple[str, bytes]]:
    for make in (_video, _pictures, _nifti, _metaimage, _nrrd, _arrays, _documents):
        yield from make()


def _video() -> Iterator[tuple[str, bytes]]:
    for suffix, magic in _MAGICS.items():
        yield f"magic.{suffix}", magic
        yield f"filled.{suffix}", magic + bytes(range(256)) * 40
    for depth in (100, 3000):
        box = b"\0\0\0\x08free"
        for _ in range(depth):
            box = struct.pack(">I4s", len(box) + 8, b"moov") + box
        yield f"nested_{depth}.mp4", _MAGICS["mp4"] + box
    frame = b"\x2c\0\0\0\0\1\0\1\0\0\2\2\x44\1\0"
    for width, count in ((8000, 3000), (60000, 10), (10, 30000)):
        screen = b"GIF89a" + struct.pack("<HH", width, width) + b"\x80\0\0\0\0\0\xff\xff\xff"
        yield f"many_{width}.gif", screen + (b"\x21\xf9\4\0\4\0\0\0" + frame) * count + b";"


def _png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), *chunks, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def _pictures() -> Iterator[tuple[str, bytes]]:
    bomb = zlib.compress(bytes(10**7), 9)
    for side in (1, 8000, 20000, 2**31 - 1):
        yield f"claims_{side}.png", _png(side, side, (b"IDAT", bomb))
        yield f"claims_{side}.ppm", b"P6 %d %d 255\n" % (side, side) + bytes(100)
        yield f"claims_{side}.bmp", b"BM" + struct.pack("<IHHIIiiHH", 99, 0, 0, 54, 40, side, -side, 1, 24) + bytes(24)
        yield (
            f"claims_{side}.jpg",
            b"\xff\xd8\xff\xc0\0\x11\x08" + struct.pack(">HH", side % 65536, side % 65536) + b"\3",
        )
        yield f"claims_{side}.tif", _tiff({256: side, 257: side, 258: 8, 262: 1, 273: 8, 277: 1, 278: side, 279: 64})
        yield f"tiles_{side}.tif", _tiff({256: 64, 257: 64, 258: 8, 262: 1, 322: side, 323: side, 324: 8, 325: 64})
    yield "text.png", _png(4, 4, (b"zTXt", b"a\0\0" + bomb), (b"IDAT", zlib.compress(bytes(52))))
    for frames in (2**31 - 1, 10**6):
        yield f"animation_{frames}.png", _png(4, 4, (b"acTL", struct.pack(">II", frames, 0)), (b"IDAT", b""))
    yield "loop.tif", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"
    yield "far.tif", b"II*\0\xff\xff\xff\x7f"
    yield "big.tif", b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) + struct.pack("<Q", 2**60)
    for claim in (b"ImageJ=1.53\nimages=99999999\n", b'{"shape": [99999999, 64, 64]}'):
        yield "stack.tif", _tiff({256: 64, 257: 64, 258: 8, 262: 1, 273: 8, 277: 1, 278: 64, 279: 4096}, claim)
    canvas = io.BytesIO()
    pictures = [Image.new("RGB", (1000, 1000), (t % 2, 0, 0)) for t in range(2)]
    pictures[0].save(canvas, "WEBP", save_all=True, append_images=pictures[1:] * 20, duration=1)
    yield "animated.webp", canvas.getvalue()
    yield "cut.webp", canvas.getvalue()[:60]
    yield "no.jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + b"\xff" * 99


def _tiff(tags: dict[int, int], description: bytes = b"") -> bytes:
    """A TIFF file of one page, with 4096 bytes of pixels from byte 8 on."""
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()) if tag < 270)
    if description:
        entries += struct.pack("<HHII", 270, 2, len(description), 8 + 4096)
    entries += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()) if tag > 270)
    count = len(entries) // 12
    at = 8 + 4096 + len(description)
    return b"II*\0" + struct.pack("<I", at) + bytes(4096) + description + struct.pack("<H", count) + entries + bytes(4)


def _nifti() -> Iterator[tuple[str, bytes]]:
    def header(dims: tuple[int, ...], offset: float = 352, code: int = 2, bits: int = 8, step: float = 1) -> bytes:
        dim = struct.pack("<8h", len(dims), *dims, *[1] * (7 - len(dims)))
        made = struct.pack("<i", 348) + bytes(36) + dim + bytes(14) + struct.pack("<hhh", code, bits, 0)
        made += struct.pack("<8f", 1, *[step] * 7) + struct.pack("<fff", offset, 1, 0) + bytes(228)
        return made[:344] + b"n+1\0" + bytes(4)

    bomb = bytes(3 * 10**7)
    for dims in ((-1, 4, 4), (32767, 32767, 32767), (0, 0), (1, 1, 32767), (16, 16, 1, 32767, 3), (4, 4, 4, 4)):
        for suffix, pack in (("nii", bytes), ("nii.gz", gzip.compress)):
            yield f"dims_{dims[0]}_{len(dims)}.{suffix}", pack(header(dims) + bytes(1000))
    for offset in (-5.0, 1e9, 3e38, float("nan"), float("inf")):
        yield f"offset_{offset}.nii.gz", gzip.compress(header((16, 16, 4), offset) + bytes(2000))
    for step in (0.0, -1.0, 1e-44, float("nan"), float("inf")):
        yield f"step_{step}.nii", header((16, 16, 1, 4), step=step) + bytes(2000)
    for code, bits in ((0, 0), (1, 1), (128, 24), (1792, 128), (9999, 8), (64, 64)):
        yield f"code_{code}.nii", header((16, 16, 4), code=code, bits=bits) + bytes(99)
    yield "bomb.nii.gz", gzip.compress(header((1000, 1000, 30)) + bomb)
    yield "cut.nii.gz", gzip.compress(header((16, 16, 4)) + bytes(2000))[:-20]


def _metaimage() -> Iterator[tuple[str, bytes]]:
    plain = "NDims = 3\nDimSize = {size}\nElementType = {kind}\n{more}ElementDataFile = {data}\n"
    for size in ("4 4", "4 4 -1", "4 4 1000000000", "1000000000 1000000000 1", "x y z", "4", "", "4 4 4 4", "0 0 0"):
        for more in ("", "CompressedData = True\n"):
            text = plain.format(size=size, kind="MET_UCHAR", more=more, data="LOCAL")
            yield "size.mha", text.encode() + zlib.compress(bytes(10**6))
    for more in (
        "ElementSpacing = 2\n",
        "ElementSpacing = nan inf\n",
        "CompressedDataSize = -1\nCompressedData = True\n",
    ):
        yield "more.mha", plain.format(size="4 4 2", kind="MET_UCHAR", more=more, data="LOCAL").encode() + bytes(99)
    for data in ("/dev/zero", "../../etc/hostname", "LIST", "", "a%d.raw 1 9 1", "\0"):
        yield "data.mhd", plain.format(size="4 4 2", kind="MET_UCHAR", more="HeaderSize = -1\n", data=data).encode()
    for kind in ("MET_NONE", "MET_FLOAT_ARRAY", "MET_OTHER"):
        yield "kind.mha", plain.format(size="4 4 2", kind=kind, more="", data="LOCAL").encode() + bytes(99)
    yield "lines.mha", b"a = b\n" * 300_000
    yield (
        "stamps.mha",
        b"".join(b"Seq_Frame%06d_Timestamp = nan\n" % i for i in range(9999)) + b"ElementDataFile = LOCAL\n",
    )


def _nrrd() -> Iterator[tuple[str, bytes]]:
    start = "NRRD0004\ntype: {kind}\ndimension: {axes}\nsizes: {sizes}\nencoding: {encoding}\n{more}\n"
    for sizes in ("4 4 -1", "4 4 1000000000", "1000000 1000000 2", "4", "0 0 0"):
        for encoding in ("raw", "gzip"):
            text = start.format(kind="uint8", axes=len(sizes.split()), sizes=sizes, encoding=encoding, more="")
            yield f"sizes_{encoding}.nrrd", text.encode() + gzip.compress(bytes(10**6))
    for more in (
        "data file: /dev/zero\n",
        "data file: LIST\na\n",
        "byte skip: -9\n",
        "kinds: a b\n",
        "spacings: nan inf 1\n",
    ):
        text = start.format(kind="uint8", axes=3, sizes="4 4 2", encoding="raw", more=more)
        yield "more.nrrd", text.encode() + bytes(32)
    yield "block.nrrd", start.format(kind="block", axes=3, sizes="4 4 2", encoding="raw", more="").encode() + bytes(99)
    yield "lines.nrrd", b"NRRD0004\n" + b"# nothing\n" * 200_000


def _arrays() -> Iterator[tuple[str, bytes]]:
    def array(shape: tuple[int, ...], kind: str = "|u1") -> bytes:
        file = io.BytesIO()
        np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
        return file.getvalue() + bytes(1000)

    for shape in ((10**9, 1000, 1000), (-1, 4, 4), (4, 4), (10**6, 1, 1), (1,) * 32, (0, 4, 4)):
        yield "shape.npy", array(shape)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as made:
            made.writestr("a.npy", array(shape))
        yield "shape.npz", archive.getvalue()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.npy", array((500, 1000, 1000)) + bytes(5 * 10**7))
    yield "bomb.npz", archive.getvalue()
    for head in (b"\x93NUMPY\1\0\xff\xff{", b"\x93NUMPY\3\0\xff\xff\xff\x7f{", b"PK\3\4"):
        yield "head.npy", head
        yield "head.npz", head
    yield "head.h5", b"\x89HDF\r\n\x1a\n" + b"\xff" * 500


def _documents() -> Iterator[tuple[str, bytes]]:
    item = {"image": "a.mp4", "fold": 0}
    for value in ([], {}, 5, "a", None, [None], [5], ["a"], [[]], [{}], [{"image": 5}], [{**item, "group": "a"}]):
        yield "training.json", json.dumps({"training": value}).encode()
        yield "testing.json", json.dumps({"training": [item], "testing": value, "groups": value}).encode()
    for text in (
        "[" * 10**6,
        '{"a":' * 10**5,
        "[" + "9" * 10**5 + "]",
        "",
        "\xff",
        '{"training": [{"image": "\\u0000"}]}',
    ):
        yield "text.json", text.encode("latin-1")
    yield "long.json", b'{"training": [' + b'{"image": "' + b"a" * 5000 + b'"},' * 999 + b"{}]}"
    growing = "a0: &a0 [x, x, x, x, x, x, x, x]\n"
    growing += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]\n" for i in range(1, 12))
    for text in (
        growing,
        "a: &a [*a]",
        "&a {<<: *a}",
        "[" * 3000,
        "a: " + "- " * 3000,
        "!!python/name:os.system",
        "\t",
        "? " * 500,
    ):
        yield "text.yaml", text.encode()
    yield "latin.yaml", "title: Müller".encode("latin-1")
    for text in ("", "," * 5000, "a\n" + "x" * 200_000, 'a,b\n"', "a,a\n1,2\n", "image\n" + "\0\n" * 99, "image\n\xff"):
        yield "text.csv", text.encode("latin-1")
    growing = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
    bomb = f'<!DOCTYPE a [<!ENTITY a0 "lol">{growing}]><annotations><image name="&a11;"/></annotations>'
    outside = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><annotations><image name="&x;"/></annotations>'
    for text in (bomb, outside, "<a>" * 200_000, "<a", "", "<annotations/>", "<a " + "x='1' " * 2000 + "/>"):
        yield "text.xml", text.encode()
    yield "coco.json", b'{"images": [' + b'{"id": 1, "file_name": "a.png"},' * 99_999 + b'{"id": 1}]}'
    yield "wide.csv", b"," * 4000 + b"image\n" + b"x\n" * 20_000


def _dicom(folder: Path) -> None:
    for number, frames in enumerate(n for n in _MANY if n < 2**31):
        for name, changes in {
            "plain": {"NumberOfFrames": frames},
            "samples": {"NumberOfFrames": frames, "SamplesPerPixel": 0},
            "sides": {"NumberOfFrames": frames, "Rows": 65535, "Columns": 65535},
            "bits": {"NumberOfFrames": frames, "BitsAllocated": 0},
        }.items():
            saved(dicom(colours(), **changes), folder / f"{name}_{number}.dcm")
        packed = dicom(colours())
        packed.compress(RLELossless)
        packed.NumberOfFrames = frames
        saved(packed, folder / f"rle_{number}.dcm")
        deflated = dicom(colours(), NumberOfFrames=frames)
        deflated.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        deflated.PixelData = bytes(10**7)
        saved(deflated, folder / f"deflated_{number}.dcm")
        volume = dicom(colours(), NumberOfFrames=frames)
        volume.SOPClassUID = volume.file_meta.MediaStorageSOPClassUID = EnhancedUSVolumeStorage
        saved(volume, folder / f"volume_{number}.dcm")
    # Sequences in items in sequences, of undefined length, before all else.
    plain = (folder / "plain_1.dcm").read_bytes()
    start = 144 + int.from_bytes(plain[140:144], "little")
    for depth in (50, 3000):
        opened = (b"\x18\0\x11\x60SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\0\xe0\xff\xff\xff\xff") * depth
        closed = (b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0") * depth
        (folder / f"nested_{depth}.dcm").write_bytes(plain[:start] + opened + closed + plain[start:])
    (folder / "bare.dcm").write_bytes(b"DICM\2\0\0\0UL\4\0\xff\xff\xff\xff" + b"\xff" * 99)
