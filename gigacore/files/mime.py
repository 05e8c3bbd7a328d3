"""What a file is, by its first bytes and an allow-list; what the sender says counts for nothing."""

from __future__ import annotations

from typing import Final

OCTETS: Final = "application/octet-stream"
HEAD_BYTES: Final = 4096
MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"PK\x03\x04", "application/zip"),
)
OFFICE: Final = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
}
TEXTS: Final = {"txt": "text/plain", "csv": "text/csv", "md": "text/plain", "log": "text/plain", "vcf": "text/vcard",
                "ics": "text/calendar"}  # fmt: skip
# Shown in the browser; everything else is only downloaded, for HTML, SVG and XML run scripts.
INLINE: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})


def sniff(head: bytes, name: str) -> str:
    """The type of a file from its first bytes; the name's extension only tells apart what the bytes cannot."""
    extension = name.rpartition(".")[2].lower()
    for magic, mime in MAGIC:
        if head.startswith(magic):
            return OFFICE.get(extension, mime) if mime == "application/zip" else mime
    if head[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(head[8:12], OCTETS)
    if head[4:8] == b"ftyp":
        return "audio/mp4" if head[8:11] == b"M4A" else "video/mp4"
    return TEXTS.get(extension, OCTETS) if is_text(head) else OCTETS


def is_text(head: bytes) -> bool:
    """Whether the bytes could be text."""
    return b"\x00" not in head and head.lstrip()[:1] != b"<"


def may_show(mime: str) -> bool:
    """Whether a browser may show the file in place."""
    return mime in INLINE
