# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""How docstrings are read for the site: ``Example:``, as MONAI writes it, heads a section of examples."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_HEAD = re.compile(r"^Example:$", re.MULTILINE)


class ExampleSections(Extension):
    """Gives griffe the plural that it knows."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Change the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = _HEAD.sub("Examples:", obj.docstring.value)
