# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium for tests of pages: the machine's own, or the one that Playwright installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def headless_browser() -> Iterator[Any]:
    """A browser of Playwright; the test skips where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, NAMES)), playwright.chromium.executable_path)
        if not Path(path).is_file():
            pytest.skip(f"no browser: none of {', '.join(NAMES)} on the path, and playwright has not installed one")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page that was opened, and what it asked for and complained about."""

    def __init__(self, browser: Any, file: Path, width: int = 1280, **options: Any) -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 800}, **options)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.context.on("request", lambda request: self.requests.append(request.url))
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(file.as_uri())

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    @property
    def foreign_requests(self) -> list[str]:
        """Addresses other than the page itself and what is inside it."""
        return [url for url in self.requests if not url.startswith(("data:", "file:"))] + [
            url for url in self.requests if url.startswith("file:") and url != self.page.url
        ]

    def overflow(self) -> int:
        """Pixels by which the page is wider than the screen."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
