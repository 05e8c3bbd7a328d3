"""What web hooks add to rules: one may start when a message arrives, and call an address of another system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from gigacore import records
from gigacore.automation.declare import Action, Params, Step, Trigger
from gigacore.automation.fill import is_dynamic
from gigacore.entity import FieldSpec
from gigacore.errors import Invalid
from gigacore.messages import msg
from gigacore.values import dataclass
from gigacore.webhooks import outgoing, subscriptions

if TYPE_CHECKING:
    from gigacore.access.vault import Vault
    from gigacore.entity import EntitySpec, Registry
    from gigacore.outbound import OutboundRule


def _received(entity: str, params: Params) -> Sequence[str]:
    return (f"hooks.{params.get('source')}.received",)


RECEIVED: Final = Trigger(
    "core.hook_received",
    msg("A web hook is received").text,
    _received,
    (FieldSpec("source", "text", msg("Source").text, required=True, max_length=60),),
    needs_entity=False,
    for_entity=False,
    right=f"{subscriptions.TOOL}.edit",
    help=msg("Another system, a web form for instance, sent something.").text,
    icon="webhook",
)


@dataclass(frozen=True, slots=True)
class Calls:
    """The action that calls a web hook; its deliveries are those of a subscription that belongs to the rule's owner."""

    rule: OutboundRule
    vault: Vault

    def action(self) -> Action:
        """As rules are made of it."""
        params = (
            FieldSpec("url", "text", msg("Address").text, required=True, max_length=2000),
            FieldSpec("data", "json", msg("Data").text),
        )
        return Action(
            "core.call_hook",
            msg("Call a web hook").text,
            self.run,
            params,
            check=self.check,
            needs_record=False,
            right=f"{subscriptions.TOOL}.create",
            help=msg("Tells another system; tried again for three days when it does not answer.").text,
            icon="webhook",
        )

    def run(self, step: Step) -> Mapping[str, Any]:
        """Queue one delivery: of `data`, or of the record as the rule's owner sees it."""
        data: Any = step.params.get("data")
        if data is None and step.entity is not None and step.record is not None:
            data = records.get(step.ctx, step.entity.name, step.record.id)
        url = str(step.params["url"])
        hook = outgoing.call(step.ctx, url, data, step.key, self.rule, self.vault)
        return {"to": urlsplit(url).hostname, "hook": hook}

    def check(self, registry: Registry, entity: EntitySpec | None, params: Params) -> None:
        """Refuse what is no address, or a private one; what a name stands for is judged when it is called."""
        url = str(params["url"])
        if is_dynamic(url):
            raise Invalid.of("url", msg("Write the whole address: it may hold no values of the record."))
        subscriptions.check_url(url, self.rule, names=False, at="url")
