"""Fields that a setting switches off: they are not asked for, and a quiet hint says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gigacore.data import settings
from gigacore.entity import FieldSpec
from gigacore.messages import msg
from host_app.pages.parts import may_see
from host_app.pages.reader import Reader


def split(fields: Sequence[FieldSpec], who: Reader) -> tuple[list[FieldSpec], list[FieldSpec]]:
    """The fields that forms ask for, and those whose setting is off."""
    names = {field.switch for field in fields if field.switch}
    off = {name for name in names if not _is_on(name, who)}
    return [f for f in fields if f.switch not in off], [f for f in fields if f.switch in off]


def _is_on(name: str, who: Reader) -> bool:
    kept = settings.get(who.ctx, name)
    if kept is not None:
        return bool(kept)
    declared = _declared(name, who)
    return declared is None or bool(declared.default)


def _declared(name: str, who: Reader) -> FieldSpec | None:
    return next((one for plugin in who.crm.plugins.enabled for one in plugin.settings if one.name == name), None)


def hints(off: Sequence[FieldSpec], who: Reader) -> list[Mapping[str, str]]:
    """One line for each setting that is off: its name, and its page where the reader may change it."""
    return [_hint(name, who) for name in dict.fromkeys(field.switch for field in off)]


def _hint(name: str, who: Reader) -> Mapping[str, str]:
    declared = _declared(name, who)
    label = who.t(declared.label if declared else name)
    return {"text": who.t(msg("Switched off in the settings: {name}.", name=label)), "url": _page(name, who)}


def _page(name: str, who: Reader) -> str:
    pages = (page for plugin in who.crm.plugins.enabled for page in plugin.settings_pages)
    found = next((page for page in pages if name in page.keys and may_see(page.policy, who, page.name)), None)
    return f"/settings/plugin/{found.name}" if found else ""
