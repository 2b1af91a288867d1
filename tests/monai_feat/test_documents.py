# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Tables and YAML against the csv and yaml modules, and documents that would grow or never end."""

from __future__ import annotations

import csv
import os
import time
from pathlib import Path

import pytest
import yaml
from monai.bundle import ConfigParser

from monai_feat.documents import read_config, read_table, read_yaml
from monai_feat.files import read_json


def test_a_table_is_what_csv_reads(tmp_path: Path) -> None:
    text = 'name,note\na.mp4,"two\nlines, and a comma"\n\nb.mp4\nc.mp4,x,,\n'
    (tmp_path / "a.csv").write_text(text, encoding="utf-8-sig")
    table = read_table(tmp_path / "a.csv")
    names, *rows = [row for row in csv.reader(text.splitlines(keepends=True)) if row]
    assert table.columns == tuple(names)
    assert [row["name"] for row in table.rows] == [row[0] for row in rows]
    assert [row["note"] for row in table.rows] == [rows[0][1], "", "x"]
    assert table.lines == (3, 5, 6)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 0: expected a line of names"),
        (b"a,a\n1,2\n", "line 1: two columns are named a"),
        (b"a,b\n1,2,3\n", "line 2: expected 2 cells, got 3"),
        (b'a,b\n1,"open\n', "line 2: unexpected end of data"),
        (b"a\nM\xfcller\n", "expected text in UTF-8"),
        (b"a\n" + b"x" * 200_000, "line 2: field larger than field limit"),
        (b"," * 4096 + b"a\n", "at most 4096 columns, got 4097"),
        (b"," * 4000 + b"a\n" + b"b\n" * 9999, "at most 4194304 cells"),
    ],
    ids=["empty", "twice", "wide", "open", "latin", "long", "columns", "product"],
)
def test_a_bad_table_is_named_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ValueError, match=f"a.csv.*{said}"):
        read_table(tmp_path / "a.csv")


def test_yaml_is_what_pyyaml_reads_aliases_included(tmp_path: Path) -> None:
    text = "base: &b {x: 1, y: [1, 2.5, null, true]}\nother: *b\nname: Müller\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    assert read_yaml(tmp_path / "a.yaml") == yaml.safe_load(text)
    (tmp_path / "empty.yaml").touch()
    assert read_yaml(tmp_path / "empty.yaml") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [1, 2", "is not YAML"),
        ("a: &x [*x]", "contains itself"),
        ("[" * 100 + "]" * 100, "at most 64 levels of nesting"),
        ("[" * 5000 + "]" * 5000, "(levels of nesting|is not YAML)"),
        ("a: " + "x" * (1 << 18), "expected a document of at most 262144"),
        ("a: !!python/object/apply:os.getcwd []", "is not YAML"),
        ("a: 2024-99-99", "month must be in"),
    ],
    ids=["open", "itself", "deep", "deeper", "long", "object", "date"],
)
def test_bad_yaml_is_named(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(ValueError, match=f"a.yaml: .*{said}"):
        read_yaml(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("name", "said"), [("y2c.yaml", "entries by its aliases"), ("y7.yaml", "expected text in UTF-8")]
)
def test_yaml_of_the_reports_is_refused_by_name_and_shortly(cases: Path, name: str, said: str) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match=f"{name}: .*{said}") as caught:
        read_yaml(cases / "hostile" / name)
    assert len(str(caught.value)) < 1000
    assert time.process_time() - start < 5


def test_json_is_bounded_too(tmp_path: Path) -> None:
    (tmp_path / "deep.json").write_text("[" * 10**6)
    (tmp_path / "digits.json").write_text("[" + "1" * 10_000 + "]")
    (tmp_path / "long.json").write_bytes(b"[]" + b" " * (1 << 24))
    os.mkfifo(tmp_path / "pipe.json")
    for name, said in {"deep": "nested", "digits": "digits", "long": "at most", "pipe": "is a pipe, a socket"}.items():
        with pytest.raises(ValueError, match=rf"{name}\.json: .*{said}"):
            read_json(tmp_path / f"{name}.json")


def test_configs_are_json_or_yaml_within_bounds(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"steps": 3, "net": {"_target_": "FEAT"}}')
    (tmp_path / "a.yaml").write_text("steps: 3\nnet: {_target_: FEAT}\n")
    assert (
        read_config(tmp_path / "a.json")
        == read_config(tmp_path / "a.yaml")
        == ConfigParser.load_config_file(str(tmp_path / "a.yaml"))
    )
    (tmp_path / "deep.json").write_text('{"a":' * 10**5)
    (tmp_path / "many.yaml").write_text("a: &a [x, x, x]\n" + "".join(f"b{i}: [*a, *a]\n" for i in range(9)) + "- x")
    (tmp_path / "list.json").write_text("[1]")
    for name in ("deep.json", "many.yaml", "list.json"):
        with pytest.raises(ValueError, match=name):
            read_config(tmp_path / name)
