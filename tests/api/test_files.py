"""Files over HTTP: attached to records, downloaded by whoever sees them, inert in a browser."""

from __future__ import annotations

import io
from typing import Any

import pytest

from gigacore import Crm
from gigacore.ids import uuid7
from tests.api.conftest import Api, New, People

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def lead(people: People) -> str:
    return f"/crm/leads/{people.ann.make('/crm/leads', {'last_name': 'Lee'})['id']}"


def send(caller: Api, path: str, content: bytes, name: str, field: str = "file") -> Any:
    data = {field: (io.BytesIO(content), name)}
    headers = {"Authorization": f"Bearer {caller.token}"}
    return caller.client.post(f"/api/v1{path}/files", data=data, headers=headers)


def fetch(caller: Api, url: str, **headers: str) -> Any:
    return caller.client.get(url, headers={"Authorization": f"Bearer {caller.token}", **headers})


def test_an_uploaded_file_comes_back_whole_and_in_ranges(people: People, lead: str) -> None:
    sent = send(people.ann, lead, CONTENT, "raw.bin")
    assert sent.status_code == 201, sent.text
    url = sent.headers["Location"]
    assert fetch(people.ann, url).data == CONTENT
    part = fetch(people.ann, url, Range="bytes=70000-70009")
    assert (part.status_code, part.data) == (206, CONTENT[70000:70010])
    assert part.headers["Content-Range"] == f"bytes 70000-70009/{len(CONTENT)}"
    assert fetch(people.ann, url, Range="bytes=-5").data == CONTENT[-5:]
    assert fetch(people.ann, url, Range="bytes=9999999-").status_code == 416
    assert people.ann("GET", f"{lead}/files").get_json()["items"][0]["sha256"] == sent.get_json()["sha256"]


@pytest.mark.parametrize(
    ("name", "listed"),
    [(".htaccess", "htaccess"), ("../../x.php", "x.php"), ("CON", "_CON"), ("a\u202egnp.exe", "agnp.exe")],
)
def test_names_are_cleaned(people: People, lead: str, name: str, listed: str) -> None:
    assert send(people.ann, lead, b"x", name).get_json()["name"] == listed


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<html><script>alert(1)</script>", "x.html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "x.svg"),
        (b"<?xml version='1.0'?><?xml-stylesheet href='x'?>", "x.xml"),
        (b"GIF89a/*", "x.js"),
    ],
)
def test_nothing_runs_in_a_browser(people: People, lead: str, content: bytes, name: str) -> None:
    url = send(people.ann, lead, content, name).headers["Location"]
    answer = fetch(people.ann, url)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.mimetype not in ("text/html", "image/svg+xml", "text/xml", "application/xml", "text/javascript")
    if not content.startswith(b"GIF"):
        assert fetch(people.ann, f"{url}?show=1").headers["Content-Disposition"].startswith("attachment")


def test_images_and_pdf_are_shown_when_asked(people: People, lead: str) -> None:
    url = send(people.ann, lead, b"%PDF-1.7", "été.pdf").headers["Location"]
    shown = fetch(people.ann, f"{url}?show=1")
    assert shown.headers["Content-Disposition"] == "inline; filename=\"_t_.pdf\"; filename*=UTF-8''%C3%A9t%C3%A9.pdf"


def test_a_foreign_file_answers_like_an_unknown_one(people: People, lead: str, digest: Any) -> None:
    url = send(people.ann, lead, b"secret", "x.txt").headers["Location"]
    before = digest()
    foreign, unknown = (fetch(people.ben, one) for one in (url, f"/files/{uuid7()}"))
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert send(people.ben, lead, b"x", "x.txt").status_code == 404
    assert people.ben("DELETE", f"{lead}/files/{url.rpartition('/')[2]}").status_code == 404
    assert people.ben("GET", f"{lead}/files").status_code == 404
    assert people.nobody.client.get(url).status_code in (303, 401)
    assert digest() == before


def test_a_refused_upload_leaves_nothing(crm: Crm, people: People, lead: str) -> None:
    assert send(people.ben, lead, b"x" * 1000, "x.txt").status_code == 404
    assert send(people.ann, lead, b"x", "x.txt", field="other").status_code == 422
    assert people.ann("POST", f"{lead}/files", {"file": "x"}).status_code == 415
    assert list(crm.storage.objects()) == []


def test_a_file_taken_off_is_gone(people: People, lead: str, new: New) -> None:
    url = send(people.ann, lead, b"x", "x.txt").headers["Location"]
    assert people.ann("DELETE", f"{lead}/files/{url.rpartition('/')[2]}").status_code == 204
    assert fetch(people.ann, url).status_code == 404
