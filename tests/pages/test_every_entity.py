"""What every entity's pages do, proved from the registry: whatever a plugin declares inherits these tests."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from gigacore import Crm, records
from gigacore.entity import EntitySpec
from tests.api.samples import sample
from tests.pages.conftest import Visitor

ENTITIES = (
    "crm.lead", "crm.contact", "crm.company", "crm.opportunity", "crm.pipeline", "crm.stage", "crm.task", "crm.note",
)  # fmt: skip
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


@pytest.fixture(params=ENTITIES)
def spec(request: pytest.FixtureRequest, crm: Crm) -> EntitySpec:
    return crm.registry.entity(request.param)


def make(crm: Crm, spec: EntitySpec, **more: Any) -> int:
    with crm.system("test record") as ctx:

        def create(name: str, data: Mapping[str, Any]) -> int:
            return records.create(ctx, name, data).id

        return records.create(ctx, spec.name, sample(crm.registry, spec, create) | more).id


def test_list_form_and_record_are_pages_without_inline_code(crm: Crm, root: Visitor, spec: EntitySpec) -> None:
    number = make(crm, spec)
    for path in ("", "/new", f"/{number}", f"/{number}/edit", "/filter", "/columns", f"/{number}?tab=changes"):
        response = root.get(f"/{spec.plugin}/{spec.plural}{path}")
        assert response.status_code == 200, path
        assert not INLINE.search(response.get_data(as_text=True)), path


def test_a_record_is_edited_deleted_and_taken_back(crm: Crm, root: Visitor, spec: EntitySpec) -> None:
    home = f"/{spec.plugin}/{spec.plural}/{make(crm, spec)}"
    form = inputs_of(root.get(f"{home}/edit").get_data(as_text=True))
    saved = root.post(f"{home}/edit", form)
    assert (saved.status_code, saved.location) == (303, home), saved.get_data(as_text=True)
    assert root.post(f"{home}/delete", {}).status_code == 303
    assert root.get(home).status_code == 404
    assert root.post(f"{home}/restore", {}).location == home
    assert root.get(home).status_code == 200


def test_visitors_are_sent_to_sign_in_and_back(visit: Any, spec: EntitySpec) -> None:
    answer = visit().get(f"/{spec.plugin}/{spec.plural}")
    assert (answer.status_code, answer.location) == (303, f"/sign-in?next=/{spec.plugin}/{spec.plural}")


def test_every_field_that_is_offered_can_be_filtered_by(crm: Crm, root: Visitor, spec: EntitySpec) -> None:
    make(crm, spec)
    box = root.get(f"/{spec.plugin}/{spec.plural}/filter").get_data(as_text=True)
    names = re.findall(r'/filter\?field=([\w.]+)"', box)
    assert spec.title in names
    for name in set(names):
        editor = root.get(f"/{spec.plugin}/{spec.plural}/filter?field={name}").get_data(as_text=True)
        ops = re.findall(r'<option value="(\w+)"', editor.partition('name="op"')[2].partition("</select>")[0])
        assert ops, name
        if "filled" in ops:
            applied = root.get(f"/{spec.plugin}/{spec.plural}/filter?apply=1&field={name}&op=filled")
            assert root.get(applied.location).status_code == 200, name


def inputs_of(page: str) -> dict[str, Any]:
    """What a browser would send for the form of the page as it stands."""
    main = page.partition("data-guard")[2].partition("<template")[0]
    main += page.partition("</template>")[2]
    found: dict[str, Any] = {}
    for tag in re.findall(r"<input[^>]*>", main):
        named, value = re.search(r'name="([^"]+)"', tag), re.search(r'value="([^"]*)"', tag)
        if named and ('type="checkbox"' not in tag or " checked" in tag):
            found[named[1]] = unescape(value[1]) if value else ""
    for name, body in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>([^<]*)<', main):
        found[name] = unescape(body)
    for name, body in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', main, re.DOTALL):
        chosen = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', body)
        found[name] = unescape(chosen[1] if chosen and chosen[1] is not None else chosen[2]) if chosen else ""
    found.pop("csrf_token", None)
    return found


def unescape(text: str) -> str:
    return (
        text.replace("&#34;", '"').replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    )
