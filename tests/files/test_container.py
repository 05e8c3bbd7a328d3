"""Every byte of a container counts: changed anywhere, it is refused, or still holds what was written."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from gigacore.errors import GigaError
from gigacore.files.container import new_container, open_container
from gigacore.files.sealed import Secrets
from gigacore.plugins.archive import ARCHIVE

SECRETS = Secrets("another-key-for-tests-9876543210-fedcba")
ENTRIES = {"tables/tours_tour": b'{"title": "First"}\n', "files/one": bytes(range(64))}
FLIPS = (0x01, 0x08, 0x80, 0xFF)


@pytest.fixture(params=[None, SECRETS], ids=["plain", "sealed"])
def container(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "one.zip"
    with new_container(path, request.param) as writer:
        for name, body in ENTRIES.items():
            writer.add(name, [body])
        writer.seal({"plugin": "tours"}, ARCHIVE.key(SECRETS.encryption_key))
    return path


def held(path: Path) -> Mapping[str, bytes]:
    with open_container(path, ARCHIVE, SECRETS) as opened:
        return {name: opened.open(name).read() for name in opened.manifest["entries"]}


def test_whichever_byte_was_changed_it_is_refused_or_equal(container: Path) -> None:
    whole, refused = container.read_bytes(), 0
    assert held(container) == ENTRIES
    for place in range(len(whole)):
        for flip in FLIPS:
            container.write_bytes(whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :])
            try:
                assert held(container) == ENTRIES, (place, flip)
            except GigaError:
                refused += 1
    assert refused > len(whole), "most changes are seen"


def test_cut_short_or_with_more_behind_it_is_refused_or_equal(container: Path) -> None:
    whole = container.read_bytes()
    for length in range(len(whole)):
        container.write_bytes(whole[:length])
        with pytest.raises(GigaError):
            held(container)
    container.write_bytes(b"more" + whole)
    with contextlib.suppress(GigaError):
        assert held(container) == ENTRIES
