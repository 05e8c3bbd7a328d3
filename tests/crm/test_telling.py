"""People hear of work that others hand them, and of tasks that are about to be due."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gigacore import Actor, Crm, notices, records
from gigacore.access import users
from gigacore.clock import FixedClock

MakeUser = Callable[..., Actor]


def bell(crm: Crm, actor: Actor) -> list[str]:
    with crm.read(actor) as ctx:
        return [str(one.message) for one in notices.listing(ctx)]


def test_who_is_handed_a_record_is_told_unless_the_task_says_not_to(
    crm: Crm, admin: Actor, make_user: MakeUser
) -> None:
    sam = make_user("user", name="Sam")
    with crm.unit_of_work(admin) as ctx:
        records.create(ctx, "crm.lead", {"last_name": "Martin", "owner_id": sam.user_id})
        records.create(ctx, "crm.task", {"title": "Call", "owner_id": sam.user_id})
        records.create(ctx, "crm.task", {"title": "Quiet", "owner_id": sam.user_id, "inform": False})
        records.create(ctx, "crm.lead", {"last_name": "Mine"})
    assert bell(crm, sam) == ["Ada Admin handed you: Task “Call”", "Ada Admin handed you: Lead “Martin”"]
    assert bell(crm, admin) == []


def test_a_reminder_comes_on_time_and_once_for_a_due_date(crm: Crm, admin: Actor) -> None:
    clock = FixedClock(datetime(2026, 3, 2, 8, tzinfo=UTC))
    crm.database.clock = crm.clock = clock
    with crm.unit_of_work(admin) as ctx:
        values = {"title": "Call", "due_at": "2026-03-02T12:00:00Z"}
        soon = records.create(ctx, "crm.task", values | {"remind": "30_minutes"}).id
        records.create(ctx, "crm.task", values | {"title": "Never", "remind": "never"})
        records.create(ctx, "crm.task", values | {"title": "Done", "remind": "2_hours", "status": "done"})

    def tick(hours: float) -> list[str]:
        clock.advance(timedelta(hours=hours))
        with crm.system("tick") as ctx:
            crm.jobs.enqueue(ctx, "crm.remind")
        crm.jobs.run_pending()
        return bell(crm, admin)

    assert tick(3) == []
    assert tick(0.6) == ["Task “Call” is due"]
    assert tick(0.1) == ["Task “Call” is due"]
    with crm.unit_of_work(admin) as ctx:
        records.update(ctx, "crm.task", soon, {"due_at": "2026-03-03T12:00:00Z"})
    assert tick(1) == ["Task “Call” is due"]
    assert len(tick(23)) == 2


def test_a_day_before_is_the_same_time_of_day_even_when_the_clocks_change(
    crm: Crm, admin: Actor, make_user: MakeUser
) -> None:
    clock = FixedClock(datetime(2026, 10, 24, 6, 59, tzinfo=UTC))
    crm.database.clock = crm.clock = clock
    paris, utc = make_user(), make_user()
    with crm.system("zones") as ctx:
        users.change(ctx, paris.user_id or 0, {"timezone": "Europe/Paris"})
        users.change(ctx, utc.user_id or 0, {"timezone": "UTC"})
    for person in (paris, utc):
        with crm.unit_of_work(person) as ctx:
            records.create(ctx, "crm.task", {"title": "Call", "due_at": "2026-10-25T08:00:00Z"})
    told = []
    for minutes in (0, 1, 59, 1):
        clock.advance(timedelta(minutes=minutes))
        with crm.system("tick") as ctx:
            crm.jobs.enqueue(ctx, "crm.remind")
        crm.jobs.run_pending()
        told.append((len(bell(crm, paris)), len(bell(crm, utc))))
    assert told == [(0, 0), (1, 0), (1, 0), (1, 1)]  # in Paris, 9 in the morning was two hours before UTC, then one
