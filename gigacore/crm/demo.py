"""Fills an installation with a believable past: everything is written by the people it belongs to, at its own time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from gigacore import records
from gigacore.access import teams, users
from gigacore.crm.demo_people import Cast, Person, slug
from gigacore.crm.pipelines import DEFAULT_STAGES, add_pipeline
from gigacore.data import currency, organisation
from gigacore.filter import parse
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.application import Crm
    from gigacore.context import Actor, Context

DAYS: Final = 200
COMPANIES: Final = 60
CONTACTS: Final = 200
OPPORTUNITIES: Final = 80
TASKS: Final = 60
NOTES: Final = 60
HANDED_OVER: Final = 5
STEP_DAYS: Final = (1, 11)
RATES: Final = (("USD", "1.08"), ("GBP", "0.86"), ("CHF", "0.95"))
STAFF: Final = (("manager", 0), ("user", 0), ("user", 0), ("manager", 1), ("user", 1), ("user", 1))
LEADS: Final = (
    ("new", 30), ("to_contact", 20), ("contacted", 22), ("follow_up", 20), ("qualified", 15), ("won", 18),
    ("lost", 15), ("to_fix", 10),
)  # fmt: skip
VISIBILITIES: Final = ("read", "read", "read", "write", "private")
WON_REASONS: Final = ("price", "product", "product", "trust", "trust", "deadline")
REASONS: Final = ("price", "price", "competitor", "no_need", "no_budget", "no_answer")
SOURCES: Final = ("website", "website", "referral", "search", "social", "event", "partner", "email", "call")


@dataclass(slots=True)
class Made:
    """A record that `who` creates so many days ago; `id` is there once that step has run."""

    who: int
    age: float
    id: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What one person does at one moment."""

    at: datetime
    who: int
    run: Callable[[Context], object]

    @property
    def chapter(self) -> tuple[int, int]:
        """Steps of one person within two weeks share a transaction; nobody waits for another's records."""
        return self.at.toordinal() // 14, self.who


@dataclass(slots=True)
class Story:
    """What happened until now, told step by step and then played in the order of time."""

    crm: Crm
    cast: Cast
    people: list[Actor]
    now: datetime
    steps: list[Step] = field(default_factory=list)

    def moment(self, days_ago: float) -> datetime:
        """A moment within working hours so many days ago, never in the future."""
        day = (self.now - timedelta(days=days_ago)).date()
        at = datetime.combine(day, time(self.cast.random.randint(8, 17), self.cast.random.randint(0, 59)), UTC)
        return min(at, self.now - timedelta(minutes=5))

    def add(self, at: datetime, who: int, run: Callable[[Context], object]) -> None:
        """One more step."""
        self.steps.append(Step(at, who, run))

    def create(self, age: float, who: int, entity: str, values: Callable[[], dict[str, Any]]) -> Made:
        """A step that creates a record; `values` is asked when what it refers to is there."""
        made = Made(who, age)

        def run(ctx: Context) -> None:
            made.id = records.create(ctx, entity, values()).id

        self.add(self.moment(age), who, run)
        return made

    def play(self) -> None:
        """Let everything happen."""
        self.steps.sort(key=lambda step: (step.chapter, step.at))
        for (_, who), steps in groupby(self.steps, key=lambda step: step.chapter):
            with self.crm.unit_of_work(self.people[who], rules_enabled=False) as ctx:
                for step in steps:
                    ctx.now = step.at  # the one place where time passes within a transaction
                    step.run(ctx)
                    ctx.session.flush()


def fill(crm: Crm, lang: str = "en", *, password: str | None = None, presenter: int | None = None) -> None:
    """Fill an installation without records: people, companies, contacts, leads, opportunities, tasks and notes.

    `password` lets the invented colleagues sign in; `presenter` is the user who gets some of their open
    work. The same language gives the same data, reckoned back from now.
    """
    cast, now = Cast(lang), crm.clock.now()
    with crm.system("demo data") as ctx:
        ctx.now = now - timedelta(days=DAYS)
        people = _staff(ctx, cast, lang, password)
        for code, rate in RATES:
            currency.set_rate(ctx, "EUR", code, ctx.now.date(), Decimal(rate))
        organisation.change(ctx, cast.words.company)
        _pipelines(ctx, cast)
        stages = _stages(ctx)
    story = Story(crm, cast, [crm.actor(user_id) for user_id in people], now)
    companies = [_company(story, number) for number in range(COMPANIES)]
    contacts = [_contact(story, companies[number % COMPANIES]) for number in range(CONTACTS)]
    leads = [_lead(story, status) for status, count in LEADS for _ in range(count)]
    for number in range(OPPORTUNITIES):
        _opportunity(story, cast.choose(companies), stages[number % 4 == 0], renewal=number % 4 == 0)
    for number in range(TASKS):
        _task(story, number, cast.choose(contacts), cast.choose(leads))
    for _ in range(NOTES):
        _note(story, cast.choose(contacts))
    story.play()
    if presenter is not None:
        _hand_over(crm, presenter)


def _hand_over(crm: Crm, presenter: int) -> None:
    """Open work for whoever shows the installation, so that the own start page has something on it."""
    with crm.system("demo data") as ctx:
        for entity, kind, sort in (
            ("crm.task", "status.kind", "due_at"), ("crm.opportunity", "stage_id.kind", "-expected_close"),
        ):  # fmt: skip
            where = {"field": kind, "op": "eq", "value": "open"}
            wanted = records.ListRequest(where, sort=(sort,), fields=("id",), limit=HANDED_OVER, count=False)
            for item in records.page(ctx, entity, wanted).items:
                records.update(ctx, entity, item["id"], {"owner_id": presenter})


def _staff(ctx: Context, cast: Cast, lang: str, password: str | None) -> list[int]:
    zone = "Europe/Paris" if lang == "fr" else "Europe/London"
    names = [(cast.choose(cast.words.women if n % 2 else cast.words.men), cast.words.families[n]) for n in range(6)]
    found: list[int] = []
    for (first, last), (role, _) in zip(names, STAFF, strict=True):
        email = f"{role}{len(found) + 1}@example.test"
        found.append(users.create(ctx, email, f"{first} {last}", password, role, locale=lang, timezone=zone))
    for team, name in enumerate(cast.words.teams):
        members = [user for user, (_, of) in zip(found, STAFF, strict=True) if of == team]
        team_id = teams.create(ctx, name, manager_id=members[0])
        teams.set_members(ctx, team_id, members, main=members)
    return found


def _pipelines(ctx: Context, cast: Cast) -> None:
    """Let opportunities rot in the pipeline that every installation has, and add a second one."""
    first = records.page(ctx, "crm.pipeline", records.ListRequest(sort=("position",), count=False)).items[0]
    for stage in _of(ctx, first["id"]):
        records.update(ctx, "crm.stage", stage, {"rotting_days": 30})
    add_pipeline(ctx, "Renewals", DEFAULT_STAGES, position=1, french="Renouvellements")


def _of(ctx: Context, pipeline: int) -> list[int]:
    spec = ctx.session.registry.entity("crm.stage")
    mine = parse({"field": "pipeline_id", "op": "eq", "value": pipeline}, spec, ctx.session.registry)
    request = records.ListRequest(mine, ("position",), ("id",), count=False)
    return [item["id"] for item in records.page(ctx, "crm.stage", request).items]


def _stages(ctx: Context) -> list[list[int]]:
    found = records.page(ctx, "crm.pipeline", records.ListRequest(sort=("position",), count=False)).items
    return [_of(ctx, pipeline["id"]) for pipeline in found]


@dataclass(slots=True)
class Firm:
    """A company of the demo with its people."""

    made: Made
    name: str
    contacts: list[Made] = field(default_factory=list)


def _company(story: Story, number: int) -> Firm:
    cast = story.cast
    name, industry, (city, code, country), street = cast.company()
    who, age = cast.random.randrange(len(STAFF)), DAYS - 5 - number * 2.5
    values = {
        "name": name, "industry": industry, "city": city, "postal_code": code, "country": country, "street": street,
        "phone": cast.phone(), "employees": cast.random.randint(2, 400), "visibility": cast.choose(VISIBILITIES),
        "website": f"https://{slug(name)}.example", "description": cast.choose(cast.words.needs),
        "notes": cast.choose(cast.words.remarks) if number % 2 else None,
        "founded": cast.random.randint(1950, 2024), "tags": [cast.choose(cast.words.tags)] if number % 3 == 0 else [],
    }  # fmt: skip
    return Firm(story.create(age, who, "crm.company", lambda: values), name)


def _contact(story: Story, firm: Firm) -> Made:
    cast = story.cast
    person = cast.person(firm.name)
    values = {
        "first_name": person.first, "last_name": person.last, "job_title": person.job, "city": person.place[0],
        "country": person.place[2], "emails": [{"email": person.email}],
        "phones": [{"phone": person.phone, "kind": cast.choose(("work", "mobile"))}],
        "addresses": [_address(person)], "contact_type": cast.choose(("customer", "prospect", "prospect", "partner")),
        "temperature": cast.choose(("cold", "warm", "hot")), "source": cast.choose(SOURCES),
        "visibility": cast.choose(VISIBILITIES),
    }  # fmt: skip
    age, who = firm.made.age - cast.random.uniform(1.0, 20.0), firm.made.who
    made = story.create(age, who, "crm.contact", lambda: {**values, "company_id": firm.made.id})
    firm.contacts.append(made)
    return made


def _address(person: Person) -> dict[str, str]:
    city, code, country = person.place
    return {"street": person.street, "postal_code": code, "city": city, "country": country}


def _lead(story: Story, status: str) -> Made:
    cast = story.cast
    values = _lead_values(cast, status)
    who = cast.random.randrange(len(STAFF))
    age = cast.random.uniform(2, 15) if status == "new" else cast.random.uniform(10, DAYS - 20)
    made = story.create(age, who, "crm.lead", lambda: values)
    if status in ("new", "to_fix"):
        return made
    for _ in range(cast.random.randint(1, 3) if status != "to_contact" else 0):
        age *= cast.random.uniform(0.55, 0.85)
        _exchange(story, age, made)
    change = _next(story, status)
    convert = status == "won" and cast.random.random() < 0.5
    story.add(story.moment(age * 0.5), who, lambda ctx: _move(ctx, made, change, convert=convert))
    return made


def _lead_values(cast: Cast, status: str) -> dict[str, Any]:
    """A lead; amounts stand on companies only, as many a house (and the example plugin `hello`) requires."""
    company = cast.company()[0] if cast.random.random() < 0.8 else ""
    person, amount = cast.person(company), cast.money(500, 40_000)
    values: dict[str, Any] = {
        "first_name": person.first, "last_name": person.last, "company_name": company or None, "email": person.email,
        "phone": person.phone, "city": person.place[0], "country": person.place[2], "job_title": person.job,
        "source": cast.choose(SOURCES), "amount": amount if company else None, "visibility": cast.choose(VISIBILITIES),
        "priority": cast.choose(("low", "normal", "normal", "normal", "high")),
        "description": cast.choose(cast.words.needs),
    }  # fmt: skip
    if status == "to_fix":
        values |= {"status": status, "email": cast.choose((None, "info@duplicate.example"))}
    return values


def _next(story: Story, status: str) -> dict[str, Any]:
    """The lead's new status, with the reason of a lost one and a plan for one that is alive."""
    cast = story.cast
    if status == "lost":
        return {"status": status, "lost_reason": cast.choose(REASONS)}
    if status not in ("contacted", "follow_up", "qualified"):
        return {"status": status}
    due = datetime.combine(story.now.date() + timedelta(days=cast.random.randint(-4, 10)), time(10), UTC)
    action = cast.choose(("call", "follow_up", "send_email", "meet", "quote"))
    return {"status": status, "next_action": action, "next_action_at": due.isoformat()}


def _move(ctx: Context, lead: Made, change: dict[str, Any], *, convert: bool) -> None:
    if convert:
        records.run_action(ctx, "crm.lead", lead.id, "convert", {})
    else:
        records.update(ctx, "crm.lead", lead.id, change)


def _exchange(story: Story, age: float, lead: Made) -> None:
    cast = story.cast
    kinds = (("call_out", cast.words.calls), ("email_out", cast.words.mails), ("meeting", cast.words.meetings))
    category, titles = cast.choose((kinds[0], *kinds))
    values = {"title": cast.choose(titles), "category": category}
    story.create(age, lead.who, "crm.note", lambda: {**values, "lead_id": lead.id})


def _opportunity(story: Story, firm: Firm, stages: list[int], *, renewal: bool) -> None:
    cast = story.cast
    values = {
        "title": f"{cast.choose(cast.words.deals)}, {firm.name}", "amount": cast.money(2_000, 120_000),
        "stage_id": stages[0], "source": cast.choose(SOURCES),
    }  # fmt: skip
    age, who = cast.random.uniform(3, firm.made.age - 22), firm.made.who
    if renewal:
        values["recurring"] = cast.money(50, 900)
    contact, other = cast.choose(firm.contacts), cast.choose(firm.contacts)
    closing = (story.now - timedelta(days=age) + timedelta(days=cast.random.randint(60, 200))).date().isoformat()
    made = story.create(
        age, who, "crm.opportunity",
        lambda: {
            **values, "company_id": firm.made.id, "contact_id": contact.id, "expected_close": closing,
            "participants": [{"contact_id": other.id}] if other is not contact else [],
        },
    )  # fmt: skip
    for stage in _way(cast, stages):
        age -= cast.random.uniform(*STEP_DAYS)
        if age < 0:
            break
        story.add(story.moment(age), who, _step(cast, made, stage, stages[4:]))


def _way(cast: Cast, stages: list[int]) -> list[int]:
    """The stages that an opportunity passes: some are won, some lost on the way, most are still open."""
    passed = stages[1 : 1 + cast.random.randint(0, 3)]
    end = cast.random.random()
    if end < 0.25:
        return [*stages[1:4], stages[4]]
    return [*passed, stages[5]] if end < 0.4 else passed


def _step(cast: Cast, opportunity: Made, stage: int, closed: list[int]) -> Callable[[Context], object]:
    change: dict[str, Any] = {"stage_id": stage}
    if stage == closed[0]:
        change["won_reason"] = cast.choose(WON_REASONS)
    if stage == closed[1]:
        change["lost_reason"] = cast.choose(REASONS)
    return lambda ctx: records.update(ctx, "crm.opportunity", opportunity.id, change)


def _task(story: Story, number: int, contact: Made, lead: Made) -> None:
    """A third overdue, some due today, most later; each tenth done."""
    cast = story.cast
    title, category = cast.choose(cast.words.tasks)
    days = (-cast.random.randint(1, 9), 0, cast.random.randint(1, 20))[number % 3 if number < 45 else 2]
    due = datetime.combine(story.now.date() + timedelta(days=days), time(17), UTC)
    name, about = ("contact_id", contact) if number % 2 else ("lead_id", lead)
    age = min(cast.random.uniform(1.2, 4.0) - min(days, 0), about.age - 1)
    values = {"title": title, "category": category, "due_at": due.isoformat(), "visibility": cast.choose(VISIBILITIES)}
    made = story.create(age, about.who, "crm.task", lambda: {**values, name: about.id})
    if number % 10 == 9:
        story.add(story.now, about.who, lambda ctx: records.run_action(ctx, "crm.task", made.id, "close", {}))


def _note(story: Story, contact: Made) -> None:
    cast = story.cast
    text, kind = cast.choose(cast.words.remarks), cast.choose(("note", "note", "call_in", "email_in"))
    values = {"text": text, "category": kind}
    age = cast.random.uniform(0.5, min(25.0, contact.age - 1))
    story.create(age, contact.who, "crm.note", lambda: {**values, "contact_id": contact.id})
