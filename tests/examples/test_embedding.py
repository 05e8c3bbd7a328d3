"""The library inside other applications: each example runs as its folder stands."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sa

EXAMPLES = Path(__file__).parents[2] / "examples"
DJANGO = """
import json
import django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
from django.contrib.auth.models import User
from django.test import Client
ada = User.objects.create_user("ada", "ada@example.test", "a long password", first_name="Ada", last_name="Martin")
ben = User.objects.create_user("ben", "ben@example.test")
of_ada, of_ben = Client(), Client()
said = [of_ada.get("/leads").status_code]
said.append(of_ada.post("/sign-in", {"name": "ada", "password": "wrong"}).status_code)
said.append(of_ada.post("/sign-in", {"name": "ada", "password": "a long password"}).status_code)
of_ben.force_login(ben)
said.append(of_ada.post("/leads", {"last_name": "Durand"}, content_type="application/json").status_code)
said.append(of_ada.post("/leads", {"status": "no such status"}, content_type="application/json").status_code)
said += [[lead["name"] for lead in client.get("/leads").json()["items"]] for client in (of_ada, of_ben)]
print(json.dumps(said))
"""


def run(*arguments: str, folder: Path, **variables: str) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("GIGA_")} | variables
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{path.parent.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_plain_script_acts_as_its_own_people(tmp_path: Path) -> None:
    script = str(EXAMPLES / "plain_script/script.py")
    said = run(script, "crm.sqlite3", folder=tmp_path)
    assert said.splitlines() == ["Ada Martin: Durand", "Ben Leroy: nothing"]
    assert "Ada Martin: Durand, Durand" in run(script, "crm.sqlite3", folder=tmp_path), "people are found again"


def test_a_plain_script_says_how_it_is_called() -> None:
    script = str(EXAMPLES / "plain_script/script.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (1, "Name the database file: python script.py crm.sqlite3")


@pytest.fixture
def fastapi_example() -> Iterator[ModuleType]:
    yield load(EXAMPLES / "fastapi_app/main.py")
    del sys.modules["example_fastapi_app"]


def test_fastapi_shares_its_engine_and_maps_its_accounts(
    fastapi_example: ModuleType, empty_database_url: str, tmp_path: Path
) -> None:
    from fastapi.testclient import TestClient

    engine = sa.create_engine(empty_database_url)
    app = fastapi_example.create_app(engine, folder=tmp_path)
    with TestClient(app) as client:
        ada, ben = {"Api-Key": "key-ada"}, {"Api-Key": "key-ben"}
        assert client.get("/leads").status_code == 401
        assert client.post("/leads", json={"last_name": "Durand"}, headers=ada).status_code == 201
        refused = client.post("/leads", json={"last_name": "Durand", "amount": "much"}, headers=ada)
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "amount")
        assert [lead["name"] for lead in client.get("/leads", headers=ada).json()] == ["Durand"]
        assert client.get("/leads", headers=ben).json() == []


def test_django_s_users_act_in_the_same_database(tmp_path: Path) -> None:
    folder = EXAMPLES / "django_app"
    said = run("-c", DJANGO, folder=folder, DJANGO_SETTINGS_MODULE="site_settings", SITE_FOLDER=str(tmp_path))
    assert json.loads(said) == [401, 401, 204, 201, 422, ["Durand"], []]
