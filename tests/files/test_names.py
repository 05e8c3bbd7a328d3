"""Names and types of uploaded files are found, never believed."""

from __future__ import annotations

import pytest

from gigacore.files.mime import may_show, sniff
from gigacore.files.names import clean_name


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("Devis été.pdf", "Devis été.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\offer.docx", "offer.docx"),
        (".htaccess", "htaccess"),
        ("\u200b.htaccess", "htaccess"),
        ("a\x00.png", "a.png"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("photo\u202egnp.exe", "photognp.exe"),
        ("  x. ", "x"),
        ("...", "file"),
        ("", "file"),
        ("a/", "file"),
        ("line\r\nbreak.txt", "linebreak.txt"),
        ('q"<>|?*.txt', "q.txt"),
        ("\ud800.txt", "txt"),
    ],
)
def test_names_are_cleaned(given: str, cleaned: str) -> None:
    assert clean_name(given) == cleaned


def test_a_long_name_keeps_its_extension() -> None:
    cleaned = clean_name("x" * 300 + ".pdf")
    assert len(cleaned) == 255
    assert cleaned.endswith("x.pdf")
    assert len(clean_name("y" * 300)) == 255


@pytest.mark.parametrize(
    ("head", "name", "mime"),
    [
        (b"\x89PNG\r\n\x1a\n....", "x.html", "image/png"),
        (b"%PDF-1.7", "x.pdf", "application/pdf"),
        (b"<html><script>", "x.txt", "application/octet-stream"),
        (b"<svg xmlns=...", "x.svg", "application/octet-stream"),
        (b"a;b\n1;2\n", "x.csv", "text/csv"),
        (b"plain", "x.html", "application/octet-stream"),
        (b"PK\x03\x04...", "x.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        (b"PK\x03\x04...", "x.exe", "application/zip"),
        (b"RIFF\x00\x00\x00\x00WEBP", "x", "image/webp"),
        (b"MZ\x90\x00", "x.txt", "application/octet-stream"),
        (b"", "x", "application/octet-stream"),
    ],
)
def test_types_follow_from_the_first_bytes(head: bytes, name: str, mime: str) -> None:
    assert sniff(head, name) == mime


def test_only_images_and_pdf_are_shown_in_place() -> None:
    assert may_show("image/png")
    assert not may_show("image/svg+xml")
    assert not may_show("text/html")
