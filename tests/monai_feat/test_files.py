# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from pathlib import Path

import pytest

from monai_feat.files import (
    check_folder,
    compare_keys,
    describe_changes,
    file_sha256,
    first_few,
    read_json,
    read_text,
    remove_leftovers,
    replacing,
    replacing_folder,
    write_json,
    write_text,
)


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


def test_the_file_is_on_the_disk_before_it_has_its_name_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "note.txt"
    synchronise, seen = os.fsync, []

    def look_then_synchronise(descriptor: int) -> None:
        seen.append((Path(f"/proc/self/fd/{descriptor}").resolve() == tmp_path.resolve(), path.exists()))
        synchronise(descriptor)

    monkeypatch.setattr(os, "fsync", look_then_synchronise)
    write_text(path, "text")
    assert seen == [(False, False), (True, True)]


def fill(folder: Path, *names: str, fail: bool = False) -> None:
    with replacing_folder(folder) as unfinished:
        for name in names:
            (unfinished / name).write_text(name)
        if fail:
            raise RuntimeError("disk")


def test_a_folder_takes_the_place_of_the_earlier_one_as_a_whole(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    for names in (["a", "b"], ["b", "c"]):
        fill(folder, *names)
        assert sorted(file.name for file in folder.iterdir()) == names
    with pytest.raises(RuntimeError, match="disk"):
        fill(folder, "d", fail=True)
    assert sorted(file.name for file in folder.iterdir()) == ["b", "c"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_cannot_take_its_name_leaves_the_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "frames"
    fill(folder, "a")
    rename, calls = Path.replace, []

    def fail_the_second_time(path: Path, target: Path) -> Path:
        calls.append(path)
        if len(calls) == 2:
            raise OSError("disk")
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", fail_the_second_time)
    with pytest.raises(OSError, match="disk"):
        fill(folder, "b")
    assert [file.name for file in folder.iterdir()] == ["a"]
    assert list(tmp_path.iterdir()) == [folder]


def test_only_old_hidden_files_are_leftovers(tmp_path: Path) -> None:
    old, young, other = tmp_path / ".a.txt.1.tmp", tmp_path / ".b.txt.2.tmp", tmp_path / "c.txt"
    for path in (old, young, other):
        path.touch()
    os.utime(old, (0, time.time() - 100))
    remove_leftovers(tmp_path, older_than=50)
    assert sorted(tmp_path.iterdir()) == [young, other]
    remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == [other]


def test_json_is_read_back(tmp_path: Path) -> None:
    content = {"frame rate": 12.5, "words": ["ε", None], "inner": {"1": True}}
    write_json(tmp_path / "note.json", content)
    assert read_json(tmp_path / "note.json") == content == json.loads((tmp_path / "note.json").read_bytes())
    with pytest.raises(TypeError, match="set"):
        write_json(tmp_path / "note.json", {"inner": {1}})
    assert read_json(tmp_path / "note.json") == content


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "note.json"
    path.write_bytes(b'{"a": 1,')
    with pytest.raises(ValueError, match=rf"{path}: expected JSON: .*line 1 column 9"):
        read_json(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=rf"{path}: expected text in UTF-8"):
        read_text(path)
    path.write_bytes(b"\xef\xbb\xbf{}")
    assert read_json(path) == {}


@pytest.mark.parametrize("size", [0, 1, 2**20, 2**20 + 1])
def test_hash_is_that_of_the_bytes(tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    (tmp_path / "a").write_bytes(content)
    (tmp_path / "b").write_bytes(b"more")
    assert file_sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()
    assert file_sha256(tmp_path / "a", tmp_path / "b") == hashlib.sha256(content + b"more").hexdigest()


def test_keys_are_compared_both_ways() -> None:
    one, other = {"a": 1, "b": 2, "c": 3}, {"b": 2, "c": 4, "d": None}
    found, back = compare_keys(one, other), compare_keys(other, one)
    assert (found.missing, found.unexpected, found.changed) == (["a"], ["d"], ["c"])
    assert (back.missing, back.unexpected, back.changed) == (["d"], ["a"], ["c"])
    assert found
    assert not compare_keys(one, dict(reversed(one.items())))
    assert describe_changes(one, other) == "a: 1 there, None now; c: 3 there, 4 now"
    assert describe_changes(one, {**one, "d": None}) == ""


def test_a_long_list_is_cut() -> None:
    assert first_few(list("abcdef"), shown=6) == "a, b, c, d, e, f"
    assert first_few(list("abcdef")) == "a, b, c, d, e, … (1 more)"


def test_a_folder_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    check_folder(tmp_path / "new" / "deeper", room=1)
    check_folder(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_under_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(NotADirectoryError, match=r"file is a file; name another folder"):
            check_folder(folder)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no file system here that takes no files")
def test_a_folder_without_permission_is_refused() -> None:
    with pytest.raises(PermissionError, match="/proc/run: cannot be written"):
        check_folder("/proc/run")


def test_a_full_disk_is_refused(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(OSError, match=r"MiB will be written, and \d+ MiB are free; make room"):
        check_folder(tmp_path, room=2 * free)


def test_a_document_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.json: no such file, seen from .*; check the path"):
        read_json(tmp_path / "gone.json")
