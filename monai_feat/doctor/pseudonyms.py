# Copyright (c) monai-feat contributors
# SPDX-License-Identifier: Apache-2.0
"""Names that only the owner of a key can lead back."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from monai_feat.files import read_json

__all__ = ["Pseudonyms"]

_DIGITS = 16
_SECRET_BYTES = 32
_LETTERS = str.maketrans("0123456789", "ghijklmnop")  # digits in a row may look like a date or a number of a record


@dataclass
class Pseudonyms:
    """New names by a keyed hash (HMAC-SHA-256): the same name gives the same one, and only the key leads back.

    Attributes:
        secret: the key.
        names: what was renamed: the old name of each new one.
    """

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(_SECRET_BYTES), repr=False)
    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Pseudonyms:
        """Read a key file; a new key where there is none.

        Raises:
            ValueError: the file is not a key file.
        """
        if not path.exists():
            return cls()
        content = read_json(path)
        try:
            return cls(bytes.fromhex(content["secret"]), dict(content["names"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: expected a key file with 'secret' and 'names' ({error!r})") from None

    def rename(self, kind: str, name: str) -> str:
        """Return the new name of a file or a group.

        Args:
            kind: what it is the name of, such as ``clip``; it begins the new name.
            name: the old name.
        """
        digest = hmac.new(self.secret, f"{kind}\0{name}".encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
        new = f"{kind}_{digest[:_DIGITS].translate(_LETTERS)}"
        self.names[new] = name
        return new

    def write(self, path: Path) -> None:
        """Write the key file, for its owner's eyes only, in the place of an earlier one."""
        text = json.dumps({"secret": self.secret.hex(), "names": self.names}, indent=1) + "\n"
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        try:
            with os.fdopen(
                os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
