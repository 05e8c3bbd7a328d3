"""Nothing that people type is ever run: scripts in every text field, shown on every page that shows records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from gigacore import Crm, records
from gigacore.access import teams, users
from gigacore.testing.samples import sample

if TYPE_CHECKING:
    from gigacore.context import Context
    from gigacore.entity import EntitySpec, FieldSpec

pytestmark = pytest.mark.slow

RUN = "window.ran=1"
PAYLOADS = (
    f"<script>{RUN}</script>", f"<ScRiPt >{RUN}</sCrIpT>", f"<<script>{RUN}//<</script>", f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}>", f"<svg><script>{RUN}</script></svg>", f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<input autofocus onfocus={RUN}>", f"<iframe srcdoc='<script>parent.{RUN}</script>'>", f"\" onmouseover=\"{RUN}",
    f"\" autofocus onfocus=\"{RUN}", f"' autofocus onfocus='{RUN}", f"\"><img src=x onerror={RUN}>",
    f"'><svg onload={RUN}>", f"</title><script>{RUN}</script>", f"</textarea><script>{RUN}</script>",
    f"</script><script>{RUN}</script>", f"</template><img src=x onerror={RUN}>", f"--><script>{RUN}</script>",
    f"]]><script>{RUN}</script>", f"<a href='javascript:{RUN}'>x</a>", f"javascript:{RUN}", f"{{{{{RUN}}}}}",
    "{{7*7}}", "{{constructor.constructor('window.ran=1')()}}", "${window.ran=1}", "<%= 7*7 %>", "{% raw %}",
    f"<math><mtext></form><form><mglyph><style></math><img src onerror={RUN}>", f"<marquee onstart={RUN}>",
    f"<video><source onerror={RUN}>", f"<object data='javascript:{RUN}'>", "<meta http-equiv=refresh content='0;/x'>",
    "<base href='//evil.example/'>", "<style>@import '//evil.example'</style>", f"<div hx-get='/' hx-on::load='{RUN}'>",
    f"<div hx-trigger='load' hx-get='/trash' hx-on:click='{RUN}'>", f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"\\u003cscript\\u003e{RUN}", f"%3Cscript%3E{RUN}%3C/script%3E", f"+ADw-script+AD4-{RUN}", f"`${{{RUN}}}`",
    "\u202e\u2066<b>\u200b", f"<img src=`x` onerror={RUN}>", f"<x onclick={RUN} autofocus tabindex=1 onfocus={RUN}>",
)  # fmt: skip
PAGES = ("", "?as=cards", "?as=status", "/board", "?q=script", "/columns", "/filter?field=owner_id")
OF_RECORD = ("", "?tab=changes", "?tab=related", "/edit", "/menu", "/access")


def texts(entity: EntitySpec, fields: Mapping[str, FieldSpec], place: int) -> dict[str, str]:
    """Each text field with another payload, as long as it may be."""
    found = {}
    for number, field in enumerate(fields.values()):
        if field.kind in ("text", "longtext") and not field.readonly and not field.computed and "." not in field.name:
            payload = PAYLOADS[(place + number) % len(PAYLOADS)]
            found[field.name] = payload if field.max_length is None else payload[: field.max_length]
    return found


def hostile(ctx: Context, entity: EntitySpec, place: int, reader: int) -> int:
    """A record whose every text is a payload, child rows and tags too; its owner is who reads."""
    registry = ctx.session.registry
    data = sample(registry, entity, lambda name, body: records.create(ctx, name, body).id)
    data |= texts(entity, entity.fields, place)
    if entity.owned:
        data |= {"visibility": "write", "owner_id": reader}
    if "tags" in entity.fields:
        data["tags"] = [PAYLOADS[place % len(PAYLOADS)], PAYLOADS[(place + 7) % len(PAYLOADS)]]
    return records.create(ctx, entity.name, data).id


def addresses(crm: Crm, reader: int) -> Iterator[str]:
    """Fill the installation; gives the pages that show it."""
    for entity in crm.registry.entities.values():
        with crm.system("test payloads") as ctx:
            made = [hostile(ctx, entity, place, reader) for place in range(len(PAYLOADS))]
        crm.refresh()
        yield from (f"/{entity.api_path}{page}" for page in PAGES)
        yield from (f"/{entity.api_path}/{number}{page}" for number in made[::9] for page in OF_RECORD)
    with crm.system("test payloads") as ctx:
        users.change(ctx, reader, {"name": PAYLOADS[3]})
        teams.create(ctx, PAYLOADS[13], members=[reader])
    crm.jobs.run_pending()
    yield from ("/", "/notifications", "/trash", "/search?q=script", "/settings/users", "/settings/teams")
    yield from ("/settings/lists/crm.tag", "/settings/pipelines")


def test_what_people_type_is_never_run(crm: Crm, open_browser: Any) -> None:
    reader = open_browser(policy=False)
    with crm.system("who reads") as ctx:
        number = users.all_users(ctx)[0].id
    ran: list[str] = []
    asked: list[Any] = []
    reader.page.on("dialog", lambda one: asked.append(one))  # nobody answers: the page would wait, and the test fail
    for path in addresses(crm, number):
        page = reader.go(path)
        page.mouse.move(300, 300)
        if page.evaluate("window.ran") or not page.url.startswith(reader.address):
            ran.append(path)
    assert (ran, asked) == ([], [])
    assert [told for told in reader.complaints if "404" not in told] == []
    page.set_content(f"<img src=x onerror={RUN}>")
    page.wait_for_function(RUN.replace("=", "==="))  # the control: run past the pages, a payload is seen


def test_no_page_reports_a_breach_of_its_policy(crm: Crm, open_browser: Any) -> None:
    reader = open_browser()
    with crm.system("who reads") as ctx:
        number = users.all_users(ctx)[0].id
    for path in list(addresses(crm, number)):
        if "/leads" in path or path.count("/") == 1:
            reader.go(path)
    assert [told for told in reader.complaints if "404" not in told] == []
