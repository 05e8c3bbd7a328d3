"""`giga plan`: what a change of the configuration would do."""

from __future__ import annotations

from typing import Any

import click
import orjson

from gigacore.context import system_actor
from gigacore.messages import msg
from gigacore.plugins.configuration import WISHES, plan_change, read_wish
from host_app.installation import Installation, pass_installation, tell, translator


@click.command()
@click.argument("change", type=click.Choice([*WISHES]))
@click.argument("values", nargs=-1, metavar="NAME=VALUE...")
@pass_installation
def plan(installation: Installation, change: str, values: tuple[str, ...]) -> int:
    """Show what CHANGE would do to fields, choices, roles or modules; nothing is changed.

    Exit code 1: it would be refused. For example: giga plan field.remove entity=crm.lead key=x_region purge=true
    """
    found = plan_change(installation.crm, system_actor("plan"), read_wish(change, dict(map(_pair, values))))
    for one in found.changes:
        tell(f"  {one.sign} {one.what.render(translator())}")
    if found.refusal is not None:
        tell(msg("It would be refused: {reason}", reason=found.refusal.reason))
        if found.refusal.fix is not None:
            tell(found.refusal.fix)
    return 1 if found.refusal else 0


def _pair(text: str) -> tuple[str, Any]:
    """`name=value`; a value that reads as JSON is taken as such."""
    name, _, value = text.partition("=")
    try:
        return name, orjson.loads(value)
    except orjson.JSONDecodeError:
        return name, value
