# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import hmac
import stat
from pathlib import Path

import pytest

from monai_feat.doctor.pseudonyms import Pseudonyms


def test_names_are_a_keyed_hash() -> None:
    names = Pseudonyms(b"k" * 32)
    expected = hmac.new(b"k" * 32, b"clip\0p1/a.mp4", hashlib.sha256).hexdigest()[:16]
    expected = expected.translate(str.maketrans("0123456789", "ghijklmnop"))
    assert names.rename("clip", "p1/a.mp4") == f"clip_{expected}"
    assert names.rename("clip", "p1/a.mp4") == f"clip_{expected}"
    assert names.rename("group", "p1/a.mp4") != f"group_{expected}"
    assert names.names[f"clip_{expected}"] == "p1/a.mp4"
    assert Pseudonyms().rename("clip", "p1/a.mp4") != f"clip_{expected}"
    assert "k" * 32 not in repr(names)


def test_a_key_file_gives_the_same_names_again_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    names = Pseudonyms.read(tmp_path / "key.json")
    new = names.rename("clip", "r\udce9sum\udce9.mp4")
    names.write(tmp_path / "key.json")
    again = Pseudonyms.read(tmp_path / "key.json")
    assert again == names
    assert again.rename("clip", "r\udce9sum\udce9.mp4") == new
    assert stat.S_IMODE((tmp_path / "key.json").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key.json"]


@pytest.mark.parametrize("text", ["[]", "{}", '{"secret": "xyz", "names": {}}'])
def test_what_is_no_key_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "key.json").write_text(text)
    with pytest.raises(ValueError, match="expected a key file"):
        Pseudonyms.read(tmp_path / "key.json")
