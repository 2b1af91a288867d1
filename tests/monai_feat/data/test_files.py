# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from monai_feat.data.files import replacing, write_text


def test_a_file_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "note.bin"
    for content in (b"first", b"second"):
        with replacing(path) as file:
            before = path.read_bytes() if path.exists() else None
            file.write(content)
            assert (path.read_bytes() if path.exists() else None) == before
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def fail_halfway(path: Path) -> None:
    with replacing(path) as file:
        file.write(b"half")
        raise RuntimeError("disk")


def test_what_was_there_survives_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    write_text(path, "first")
    with pytest.raises(RuntimeError, match="disk"):
        fail_halfway(path)
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_text_is_kept_to_the_byte(tmp_path: Path) -> None:
    text = "ε, 5 µm\nline\r\n"
    write_text(tmp_path / "note.txt", text)
    assert (tmp_path / "note.txt").read_bytes().decode("utf-8") == text


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_text(tmp_path / "absent" / "note.txt", "")
