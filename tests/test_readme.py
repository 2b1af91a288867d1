# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs the README.

Every fenced ``bash`` and ``python`` block runs as it stands, unless the line above its fence is a comment
``<!-- not run: reason -->``. A block that is not run must still parse, and its make targets must exist. Bash blocks
run at the root of a copy of the project, python blocks in an empty folder, but for those that name a bundle.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(
    r"(?:^<!-- not run:(?P<reason>[^\n]*?)-->\n)?^```(?P<language>bash|python)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
SECONDS_PER_BLOCK = 1200  # far more than any takes: only one that hangs, also beside other work
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "out", "runs")


@dataclass(frozen=True)
class Block:
    """A fenced block of a Markdown text; ``reason`` says why it isn't run, and is ``None`` where it is."""

    language: str
    code: str
    line: int
    reason: str | None = None

    def __str__(self) -> str:
        return f"{self.language}-line-{self.line}"


def blocks(text: str) -> list[Block]:
    found = []
    for match in BLOCK.finditer(text):
        reason = match["reason"]
        line = text.count("\n", 0, match.start("code")) + 1
        found.append(Block(match["language"], match["code"], line, None if reason is None else reason.strip()))
    return found


def run(block: Block, folder: Path, timeout: float = SECONDS_PER_BLOCK) -> subprocess.CompletedProcess[str]:
    """Run a block with this interpreter first on the PATH; raises ``TimeoutExpired`` and ends all that it started."""
    here = str(Path(sys.executable).parent)
    project = folder if (folder / "monai_feat").is_dir() else ROOT
    environment = {**os.environ, "PATH": here + os.pathsep + os.environ["PATH"], "PYTHONPATH": str(project)}
    command = [sys.executable, "-"] if block.language == "python" else ["bash", "-euo", "pipefail", "-s"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=folder, env=environment, text=True, start_new_session=True
    ) as process:
        try:
            printed, complained = process.communicate(block.code, timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(command, process.returncode, printed, complained)


def make_targets(code: str) -> set[str]:
    return set(re.findall(r"^make +([a-z]+)", code, re.MULTILINE))


README = blocks((ROOT / "README.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(ROOT, tmp_path_factory.mktemp("readme") / "monai-feat", ignore=NOT_COPIED))


@pytest.mark.parametrize("block", [block for block in README if block.reason is None], ids=str)
def test_block_runs(block: Block, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    needs_checkout = block.language == "bash" or '"bundles/' in block.code
    folder = request.getfixturevalue("checkout") if needs_checkout else tmp_path
    done = run(block, folder)
    assert done.returncode == 0, f"README.md, line {block.line}:\n{block.code}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("block", [block for block in README if block.reason is not None], ids=str)
def test_block_that_is_not_run_has_a_reason_and_parses(block: Block) -> None:
    assert block.reason, f"README.md, line {block.line}: say why the block is not run"
    if block.language == "python":
        compile(block.code, "README.md", "exec")
    else:
        done = subprocess.run(["bash", "-n"], input=block.code, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_make_targets_exist() -> None:
    offered = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set().union(*(make_targets(block.code) for block in README))
    assert {"demo", "test"} <= named <= offered


def test_something_is_run() -> None:
    assert any(block.reason is None for block in README)


def test_the_convention() -> None:
    text = "a\n```bash\necho 1\n```\n\n<!-- not run: it is slow -->\n```python\nprint(2)\n```\n```text\nx\n```\n"
    assert blocks(text) == [Block("bash", "echo 1\n", 3), Block("python", "print(2)\n", 8, "it is slow")]
    assert blocks("<!-- not run: -->\n```bash\ntrue\n```\n") == [Block("bash", "true\n", 3, "")]
    assert blocks("<!-- not run: too far above -->\n\n```bash\ntrue\n```\n") == [Block("bash", "true\n", 4)]


@pytest.mark.parametrize("code", ["false\ntrue", "false | true", "echo $undefined_name", "exit 3"])
def test_a_failing_bash_block_is_seen(code: str, tmp_path: Path) -> None:
    assert run(Block("bash", code, 1), tmp_path).returncode != 0


def test_a_failing_python_block_is_seen(tmp_path: Path) -> None:
    assert run(Block("python", "raise ValueError('no')", 1), tmp_path).returncode != 0
    assert run(Block("python", "import monai_feat; print(monai_feat.__version__)", 1), tmp_path).returncode == 0


def test_a_block_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run(Block("bash", "sleep 60 | cat", 1), tmp_path, timeout=0.5)
