# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Pictures to look at before the numbers: contact sheets, loss curves, and report pages with clips that play."""

from __future__ import annotations

from monai_feat.visualize.clip_player import MOST_FRAMES, clip_player, clip_set, film_strip
from monai_feat.visualize.contact_sheet import contact_sheet, save_contact_sheet
from monai_feat.visualize.curves import latest_scalars, read_tensorboard_scalars, save_loss_curves
from monai_feat.visualize.facts import fact_text, flat_facts, plain_name
from monai_feat.visualize.markup import Html, element, format_number, format_range, join
from monai_feat.visualize.outline import outline_clip
from monai_feat.visualize.page import Cell, ColumnKind, Page, bullets, definitions, notice, paragraph, table
from monai_feat.visualize.panels import Panel, save_panels
from monai_feat.visualize.plot_axis import Axis
from monai_feat.visualize.svg_plots import IntervalRow, Line, Series, interval_plot, legend, line_panel
from monai_feat.visualize.words import count, join_words, percent

__all__ = [
    "MOST_FRAMES",
    "Axis",
    "Cell",
    "ColumnKind",
    "Html",
    "IntervalRow",
    "Line",
    "Page",
    "Panel",
    "Series",
    "bullets",
    "clip_player",
    "clip_set",
    "contact_sheet",
    "count",
    "definitions",
    "element",
    "fact_text",
    "film_strip",
    "flat_facts",
    "format_number",
    "format_range",
    "interval_plot",
    "join",
    "join_words",
    "latest_scalars",
    "legend",
    "line_panel",
    "notice",
    "outline_clip",
    "paragraph",
    "percent",
    "plain_name",
    "read_tensorboard_scalars",
    "save_contact_sheet",
    "save_loss_curves",
    "save_panels",
    "table",
]
