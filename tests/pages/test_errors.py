"""Error pages: each says what happened and what to do, in the reader's language, and leads on."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from gigacore.errors import Forbidden, GigaError, NotFound, RateLimited, Unavailable
from host_app.admission import Admission
from host_app.problems import Problem
from host_app.routing import route, signed_in
from host_app.server import voice_of

ERRORS: dict[int, GigaError | Exception] = {
    403: Forbidden("Not yours."), 404: NotFound(), 410: Problem(410), 413: Problem(413),
    429: RateLimited("Too many tries.", retry_after=9),
    500: ZeroDivisionError(), 503: Unavailable("The database rests.", retry_after=7),
}  # fmt: skip
WAY_ON = {
    "en": {
        403: "Ask an administrator", 404: "Search for it", 410: "Ask whoever sent it", 413: "Choose a smaller file",
        429: "Wait a minute", 500: "kept in your browser", 503: "kept in your browser",
    },
    "fr": {
        403: "administrateur", 404: "peut-être été supprimé", 410: "Demandez-en un nouveau", 413: "fichier plus petit",
        429: "Attendez une minute", 500: "dans votre navigateur", 503: "dans votre navigateur",
    },
}  # fmt: skip


@pytest.fixture
def failing(app: Flask) -> None:
    def fail(status: int) -> Any:
        raise ERRORS[status]

    route(app, "/fails/<int:status>", policy=signed_in)(fail)


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_every_error_page_helps_in_both_languages(failing: None, visit: Any, locale: str) -> None:
    visitor = visit("user", locale)
    for status, words in WAY_ON[locale].items():
        answer = visitor.get(f"/fails/{status}")
        text = answer.get_data(as_text=True)
        assert answer.status_code == status
        assert words in text, (status, text[-1500:])
        assert f'<html lang="{locale}"' in text
        assert 'href="/"' in text
        assert "ZeroDivision" not in text
        # in trouble the page stands alone, for the menus may be what failed
        assert ('id="side"' in text) == (status < 500)
        assert (f'href="/fails/{status}"' in text) == (status in (429, 500, 503))
    assert visitor.get("/fails/503").headers["Retry-After"] == "7"


def test_two_slashes_are_no_address(visit: Any) -> None:
    visitor = visit("user")
    for path in ("//", "//crm/leads", "/crm//leads"):
        answer = visitor.client.get("/", environ_overrides={"PATH_INFO": path})
        assert answer.status_code == 404, path


def test_a_busy_server_answers_in_the_readers_language(app: Flask) -> None:
    gate = Admission(app.wsgi_app, most=0, patience=0.0, voice=voice_of(app))
    gate._inside[0] = 0.0
    told: list[Any] = []

    def ask(accept: str, method: str = "GET") -> str:
        environ = {
            "PATH_INFO": "/crm/leads",
            "REQUEST_METHOD": method,
            "HTTP_ACCEPT": accept,
            "HTTP_ACCEPT_LANGUAGE": "fr",
        }
        return b"".join(gate(environ, lambda status, headers: told.append((status, dict(headers))))).decode()  # type: ignore[arg-type]

    page = ask("text/html")
    assert '<html lang="fr">' in page
    assert '<a href="">Réessayer</a>' in page
    assert '<a href="/">' in ask("text/html", "POST")
    assert "Le serveur est très occupé" in ask("application/json")
    assert {status for status, _ in told} == {"503 Service Unavailable"}
    assert told[0][1]["Retry-After"] == "5"
