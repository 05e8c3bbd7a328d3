"""Names of files as people see them: cleaned, never used as a path."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LIMIT: Final = 255
# Marks that change the reading direction or are not seen: they make `gpj.exe` look like `exe.jpg`.
INVISIBLE: Final = re.compile(
    r"[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
FORBIDDEN: Final = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f]')
DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
MAX_EXTENSION: Final = 12


def clean_name(name: str) -> str:
    """The last part of `name` without marks, controls and devices' names; at most 255 characters, never empty."""
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    text = FORBIDDEN.sub("", INVISIBLE.sub("", text)).replace("\\", "/").rpartition("/")[2]
    text = text.strip(" .")
    if DEVICES.fullmatch(text):
        text = f"_{text}"
    return shortened(text) or "file"


def shortened(text: str) -> str:
    """Cut in the middle, so that the extension stays."""
    if len(text) <= LIMIT:
        return text
    stem, dot, extension = text.rpartition(".")
    if not dot or len(extension) > MAX_EXTENSION:
        return text[:LIMIT]
    return f"{stem[: LIMIT - len(extension) - 1]}.{extension}"
