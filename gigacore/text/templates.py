"""Text templates of administrators: one function validates, previews and renders them, within bounds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gigacore.errors import Invalid
from gigacore.messages import Msg, msg
from gigacore.text import sandbox
from gigacore.text.formats import Formats

WALL_SECONDS: Final = 2 * sandbox.CPU_SECONDS + 2


def render(
    template: str,
    context: Mapping[str, object],
    *,
    html: bool = False,
    locale: str = "en",
    timezone: str = "UTC",
) -> str:
    """Renders a template with plain data: mappings, lists, text, numbers, booleans, dates.

    Templates reach no object, function, file or other template. One without loop and arithmetic runs here; any other
    in a child process with 256 MB of memory, 2 s of processor time and 2 MB of output. `html` escapes values.
    Formatting filters (date, datetime, number, money) follow `locale` and `timezone`.

    Raises Invalid for everything that is wrong with the template or its data, an unknown name included.
    """
    try:
        return render_bounded(template, sandbox.freeze(context), html, locale, timezone)
    except sandbox.Refusal as refusal:
        raise Invalid.of("template", explain(refusal), f"template_{refusal.reason}") from None


def validate(template: str, sample: Mapping[str, object], *, html: bool = False) -> None:
    """Raises Invalid where `render` would, given data like `sample`; used when a template is saved."""
    render(template, sample, html=html)


def render_bounded(template: str, context: object, html: bool, locale: str, timezone: str) -> str:
    """Here when the template is plain, else in a child."""
    if not isinstance(context, dict):
        raise sandbox.Refusal("data", type(context).__name__)
    environment = sandbox.SandboxEnvironment(html, Formats(locale, timezone).filters())
    if sandbox.is_plain(sandbox.parse(template, environment)):
        return sandbox.run(template, context, environment)
    return in_child(
        {"source": template, "context": context, "html": html, "locale": locale, "timezone": timezone},
    )


def in_child(request: Mapping[str, object]) -> str:
    """Runs the sandbox as a program that limits itself; it is killed when it does not end in time."""
    body = json.dumps(request, default=sandbox.encode).encode()
    command = [sys.executable, "-I", str(Path(sandbox.__file__))]
    try:
        done = subprocess.run(command, input=body, capture_output=True, timeout=WALL_SECONDS, check=False, env={})  # noqa: S603
    except subprocess.TimeoutExpired:
        raise sandbox.Refusal("limit", "time") from None
    if done.returncode != 0:
        raise sandbox.Refusal("limit", "time" if done.returncode < 0 else "memory")
    answer = json.loads(done.stdout)
    if "text" not in answer:
        raise sandbox.Refusal(**answer)
    return str(answer["text"])


def explain(refusal: sandbox.Refusal) -> Msg:
    """The reason in words that the template's author understands."""
    text = REASONS[refusal.reason](refusal.detail)
    return msg("Line {line}: {problem}", line=refusal.line, problem=text) if refusal.line else text


REASONS: Final = {
    "syntax": lambda detail: msg("The template cannot be read: {detail}", detail=detail),
    "forbidden": lambda detail: msg("Templates may not use “{what}”.", what=detail),
    "undefined": lambda detail: msg("The template uses an unknown name: {detail}", detail=detail),
    "limit": lambda detail: msg("The template exceeds a limit ({what}).", what=detail),
    "value": lambda detail: msg("A value does not fit its use in the template: {detail}", detail=detail),
    "data": lambda detail: msg("Templates take plain values only, not {kind}.", kind=detail),
}
