"""`crm.webhooks`: subscriptions, sources and their messages of one application."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from gigacore.jobs import Consumer, Event, Job, JobRun, Schedule
from gigacore.values import dataclass
from gigacore.webhooks import incoming, outgoing, subscriptions
from gigacore.webhooks.incoming import Arrival, InboundSource, Source
from gigacore.webhooks.outgoing import Delivery
from gigacore.webhooks.rules import RECEIVED, Calls
from gigacore.webhooks.subscriptions import Hook

if TYPE_CHECKING:
    from gigacore.access.vault import Vault
    from gigacore.automation import Action, Trigger
    from gigacore.context import Context
    from gigacore.outbound import OutboundRule

CONSUMER: Final = "core.hooks"


@dataclass(slots=True, eq=False)
class Webhooks:
    """Web hooks out and in."""

    rule: OutboundRule
    vault: Vault
    declared: Mapping[str, InboundSource]
    _heard: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(cls, rule: OutboundRule, vault: Vault, sources: Iterable[InboundSource]) -> Webhooks:
        """With the senders that plugins know."""
        return cls(rule, vault, {source.name: source for source in sources})

    @property
    def rule_triggers(self) -> tuple[Trigger, ...]:
        """What may start a rule."""
        return (RECEIVED,)

    @property
    def rule_actions(self) -> tuple[Action, ...]:
        """What a rule may do."""
        return (Calls(self.rule, self.vault).action(),)

    @property
    def name(self) -> str:
        """On whose behalf workers run it."""
        return "core"

    @property
    def consumers(self) -> tuple[Consumer, ...]:
        """The consumer that makes deliveries; which events it hears is asked at each write."""
        return (Consumer(CONSUMER, (), self._consume),)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs that send, and that work on what arrived."""
        return (
            Job(outgoing.JOB, self._send, label="Tell a web hook", long=True, system="web hook"),
            Job(incoming.JOB, self._work, label="Work on a web hook", long=True, system="web hook"),
        )

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """None."""
        return ()

    def hears(self, event: str) -> bool:
        """Whether somebody subscribed to events of that name."""
        return event in self._heard

    def refresh(self, connection: sa.Connection) -> None:
        """Learn which events somebody subscribed to."""
        self._heard = subscriptions.heard(connection)

    def _consume(self, ctx: Context, event: Event) -> None:
        outgoing.consume(ctx, event)

    def _send(self, run: JobRun, payload: Mapping[str, Any]) -> str:
        return outgoing.send(run, payload, self.rule, self.vault)

    def _work(self, run: JobRun, payload: Mapping[str, Any]) -> object:
        return incoming.work(run, payload, self.declared, self.vault)

    def events(self, ctx: Context) -> list[str]:
        """The events that the actor may subscribe to."""
        return subscriptions.events(ctx)

    def sample(self, ctx: Context, event: str) -> list[dict[str, Any]]:
        """Payload records for setting a receiver up, newest first. Raises Invalid."""
        return subscriptions.sample(ctx, event)

    def subscribe(self, ctx: Context, event: str, target_url: str) -> tuple[Hook, str]:
        """A new subscription and its secret. Raises Invalid, Forbidden, Conflict."""
        return subscriptions.subscribe(ctx, event, target_url, self.rule, self.vault)

    def hooks(self, ctx: Context, target_url: str = "") -> list[Hook]:
        """The subscriptions that the actor may see, newest first."""
        return subscriptions.listing(ctx, target_url)

    def hook(self, ctx: Context, hook_id: int) -> Hook:
        """One subscription. Raises NotFound."""
        return subscriptions.load(ctx, hook_id)

    def unsubscribe(self, ctx: Context, hook_id: int) -> None:
        """End a subscription. Raises NotFound."""
        subscriptions.unsubscribe(ctx, hook_id)

    def rotate(self, ctx: Context, hook_id: int) -> str:
        """A new secret; for a day messages are signed with both. Raises NotFound."""
        return subscriptions.rotate(ctx, hook_id, self.vault)

    def switch(self, ctx: Context, hook_id: int, *, active: bool) -> Hook:
        """Switch a subscription on or off. Raises NotFound."""
        return subscriptions.switch(ctx, hook_id, active=active)

    def deliveries(self, ctx: Context, hook_id: int, *, before: int | None = None, limit: int = 50) -> list[Delivery]:
        """The log of a subscription, newest first. Raises NotFound."""
        return outgoing.deliveries(ctx, hook_id, before=before, limit=limit)

    def resend(self, ctx: Context, delivery_id: int) -> None:
        """Try a delivery anew, with its id and body. Raises NotFound, Conflict."""
        outgoing.resend(ctx, delivery_id)

    def sources(self, ctx: Context) -> list[Source]:
        """The inbound sources set up here. Raises Forbidden."""
        return incoming.sources(ctx)

    def add_source(self, ctx: Context, **values: Any) -> tuple[Source, str]:
        """Set an inbound source up; values as `incoming.add_source`. Raises Invalid, Conflict, Forbidden."""
        return incoming.add_source(ctx, self.vault, **values)

    def remove_source(self, ctx: Context, source_id: int) -> None:
        """Remove an inbound source. Raises NotFound, Forbidden."""
        incoming.remove_source(ctx, source_id)

    def inbox(self, ctx: Context, *, state: str = "", before: int | None = None, limit: int = 50) -> list[Arrival]:
        """What arrived, newest first. Raises Forbidden."""
        return incoming.inbox(ctx, state=state, before=before, limit=limit)

    def try_again(self, ctx: Context, number: int) -> None:
        """Work on a message that failed once more. Raises NotFound, Conflict, Forbidden."""
        incoming.try_again(ctx, number)

    def receive(self, ctx: Context, source: str, key: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Verify and keep a message; False = it was here before. Raises NotFound, NoSecret, BadSignature, Invalid."""
        return incoming.receive(ctx, self.declared, self.vault, source, key, headers, body)
