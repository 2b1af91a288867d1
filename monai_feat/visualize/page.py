# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Reports as one HTML page that needs nothing else: pictures, plots and style are inside, and nothing is fetched.

A page is made of pieces of `Html`: those of this module, players of `monai_feat.visualize.clip_player` and plots of
`monai_feat.visualize.svg_plots`. It reads well on a phone, in the dark and on paper, and stays readable without a
script; its content security policy forbids every request and every script but its own.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from monai_feat.visualize.markup import Html, element, join, text
from monai_feat.visualize.page_style import SCRIPT, STYLE

__all__ = ["Cell", "ColumnKind", "Page", "bullets", "definitions", "notice", "paragraph", "table"]

Tone = Literal["plain", "good", "caution", "alarm"]
ColumnKind = Literal["text", "number", "wide"]
"""How a column is set: ``number`` to the right and unbroken, ``wide`` with room for sentences and paths."""


@dataclass
class Page:
    """A page that grows section by section.

    Args:
        title: of the page.
        subtitle: below it.

    Example:
        >>> page = Page("Clips of hearts", "42 clips")
        >>> page.section("Scores", paragraph("None yet."))
        >>> page.render().startswith("<!doctype html>")
        True
    """

    title: str
    subtitle: str = ""
    _opening: list[Html] = field(default_factory=list, init=False)
    _sections: dict[str, tuple[str, Html]] = field(default_factory=dict, init=False)

    def opening(self, *parts: Html) -> None:
        """Add to what stands between the title and the table of contents."""
        self._opening += parts

    def section(self, heading: str, *parts: Html) -> None:
        """Add a section; it gets an entry in the table of contents."""
        slug = re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") or "section"
        number = sum(re.fullmatch(rf"{slug}(-\d+)?", known) is not None for known in self._sections)
        self._sections[f"{slug}-{number + 1}" if number else slug] = (heading, join(parts))

    def render(self) -> str:
        """Return the page as HTML, to be stored as UTF-8."""
        entries = [
            element("li", element("a", heading, href=f"#{slug}")) for slug, (heading, _) in self._sections.items()
        ]
        body = [
            element(
                "header",
                element("h1", self.title),
                element("p", self.subtitle, class_="subtitle") if self.subtitle else Html(),
                *self._opening,
                element("nav", element("ul", *entries), aria_label="Contents") if entries else Html(),
            ),
            element("main", *(_section(slug, *section) for slug, section in self._sections.items())),
            element("script", Html(SCRIPT)),
        ]
        return "<!doctype html>\n" + element("html", self._head(), element("body", *body), lang="en") + "\n"

    def _head(self) -> Html:
        digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode("ascii")
        policy = (
            "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
            f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        )
        return element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", http_equiv="Content-Security-Policy", content=policy),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            element("title", self.title),
            element("link", rel="icon", href="data:,"),  # or browsers would ask the server for one
            element("style", Html(STYLE)),
        )


def _section(slug: str, heading: str, content: Html) -> Html:
    return element("section", element("h2", heading, id=slug), content, aria_labelledby=slug)


def paragraph(*parts: str, aside: bool = False) -> Html:
    """Return a paragraph; an aside is smaller and paler."""
    return element("p", *parts, class_="aside" if aside else None)


def bullets(items: Sequence[str]) -> Html:
    """Return a list of points."""
    return element("ul", *(element("li", item) for item in items))


def notice(tone: Tone, heading: str, *parts: Html) -> Html:
    """Return a box that is read first."""
    return element("div", element("h2", heading), *parts, class_=f"notice {tone}", role="note")


@dataclass(frozen=True)
class Cell:
    """A cell of a table: what it says, and small print below that."""

    content: str
    small: str = ""

    def render(self) -> Html:
        """Return what stands inside the cell."""
        small = join([element("br"), element("small", self.small)]) if self.small else Html()
        return join([text(self.content), small])


def table(
    columns: Mapping[str, ColumnKind],
    rows: Sequence[Sequence[str | Cell]],
    caption: str,
    faded: Sequence[int] = (),
) -> Html:
    """Return a table that scrolls sideways in its own box where it is wider than the page.

    Args:
        columns: heading and kind of each column; the first one heads the rows.
        rows: as many cells as columns each.
        caption: what the table shows.
        faded: numbers of the rows that must not be read, from 0.

    Raises:
        ValueError: a row has another number of cells.
    """
    wrong = [number for number, row in enumerate(rows) if len(row) != len(columns)]
    if wrong:
        raise ValueError(f"{caption!r}: expected {len(columns)} cells in each row, rows {wrong} have others")
    kinds = [None if kind == "text" else kind for kind in columns.values()]
    heads = [element("th", name, scope="col", class_=kind) for name, kind in zip(columns, kinds, strict=True)]
    body = [_row(row, kinds, number in faded) for number, row in enumerate(rows)]
    whole = element(
        "table", element("caption", caption), element("thead", element("tr", *heads)), element("tbody", *body)
    )
    return element("div", whole, class_="scroll", role="region", tabindex=0, aria_label=caption)


def _row(row: Sequence[str | Cell], kinds: Sequence[str | None], is_faded: bool) -> Html:
    cells = [cell if isinstance(cell, Cell) else Cell(cell) for cell in row]
    head = element("th", cells[0].render(), scope="row", class_=kinds[0])
    rest = [element("td", cell.render(), class_=kind) for cell, kind in zip(cells[1:], kinds[1:], strict=True)]
    return element("tr", head, *rest, class_="faded" if is_faded else None)


def definitions(items: Mapping[str, str]) -> Html:
    """Return terms and what they stand for."""
    return element(
        "dl", *(part for term, value in items.items() for part in (element("dt", term), element("dd", value)))
    )
