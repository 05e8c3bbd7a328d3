"""A CRM with a browser and a caller of the API in front of it, and everything that calls a hook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gigacore import Crm, records
from gigacore.access import tokens, users
from gigacore.data import activities
from gigacore.errors import GigaError
from host_app import create_app
from tests.pages.conftest import PASSWORD, Visitor

LEADS = "/api/v1/crm/leads"
PAGES = ("/", "/crm/leads", "/crm/leads/new", "/settings/plugins")


@dataclass
class House:
    """The application in the hands of an administrator; `acknowledged` are the leads that were answered 201."""

    crm: Crm
    root: Visitor
    token: str
    acknowledged: list[int] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "If-Match": "*"}
        answer = self.root.client.open(path, method=method, json=body, headers=headers)
        self.answers[f"{method} {path.removeprefix(LEADS)}"] = answer.status_code
        return answer

    def use_everything(self) -> None:
        """One of each thing that calls hooks; whatever is refused, the rest goes on."""
        self.answers.clear()
        self.make()
        kept, leaving = self.acknowledged[0], self.acknowledged[-1]
        self.call("PATCH", f"{LEADS}/{kept}", {"city": f"Lyon {len(self.answers)} {len(self.acknowledged)}"})
        self.log_activity(kept)
        for path in (*PAGES, f"/crm/leads/{kept}"):
            self.answers[path] = self.root.get(path).status_code
        if self.call("DELETE", f"{LEADS}/{leaving}").status_code == 204:
            self.acknowledged.remove(leaving)
        self.call("GET", LEADS)

    def make(self) -> int:
        """A new lead; gives the status of the answer."""
        made = self.call("POST", LEADS, {"last_name": "Durand"})
        if made.status_code == 201:
            self.acknowledged.append(made.get_json()["id"])
        return int(made.status_code)

    def log_activity(self, lead: int) -> None:
        """As a module for telephony does it."""
        try:
            with self.crm.unit_of_work(self.crm.actor(self.root.user_id)) as ctx:
                activities.log(ctx, "crm.call", "Called", [("crm.lead", lead)])
            self.answers["log"] = 200
        except GigaError as error:
            self.answers["log"] = error.status

    def lost(self) -> set[int]:
        """Acknowledged leads that are not there, seen without any plugin's say."""
        with self.crm.database.system_connection("count leads") as connection:
            rows = connection.exec_driver_sql("SELECT id FROM crm_lead")
            return set(self.acknowledged) - {row[0] for row in rows}


def visited(crm: Crm) -> House:
    """The web application around `crm`, with an administrator signed in."""
    with crm.system("test") as ctx:
        known = {user.email: user.id for user in users.all_users(ctx)}
        number = known.get("root@example.test") or users.create(
            ctx, "root@example.test", "Root", PASSWORD, "super_admin"
        )
        token = tokens.create(ctx, number, "test")
    app = create_app(crm, crm.settings)
    root = Visitor(app.test_client(), number)
    root.sign_in("root@example.test")
    with crm.system("test") as ctx:
        leads = [records.create(ctx, "crm.lead", {"last_name": f"Kept {n}"}).id for n in range(2)]
    return House(crm, root, token, leads)
