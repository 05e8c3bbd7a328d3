"""The runner tells what it needs, and passes pip's configuration on to uv, which does not read it."""

import runpy
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def uv_environment(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Mapping[str, str]]:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "UV_INDEX_STRATEGY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    function: Callable[[], Mapping[str, str]] = runpy.run_path(str(ROOT / "dev.py"))["uv_environment"]
    return function


def test_a_mirror_configured_for_pip_is_asked_by_uv(
    uv_environment: Callable[[], Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "https://one.example https://two.example")
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels /more")
    found = uv_environment()
    assert found["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert found["UV_INDEX"] == "https://one.example https://two.example"
    assert found["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert found["UV_FIND_LINKS"] == "/wheels,/more"


def test_what_is_set_for_uv_itself_wins(
    uv_environment: Callable[[], Mapping[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://chosen.example/simple")
    assert uv_environment()["UV_DEFAULT_INDEX"] == "https://chosen.example/simple"


def test_the_pins_name_no_address_and_fix_every_version() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [line for line in lines if "==" not in line.split(";")[0] or "://" in line] == []


def test_a_checkout_of_somebody_else_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "/somebody/.venv")

    names = runpy.run_path(str(ROOT / "dev.py"))
    monkeypatch.setitem(names["COMMANDS"], "setup", refuse)
    with pytest.raises(SystemExit, match=r"/somebody/\.venv cannot be written.*\n.*checkout of your own"):
        names["main"](["setup"])


def test_an_older_python_is_told_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 2, "final", 0))
    with pytest.raises(SystemExit, match=r"Python 3\.11 or later is needed"):
        runpy.run_path(str(ROOT / "dev.py"))
