# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Builds folders that are laid out like public data sets, with small pictures of our own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import nibabel as nib
import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

ULTRASOUND_MULTIFRAME = "1.2.840.10008.5.1.4.1.1.3.1"
BASIC_TEXT_REPORT = "1.2.840.10008.5.1.4.1.1.88.11"
SIZE = 48


def picture(seed: int = 0, size: int = SIZE) -> npt.NDArray[np.uint8]:
    """A smooth random picture: many values, as cameras give."""
    rows, columns = np.mgrid[:size, :size] / size
    phase = np.random.default_rng(seed).random(6) * 6
    waves = [np.sin(phase[2 * c] + 5 * rows) * np.cos(phase[2 * c + 1] + 4 * columns) for c in range(3)]
    return np.asarray(128 + 100 * np.stack(waves, -1), dtype=np.uint8)


def mask(seed: int = 0, values: Iterable[int] = (0, 255), size: int = SIZE) -> npt.NDArray[np.uint8]:
    """Blocks of a few values."""
    listed = list(values)
    blocks = np.random.default_rng(seed).integers(0, len(listed), (4, 4))
    blocks.flat[: len(listed)] = range(len(listed))
    return np.kron(np.asarray(listed, np.uint8)[blocks], np.ones((size // 4, size // 4), np.uint8))


def save(path: Path, pixels: npt.NDArray[np.uint8]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def frames(folder: Path, names: Iterable[str], is_mask: bool = False) -> None:
    for seed, name in enumerate(names):
        save(folder / name, mask(seed) if is_mask else picture(seed))


def nifti(path: Path, length: int, is_mask: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = [mask(t, (0, 1, 2, 3)) if is_mask else picture(t)[..., 0] for t in range(length)]
    nib.save(nib.Nifti1Image(np.stack(made, -1), np.eye(4)), path)


def dicom(path: Path, sop_class: str = ULTRASOUND_MULTIFRAME, length: int = 3) -> FileDataset:
    """A DICOM file: grey frames, or a report without any."""
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    if sop_class == ULTRASOUND_MULTIFRAME:
        data.Rows = data.Columns = SIZE
        data.NumberOfFrames, data.SamplesPerPixel, data.PhotometricInterpretation = length, 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
        data.Modality, data.FrameTime = "US", 40
        data.PixelData = b"".join(picture(t)[..., 0].tobytes() for t in range(length))
    data.save_as(path, enforce_file_format=True)
    return data


def sun_seg(root: Path) -> None:
    for case in ("case1_1", "case2"):
        names = [f"case_M_2018_0U6_1_005_001-1_a2_ayy_image{i:04d}" for i in range(1, 5)]
        frames(root / "TrainDataset/Frame" / case, (f"{name}.jpg" for name in names))
        for kind in ("GT", "Edge"):
            frames(root / "TrainDataset" / kind / case, (f"{name}.png" for name in names), is_mask=True)
    (root / "TrainDataset/Classification").mkdir()
    (root / "TrainDataset/Classification/classification.txt").write_text("x")


def endovis_17(root: Path, tools: Iterable[str] = ("Left_Prograsp_Forceps_labels",)) -> None:
    names = [f"frame{i:03d}.png" for i in range(4)]
    for side in ("left_frames", "right_frames"):
        frames(root / "instrument_dataset_1" / side, names)
    for tool in tools:
        frames(root / "instrument_dataset_1/ground_truth" / tool, names, is_mask=True)
    (root / "instrument_dataset_1/camera_calibration.txt").write_text("x")


def endovis_18(root: Path) -> None:
    names = [f"frame{i:03d}.png" for i in range(4)]
    frames(root / "seq_1/left_frames", names)
    frames(root / "seq_1/labels", names, is_mask=True)
    (root / "labels.json").write_text("[]")


def camus(root: Path) -> None:
    for view in ("2CH", "4CH"):
        stem = root / "patient0001" / f"patient0001_{view}"
        for kind, length in (("ED", 1), ("ES", 1), ("half_sequence", 5)):
            nifti(stem.with_name(f"{stem.name}_{kind}.nii.gz"), length)
            nifti(stem.with_name(f"{stem.name}_{kind}_gt.nii.gz"), length, is_mask=True)
        (root / "patient0001" / f"Info_{view}.cfg").write_text("ED: 1")


def cholecseg8k(root: Path) -> None:
    for i in range(80, 84):
        stem = root / "video01/video01_00080" / f"frame_{i}_endo"
        save(stem.with_name(f"{stem.name}.png"), picture(i))
        save(stem.with_name(f"{stem.name}_mask.png"), mask(i))
        save(stem.with_name(f"{stem.name}_color_mask.png"), np.stack([mask(i, (0, 127, 255))] * 3, -1))
        save(stem.with_name(f"{stem.name}_watershed_mask.png"), mask(i, (50, 11, 21)))


def busi(root: Path) -> None:
    for kind in ("benign", "malignant"):
        for i in range(1, 4):
            save(root / kind / f"{kind} ({i}).png", picture(i))
            save(root / kind / f"{kind} ({i})_mask.png", mask(i))
    save(root / "benign/benign (2)_mask_1.png", mask(9))


def stills_with_masks(root: Path, pictures: str, masks: str, names: Iterable[str], suffix: str = ".jpg") -> None:
    for seed, name in enumerate(names):
        save(root / pictures / f"{name}{suffix}", picture(seed))
        save(root / masks / f"{name}{suffix}", mask(seed))


def avi(path: Path, length: int = 4) -> None:
    """Motion JPEG, as echocardiograms are shared."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuvj420p"
        for t in range(length):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(t), format="rgb24")))
        container.mux(stream.encode())


def echonet(root: Path) -> Path:
    """EchoNet-Dynamic: names without ending, clips in a folder, the split in a column, and the table of tracings."""
    names = [f"0X{n:03X}" for n in range(6)]
    for name in names:
        avi(root / "Videos" / f"{name}.avi")
    splits = ["TRAIN"] * 3 + ["VAL", "VAL", "TEST"]
    lines = [f"{n},{50 + i},{s}" for i, (n, s) in enumerate(zip(names, splits, strict=True))]
    (root / "FileList.csv").write_text("FileName,EF,Split\n" + "\n".join(lines) + "\n")
    (root / "VolumeTracings.csv").write_text("FileName,X1,Y1,X2,Y2,Frame\n" + f"{names[0]}.avi,1,2,3,4,5\n" * 3)
    return root / "FileList.csv"


def hyper_kvasir(root: Path) -> None:
    """HyperKvasir: stills and clips by finding, polyps with masks, and stills without a label."""
    finding = "labeled-{}/lower-gi-tract/pathological-findings/polyps"
    names = ["0a7bdce4-ac0d-44ef-93ee-92dfc8fe0b81", "0b4be1f9-e1f6-4b72-84ec-4ab8ebc83c1d"]
    for seed, name in enumerate(names):
        save(root / finding.format("images") / f"{name}.jpg", picture(seed))
        save(root / "unlabeled-images/images" / f"{name[::-1]}.jpg", picture(seed + 9))
        avi(root / finding.format("videos") / f"{name}.avi")
    rows = "".join(f"{name},Lower GI,polyps,pathological-findings\n" for name in names)
    (root / "labeled-images/image-labels.csv").write_text("Video file,Organ,Finding,Classification\n" + rows)
    (root / "labeled-videos/video-labels.csv").write_text("Video file,Organ,Finding,Classification\n" + rows)
    stills_with_masks(root / "segmented-images", "images", "masks", ["cju0qkwl35piu0993l0dewei2", "cju0qx73cjw57079"])
    (root / "segmented-images/bounding-boxes.json").write_text("{}")


def ldpolypvideo(root: Path) -> None:
    """LDPolypVideo: frames in numbered folders, and for each frame a text with the number of boxes and the boxes."""
    for side, clips in (("Train", ("1", "2")), ("Test", ("103",))):
        for clip in clips:
            frames(root / side / "Images" / clip, (f"{i:04d}.jpg" for i in range(1, 5)))
            boxes = root / side / "Annotations" / clip
            boxes.mkdir(parents=True)
            for i in range(1, 5):
                (boxes / f"{i:04d}.txt").write_text("1\n 10 12 30 31\n" if i % 2 else "0\n")


def polypgen(root: Path) -> None:
    """PolypGen: pictures, masks and boxes of each centre; masks are JPEG."""
    for centre in ("C1", "C2"):
        for i in (100, 107, 114):
            save(root / f"data_{centre}/images_{centre}/{i}H.jpg", picture(i))
            save(root / f"data_{centre}/masks_{centre}/{i}H_mask.jpg", mask(i))
        (root / f"data_{centre}/bbox_{centre}").mkdir()
        (root / f"data_{centre}/bbox_{centre}/100H.txt").write_text("1 2 3 4")


def dresden(root: Path) -> None:
    """Dresden Surgical Anatomy: pictures and masks count on in one folder."""
    for clip in ("03", "04"):
        frames(root / "liver" / clip, (f"image{i:02d}.png" for i in range(4)))
        frames(root / "liver" / clip, (f"mask{i:02d}.png" for i in range(4)), is_mask=True)


def robust_mis(root: Path) -> None:
    """ROBUST-MIS: ten seconds before a frame, the frame, and the instruments of the frame."""
    for moment in ("100", "160"):
        folder = root / "Proctocolectomy/1" / moment
        frames(folder, (f"{i}.png" for i in range(3)))
        save(folder / "raw.png", picture(9))
        save(folder / "instrument_instances.png", mask(1, (0, 1, 2)))


def tn3k(root: Path) -> None:
    """TN3K: folders of pictures and of masks for each side, all in one."""
    for side in ("trainval", "test"):
        stills_with_masks(root, f"{side}-image", f"{side}-mask", ("0000", "0001", "0003"))


def bus_bra(root: Path) -> None:
    """BUS-BRA: the two breasts of each patient, and masks with another first word."""
    for i in (1, 2, 5):
        for side in "lr":
            save(root / "Images" / f"bus_{i:04d}-{side}.png", picture(i))
            save(root / "Masks" / f"mask_{i:04d}-{side}.png", mask(i))


def other_languages(root: Path) -> None:
    for pictures, masks in (("de/Bilder", "de/Masken"), ("es/imagenes", "es/máscaras"), ("zh/图像", "zh/标注")):
        frames(root / pictures / "a", (f"{i}.png" for i in range(4)))
        frames(root / masks / "a", (f"{i}.png" for i in range(4)), is_mask=True)
