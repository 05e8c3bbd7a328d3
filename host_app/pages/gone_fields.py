"""What was typed into a field that is not in the form any more: told once, never dropped in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from gigacore.entity import EntitySpec, FieldSpec
from gigacore.errors import FieldError
from gigacore.messages import Msg, msg
from host_app.pages.columns import label_of
from host_app.pages.raw import Raw
from host_app.pages.reader import Reader

GONE: Final = msg("“{name}” is not in this form any more. You had typed: {text}. Save again to go on without it.")
LONGEST: Final = 500
_FORMER: Final = re.compile(r"x_[a-z0-9_]{1,40}|[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*").fullmatch


def told(spec: EntitySpec, fields: Sequence[FieldSpec], raw: Raw, who: Reader) -> list[FieldError]:
    """A fault for each such field: closed to the reader, hidden, or a plugin's that went since the form was opened.

    Other names are none of the form's: browsers and their extensions add inputs, which nobody typed.
    """
    present = {*(field.name for field in fields), *spec.children}
    gone = dict.fromkeys(name for name in _names(raw) if _belongs(name, spec) and not _is_in(name, present))
    return [FieldError(name, _message(spec, name, raw, who), "gone") for name in gone]


def _names(raw: Raw) -> Iterator[str]:
    """The names of inputs that hold something; a reference's text stands for the reference."""
    for name, texts in raw.items():
        if any(text.strip() for text in texts):
            yield name.removesuffix(".text")


def _belongs(name: str, spec: EntitySpec) -> bool:
    return name in spec.fields or bool(_FORMER(name))


def _is_in(name: str, present: set[str]) -> bool:
    return name in present or any(name.startswith(f"{one}.") for one in present)


def _message(spec: EntitySpec, name: str, raw: Raw, who: Reader) -> Msg:
    field = spec.fields.get(name)
    label = label_of(field, who) if field else name
    text = raw.text(f"{name}.text") or ", ".join(raw.texts(name))
    return msg(GONE.text, name=label, text=text[:LONGEST])
