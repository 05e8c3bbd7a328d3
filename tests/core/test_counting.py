"""Counted statements are those of the block: not what the clock, or another thread, adds to it."""

from __future__ import annotations

import threading

import sqlalchemy as sa

from gigacore import Actor, Crm
from tests.counting import statements


def test_the_look_for_changes_elsewhere_that_is_due_is_not_counted(crm: Crm, admin: Actor) -> None:
    with statements(crm) as seen:
        crm._fresh_at -= 3
        with crm.read(admin) as ctx:
            ctx.session.connection().execute(sa.text("SELECT 1"))
    assert seen == ["SELECT 1"]


def test_what_another_thread_sends_is_not_counted(crm: Crm) -> None:
    def ask() -> None:
        with crm.database.system_connection("test") as connection:
            connection.execute(sa.text("SELECT 2"))

    with statements(crm) as seen:
        other = threading.Thread(target=ask)
        other.start()
        other.join()
        ask()
    assert seen == ["SELECT 2"]
