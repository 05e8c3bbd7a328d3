"""Stored bytes come back whole or in ranges, and only if nobody touched them."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from gigacore.errors import ConfigurationError, NotFound, TooLarge, Unavailable
from gigacore.files.storage import BLOCK, HEADER, TAG, LocalStorage, open_object

KEY = "0123456789abcdefghijklmnopqrstuvwxyz"
SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 17]


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "files", KEY)


def path_of(storage: LocalStorage, object_id: str) -> Path:
    [path] = storage.folder.glob(f"??/??/{object_id}")
    return path


@pytest.mark.parametrize("size", SIZES)
def test_bytes_come_back(storage: LocalStorage, size: int) -> None:
    content = os.urandom(size)
    stored = storage.write_stream(io.BytesIO(content))
    assert (stored.size, stored.sha256) == (size, hashlib.sha256(content).hexdigest())
    assert b"".join(storage.read_range(stored.object_id)) == content
    with open_object(storage, stored.object_id) as stream:
        assert stream.read() == content


@pytest.mark.parametrize("size", SIZES)
def test_any_range_can_be_read(storage: LocalStorage, size: int) -> None:
    content = os.urandom(size)
    stored = storage.write_stream(io.BytesIO(content))
    for start in (0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 5, size):
        for length in (0, 1, 100, BLOCK, 10 * BLOCK):
            assert b"".join(storage.read_range(stored.object_id, start, length)) == content[start : start + length]


def test_a_stream_that_gives_little_at_a_time_is_stored_whole(storage: LocalStorage) -> None:
    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 1000, 1000))

    content = os.urandom(2 * BLOCK + 99)
    stored = storage.write_stream(Trickle(content))
    assert b"".join(storage.read_range(stored.object_id)) == content


def test_content_is_not_readable_on_disk(storage: LocalStorage) -> None:
    stored = storage.write_stream(io.BytesIO(b"canary " * 20_000))
    assert b"canary" not in path_of(storage, stored.object_id).read_bytes()


def test_same_content_is_stored_differently_each_time(storage: LocalStorage) -> None:
    first, second = (storage.write_stream(io.BytesIO(b"x" * 100)) for _ in range(2))
    assert path_of(storage, first.object_id).read_bytes() != path_of(storage, second.object_id).read_bytes()


@pytest.mark.parametrize("position", [HEADER - 1, HEADER, HEADER + BLOCK + TAG + 3, -1])
def test_a_changed_byte_is_noticed(storage: LocalStorage, position: int) -> None:
    stored = storage.write_stream(io.BytesIO(os.urandom(3 * BLOCK)))
    path = path_of(storage, stored.object_id)
    content = bytearray(path.read_bytes())
    content[position] ^= 1
    path.write_bytes(content)
    with pytest.raises(Unavailable):
        list(storage.read_range(stored.object_id))


def test_a_shortened_file_is_noticed(storage: LocalStorage) -> None:
    stored = storage.write_stream(io.BytesIO(os.urandom(3 * BLOCK)))
    path = path_of(storage, stored.object_id)
    path.write_bytes(path.read_bytes()[: HEADER + 2 * (BLOCK + TAG)])
    with pytest.raises(Unavailable):
        list(storage.read_range(stored.object_id))


def test_swapped_files_are_noticed(storage: LocalStorage) -> None:
    first, second = (storage.write_stream(io.BytesIO(name)) for name in (b"one", b"two"))
    path_of(storage, first.object_id).write_bytes(path_of(storage, second.object_id).read_bytes())
    with pytest.raises(Unavailable):
        list(storage.read_range(first.object_id))


def test_another_key_reads_nothing(storage: LocalStorage) -> None:
    stored = storage.write_stream(io.BytesIO(b"secret"))
    with pytest.raises(Unavailable):
        list(LocalStorage(storage.folder, KEY[::-1]).read_range(stored.object_id))


def test_too_large_a_file_leaves_nothing_behind(storage: LocalStorage) -> None:
    with pytest.raises(TooLarge):
        storage.write_stream(io.BytesIO(b"x" * (BLOCK + 1)), limit=BLOCK)
    assert [path for path in storage.folder.rglob("*") if path.is_file()] == []
    assert storage.write_stream(io.BytesIO(b"x" * BLOCK), limit=BLOCK).size == BLOCK


def test_a_broken_upload_leaves_nothing_behind(storage: LocalStorage) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionError

    with pytest.raises(ConnectionError):
        storage.write_stream(Broken())
    assert list(storage.objects()) == []


@pytest.mark.parametrize("object_id", ["../../etc/passwd", "", "x" * 32, "a" * 31, "A" * 32, "a" * 32])
def test_only_known_object_ids_are_read(storage: LocalStorage, object_id: str) -> None:
    with pytest.raises(NotFound):
        list(storage.read_range(object_id))


def test_storage_needs_a_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        LocalStorage(tmp_path, "")


def test_leftovers_of_interrupted_uploads_are_cleared(storage: LocalStorage) -> None:
    storage.incoming.mkdir(parents=True)
    old, new = storage.incoming / "old.part", storage.incoming / "new.part"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    assert storage.clear_incoming(3600) == 1
    assert new.exists()
