"""A rule tried before it is switched on: on one record, and on what happened in the past month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from gigacore.automation import Hit, Past, Trial
from gigacore.entity import BadValue, FieldSpec
from gigacore.errors import GigaError
from gigacore.messages import Msg, msg
from gigacore.values import dataclass
from host_app.auth import current
from host_app.pages.addresses import record_url
from host_app.pages.answers import reason_of
from host_app.pages.automations.draft import Draft
from host_app.pages.automations.values import typed_reader
from host_app.pages.automations.words import Did, Held, Teller
from host_app.pages.columns import number_of
from host_app.pages.forms import Filling, Input, make_input
from host_app.pages.history import Words, when
from host_app.pages.raw import Raw
from host_app.pages.reader import Reader

DAYS: Final = 31
SENT: Final[Mapping[str, Msg]] = {"core.send_mail": msg("a mail"), "core.mail": msg("a mail"),
                                 "core.send_hook": msg("a web hook")}  # fmt: skip
VERBS: Final[Mapping[str, Msg]] = {
    "created": msg("would be created"), "updated": msg("would be changed"), "deleted": msg("would be deleted"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """What one record would go through."""

    text: str
    values: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a rule would do for one record."""

    holds: bool
    trace: tuple[Held, ...]
    steps: list[Did]
    changes: tuple[Change, ...]
    sent: tuple[str, ...]
    error: str


@dataclass(frozen=True, slots=True)
class Found:
    """One event of the past: what the rule would have done, and why, or why not."""

    at: str
    exact: str
    label: str
    url: str
    trace: tuple[Held, ...]
    would: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PastTried:
    """What a rule would have done."""

    told: str
    hits: tuple[Found, ...]
    more: int
    missed: str
    misses: tuple[Found, ...]
    more_missed: int
    complete: bool
    as_now: bool


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of a trial, or why there is none."""

    tried: Tried | None = None
    past: PastTried | None = None
    refused: str = ""


def picker(draft: Draft, raw: Raw, who: Reader) -> Input | None:
    """The choice of the record on which to try."""
    spec = who.registry.entities.get(draft.entity)
    if spec is None or not who.may("view", spec.name):
        return None
    return make_input(_choice(spec.name), "try", Filling(raw), who)


def _choice(entity: str) -> FieldSpec:
    return FieldSpec("try", "ref", msg("Record").text, target=entity)


def tried(command: str, draft: Draft, body: Mapping[str, Any], raw: Raw, who: Reader) -> Result:
    """Try the rule; nothing is kept and nothing is sent."""
    service, teller = who.crm.automation, Teller(who, draft.entity)
    try:
        if command == "past":
            since = who.now - timedelta(days=DAYS)
            return Result(past=_past(service.try_on_past(who.ctx, draft.name, body, since), teller))
        number = typed_reader(who).value(_choice(draft.entity), "try", raw)
        if number is None:
            return Result(refused=who.t(msg("Choose a record to try the rule on.")))
        return Result(tried=_tried(service.try_on(who.crm, current(), draft.name, body, number), teller))
    except BadValue as error:
        return Result(refused=who.t(error.message))
    except GigaError as error:
        return Result(refused=reason_of(error, who))


def _tried(trial: Trial, teller: Teller) -> Tried:
    tell = teller.who.t
    sent = [tell(SENT.get(name, name)) for name in trial.jobs]
    counted = tuple(f"{sent.count(one)} × {one}" if sent.count(one) > 1 else one for one in dict.fromkeys(sent))
    steps = teller.done(trial.steps)
    lines = tuple(teller.trace(trial.trace))
    return Tried(trial.holds, lines, steps, tuple(_changes(trial, teller)), counted,
                 tell(trial.error) if trial.error else "")  # fmt: skip


def _changes(trial: Trial, teller: Teller) -> Iterator[Change]:
    who = teller.who
    for change in trial.changes:
        spec = who.registry.entities.get(change.entity)
        if spec is None:
            continue
        pairs = {
            name: pair if isinstance(pair, list) and len(pair) == 2 else [None, pair]
            for name, pair in change.values.items()
        }
        named = number_of(spec, change.record_id) if change.record_id and change.verb != "created" else ""
        label = f"{who.t(spec.label)} {named}".strip()
        verb = who.t(VERBS[change.verb]) if change.verb in VERBS else teller.action(change.verb)
        yield Change(f"{label} {verb}", tuple(Words(spec, who, {}).changed(pairs)))


def _past(past: Past, teller: Teller) -> PastTried:
    who = teller.who
    told = msg("{matched} of {events} events would have started the rule.", matched=past.matched, events=past.events)
    if past.as_now:
        told = msg("It would have started so many times: {matched}", matched=past.matched)
    missed = who.t(msg("Left out by the conditions: {count}", count=past.missed)) if past.missed else ""
    return PastTried(
        who.t(told), tuple(_found(hit, teller) for hit in past.hits), past.matched - len(past.hits),
        missed, tuple(_found(miss, teller) for miss in past.misses), past.missed - len(past.misses), past.complete,
        past.as_now,
    )  # fmt: skip


def _found(hit: Hit, teller: Teller) -> Found:
    who = teller.who
    at, exact = when(hit.at, who)
    spec = who.registry.entities.get(hit.entity)
    label = hit.label or (number_of(spec, hit.record_id) if spec is not None else "")
    url = record_url(spec, hit.record_id) if hit.label and spec is not None else ""
    would = tuple(teller.step({"do": step.action, "with": step.params}) for step in hit.would)
    return Found(at, exact, label, url, tuple(teller.trace(hit.trace)), would)
