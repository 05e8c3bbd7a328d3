"""Files sent by forms, as browsers without scripts do it: as large as with scripts, and never in memory as a whole."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from gigacore import Crm, files, records
from gigacore.files.storage import DEFAULT_LIMIT
from tests.pages.conftest import HTML, Visitor

MEGA = 1024 * 1024


class Body(io.RawIOBase):
    """A multipart body with a token and one part of so many bytes, made while it is read."""

    def __init__(self, token: str, part: str, size: int) -> None:
        self._left = self._pieces(token, part, size)
        self._kept = b""
        self.length = len(self._head(token, part)) + size + len(self.END)

    END = b"\r\n--line--\r\n"

    @staticmethod
    def _head(token: str, part: str) -> bytes:
        text = f'--line\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
        return f'{text}--line\r\nContent-Disposition: form-data; name="{part}"; filename="big.bin"\r\n\r\n'.encode()

    def _pieces(self, token: str, part: str, size: int) -> Iterator[bytes]:
        yield self._head(token, part)
        piece = bytes(range(256)) * 256
        for start in range(0, size, len(piece)):
            yield piece[: size - start]
        yield self.END

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._kept and (more := next(self._left, None)) is not None:
            self._kept = more
        count = min(len(buffer), len(self._kept))
        buffer[:count], self._kept = self._kept[:count], self._kept[count:]
        return count


def send(visitor: Visitor, path: str, body: Body, length: int = 0) -> Any:
    given = {
        "wsgi.input": io.BufferedReader(body),
        "CONTENT_LENGTH": str(length or body.length),
        "CONTENT_TYPE": "multipart/form-data; boundary=line",
    }
    return visitor.client.post(path, headers=HTML, environ_overrides=given)


@pytest.fixture
def lead(crm: Crm) -> int:
    with crm.system("test") as ctx:
        return int(records.create(ctx, "crm.lead", {"last_name": "Lee", "visibility": "write"}).id)


def test_a_large_file_is_attached_without_scripts_and_without_filling_memory(
    crm: Crm, root: Visitor, lead: int
) -> None:
    root.get(f"/crm/leads/{lead}")
    tracemalloc.start()
    try:
        answer = send(root, f"/crm/leads/{lead}/files", Body(root.token, "file", 24 * MEGA))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert answer.status_code == 303, answer.text
    with crm.read(crm.actor(root.user_id)) as ctx:
        assert [one.size for one in files.of_record(ctx, "crm.lead", lead)] == [24 * MEGA]
    assert peak < 12 * MEGA


def test_one_above_the_limit_is_refused_by_its_length_alone(crm: Crm, root: Visitor, lead: int) -> None:
    root.get(f"/crm/leads/{lead}")
    body = Body(root.token, "file", 1)
    answer = send(root, f"/crm/leads/{lead}/files", body, DEFAULT_LIMIT + 8 * MEGA)
    assert answer.status_code == 413
    assert body.read(10), "the body was read all the same"


def test_a_form_without_a_file_stays_small(root: Visitor) -> None:
    """The room is for files: the texts of a form are not kept in memory by the hundred megabytes."""
    root.get("/crm/contacts/new")
    answer = root.client.post(
        "/crm/contacts/new",
        data=b"csrf_token=" + root.token.encode() + b"&first_name=" + b"x" * 5 * MEGA,
        content_type="application/x-www-form-urlencoded",
        headers=HTML,
    )
    assert answer.status_code == 413


def photo() -> io.BytesIO:
    kept = io.BytesIO()
    Image.new("RGB", (400, 600), (10, 90, 200)).save(kept, "JPEG")
    kept.seek(0)
    return kept


def test_a_photo_is_shown_in_head_list_and_cards_and_initials_stand_in_for_it(crm: Crm, root: Visitor) -> None:
    sent: dict[str, Any] = {"first_name": "Ada", "last_name": "Lovelace", "photo": ""}
    saved = root.post("/crm/contacts/new", {**sent, "photo.file": (photo(), "ada.png")})
    assert saved.status_code == 303, saved.text
    root.post("/crm/contacts/new", {"first_name": "Grace", "last_name": "Hopper"})
    with crm.read(crm.actor(root.user_id)) as ctx:
        uid = records.get(ctx, "crm.contact", int(saved.location.rsplit("/", 1)[1]))["photo"]["uid"]
    picture = f'src="/files/{uid}?show=1" alt="" loading="lazy"'
    assert picture in root.get(saved.location).text
    for path in ("/crm/contacts", "/crm/contacts?kind=cards"):
        page = root.get(path).text
        assert picture in page
        assert '<span class="av" aria-hidden="true">GH</span>' in page


def test_what_is_no_picture_is_told_beside_the_input(root: Visitor) -> None:
    sent: dict[str, Any] = {"first_name": "Ada", "last_name": "Lovelace", "photo.file": (io.BytesIO(b"words"), "a.jpg")}
    answer = root.post("/crm/contacts/new", sent)
    assert answer.status_code == 422
    assert "This is not a picture that can be read. Choose a JPEG, PNG, WebP or GIF picture." in answer.text
    assert 'value="Lovelace"' in answer.text
