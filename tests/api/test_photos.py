"""Photos of contacts: checked, upright, made smaller, written anew, and shown beside the name."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from gigacore import Crm
from gigacore.access import users
from tests.api.conftest import Api, People

CONTACTS = "/api/v1/crm/contacts"


def picture(width: int, height: int, kind: str = "JPEG", **options: Any) -> bytes:
    kept = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 60)).save(kept, kind, **options)
    return kept.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def send(caller: Api, content: bytes, name: str = "me.jpg") -> Any:
    headers = {"Authorization": f"Bearer {caller.token}"}
    head = f'--line\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body, kind = head + content + b"\r\n--line--\r\n", "multipart/form-data; boundary=line"
    return caller.client.post(f"{CONTACTS}/uploads/photo", data=body, content_type=kind, headers=headers)


def opened(caller: Api, uid: str) -> Image.Image:
    answer = caller.client.get(f"/files/{uid}?show=1", headers={"Authorization": f"Bearer {caller.token}"})
    return Image.open(io.BytesIO(answer.data))


def test_a_large_photo_is_upright_small_and_without_metadata(people: People) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Secret camera"  # turned by a quarter
    sent = send(people.ann, picture(1200, 900, exif=exif, comment=b"secret"))
    assert (sent.status_code, sent.get_json()["mime"]) == (201, "image/jpeg")
    found = opened(people.ann, sent.get_json()["uid"])
    assert found.size == (200, 267)
    assert not found.getexif()
    assert "comment" not in found.info


@pytest.mark.parametrize(
    ("kind", "size"), [("JPEG", (150, 90)), ("PNG", (1, 1)), ("WEBP", (200, 300)), ("GIF", (9, 9))]
)
def test_only_a_larger_photo_is_resized(people: People, kind: str, size: tuple[int, int]) -> None:
    sent = send(people.ann, picture(*size, kind))
    assert sent.status_code == 201, sent.text
    assert opened(people.ann, sent.get_json()["uid"]).size == size


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (bomb(50_000, 50_000), 422, ("25 million",)),
        (bomb(9_000, 9_000), 422, ("9000 × 9000", "25 million")),
        (picture(10, 10) + bytes(1024 * 1024), 413, ("1", "M")),
        (b"just words", 422, ("JPEG",)),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, ("JPEG",)),
        (picture(400, 400)[:700], 422, ("JPEG",)),
    ],
    ids=["huge", "large", "heavy", "text", "svg", "cut short"],
)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_anything_else_is_refused_with_its_reason(
    crm: Crm, people: People, content: bytes, status: int, told: tuple[str, ...], language: str
) -> None:
    with crm.system("test") as ctx:
        users.change(ctx, people.ann.user_id, {"locale": language})
    answer = send(people.ann, content)
    assert answer.status_code == status, answer.text
    text = f"{answer.get_json()['detail']} {answer.get_json()['fix']}"
    assert all(word in text for word in told), text
    assert ("Choisissez" in text or "Enregistrez" in text) == (language == "fr"), text


def test_a_file_that_was_not_checked_is_no_photo(people: People) -> None:
    """Another file of one's own, however it is called, is not shown as a picture."""
    contact = people.ann.make("/crm/contacts", {"first_name": "Ann", "last_name": "Lee"})["id"]
    headers = {"Authorization": f"Bearer {people.ann.token}"}
    data = {"file": (io.BytesIO(bomb(50_000, 50_000)), "me.png")}
    uid = people.ann.client.post(f"{CONTACTS}/{contact}/files", data=data, headers=headers).get_json()["uid"]
    answer = people.ann("PATCH", f"/crm/contacts/{contact}", {"photo": uid}, If_Match="*")
    assert (answer.status_code, answer.get_json()["errors"][0]["field"]) == (422, "photo")
    good = send(people.ann, picture(40, 40)).get_json()["uid"]
    answer = people.ann("PATCH", f"/crm/contacts/{contact}", {"photo": good}, If_Match="*")
    assert answer.get_json()["photo"]["name"] == "me.jpg"
