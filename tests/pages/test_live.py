"""The bell, and pages that hear that something changed; what changed they ask for themselves."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from gigacore import Crm, Invalid, Misuse, notices, records
from gigacore.live import Live, LiveEvent
from host_app.context import host
from tests.pages.conftest import Visitor


def make(crm: Crm, **values: Any) -> int:
    with crm.system("test record") as ctx:
        return records.create(ctx, "crm.lead", {"last_name": "Martin", "visibility": "read", **values}).id


def heard(visitor: Visitor, path: str, happen: Any, events: int = 1) -> list[str]:
    """What the stream says after something happened."""
    answer = visitor.client.get(path, buffered=False)
    stream, found = answer.iter_encoded(), []
    assert next(stream) == b"retry: 3000\n\n"
    threading.Timer(0.2, happen).start()
    for piece in stream:
        if piece.startswith(b"event: "):
            found.append(piece.split(b"\n")[0].decode().removeprefix("event: "))
        if len(found) == events or piece.startswith(b": still"):
            break
    answer.close()
    return found


def test_a_page_hears_of_its_record_and_its_reader_of_the_bell(crm: Crm, visit: Any) -> None:
    reader = visit("user")
    lead, other = make(crm), make(crm)

    def happen(city: str = "Lyon") -> None:
        with crm.system("elsewhere") as ctx:
            records.update(ctx, "crm.lead", other, {"city": city})
        with crm.system("here") as ctx:
            records.update(ctx, "crm.lead", lead, {"city": city})
            notices.notify(ctx, "core.rule", [reader.user_id], "Look")

    assert heard(reader, f"/live?topic=record:crm.lead:{lead}", happen, 2) == ["record", "notice"]
    assert heard(reader, "/live?topic=list:crm.lead", lambda: happen("Nice"), 3) == ["list", "list", "notice"]


def test_nobody_listens_to_what_is_out_of_sight(crm: Crm, visit: Any) -> None:
    reader, secret = visit("user"), make(crm, visibility="private")
    for topic in (
        f"record:crm.lead:{secret}",
        "record:crm.lead:999",
        "list:crm.nothing",
        "file:///x",
        "record:crm.lead:x",
    ):
        assert reader.client.get(f"/live?topic={topic}").status_code == 422
    assert visit(None).client.get("/live").status_code in (302, 303, 401)


def test_streams_are_capped_and_the_rest_asks_by_itself(crm: Crm, app: Any, visit: Any) -> None:
    reader = visit("user")
    host(app).live.most = 1
    first = reader.client.get("/live", buffered=False)
    assert next(first.iter_encoded())
    assert reader.client.get("/live").status_code == 204
    first.close()
    second = reader.client.get("/live", buffered=False)
    assert second.status_code == 200
    second.close()
    host(app).live.stop()
    assert reader.client.get("/live").status_code == 204


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_the_bell_counts_lists_and_is_read(crm: Crm, visit: Any, locale: str) -> None:
    reader = visit("user")
    lead = make(crm)
    assert "Nothing new" in reader.get("/notifications").get_data(as_text=True)
    with crm.system("tell") as ctx:
        notices.notify(ctx, "core.rule", [reader.user_id], "Look <b>", record=("crm.lead", lead))
    assert ">1<" in reader.get("/notifications/count").get_data(as_text=True)
    page = reader.get("/notifications").get_data(as_text=True)
    assert f'<a href="/crm/leads/{lead}">Look &lt;b&gt;</a>' in page
    assert reader.post("/notifications/read", {}).status_code == 303
    assert ">1<" not in reader.get("/notifications/count").get_data(as_text=True)
    form = {"bell.core.rule": "1", "mail.core.rule": "digest"}
    assert reader.post("/notifications/choices", form).status_code == 303
    with crm.read(crm.actor(reader.user_id)) as ctx:
        chosen = {one.kind.name: (one.bell, one.mail) for one in notices.choices(ctx, crm.notification_kinds)}
    assert (chosen["core.rule"], chosen["crm.assigned"]) == ((True, "digest"), (False, "never"))


def test_a_plugin_tells_a_person_what_is_gone_a_moment_later(crm: Crm, visit: Any) -> None:
    reader = visit("user")
    crm.live = Live(lambda: [LiveEvent(name="voip.ringing", label="A phone rings")], crm.live.carriers)
    assert heard(reader, "/live", lambda: crm.live.send(reader.user_id, "voip.ringing", {"from": "Ann"})) == ["live"]
    with pytest.raises(Misuse, match=r"voip\.ended"):
        crm.live.send(reader.user_id, "voip.ended", {})
    for data in ({"from": "x" * 5000}, {"from": object()}):
        with pytest.raises(Invalid):
            crm.live.send(reader.user_id, "voip.ringing", data)
