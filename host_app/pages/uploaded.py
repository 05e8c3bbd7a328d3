"""Files that a form brings along: stored before anything else is written, so that a fault elsewhere loses none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO, Final, cast

from flask import request

from gigacore import files
from gigacore.entity import FieldSpec
from gigacore.errors import FieldError, GigaError
from gigacore.files.pictures import LIMIT as PICTURE_LIMIT
from gigacore.files.storage import DEFAULT_LIMIT
from gigacore.messages import Msg, msg
from host_app.auth import current
from host_app.context import current_crm
from host_app.pages.raw import Raw

PART: Final = ".file"
REMOVE: Final = ".remove"
LOST: Final = ".lost"
"""The name of a file that was chosen and could not be kept: nobody was signed in, or it stood in a draft."""
SUM: Final = ".sum"
"""What a file holds, for telling whether the same form was sent twice: each upload has a uid of its own."""
PICTURES: Final = "image/jpeg,image/png,image/webp,image/gif"


def take(fields: Iterable[FieldSpec], raw: Raw) -> list[FieldError]:
    """Store the files chosen for these fields and put their uids and names into `raw`; gives what was refused."""
    faults = []
    for field in fields:
        sent = request.files.get(f"{field.name}{PART}") if field.kind == "file" else None
        if sent is None or not sent.filename:
            continue
        try:
            found = files.upload(current_crm(), current(), field, cast(BinaryIO, sent.stream), sent.filename, "page")
        except GigaError as error:
            faults.append(FieldError(field.name, _told(error)))
            continue
        raw.update({field.name: [str(found.uid)], f"{field.name}.text": [found.name]})
        raw[f"{field.name}{SUM}"] = [found.sha256]
        raw.pop(f"{field.name}{REMOVE}", None)
    return faults


def lost() -> dict[str, list[str]]:
    """The names of the files that a form brought along, by field, where they cannot be stored."""
    sent = ((name, one.filename) for name, one in request.files.items() if one.filename and name.endswith(PART))
    return {f"{name.removesuffix(PART)}{LOST}": [filename] for name, filename in sent}


def to_choose_again(fields: Iterable[FieldSpec], raw: Raw) -> dict[str, Msg]:
    """What to say beside the fields whose file was lost on the way."""
    named = {one.name: raw.text(f"{one.name}{LOST}") for one in fields if one.kind == "file"}
    return {
        field: msg("“{name}” was not kept; choose the file again.", name=name) for field, name in named.items() if name
    }


def _told(error: GigaError) -> Msg:
    """The reason and what to do, as one text beside the input."""
    return msg("{reason} {next}", reason=error.message, next=error.fix) if error.fix else error.message


def most(field: FieldSpec) -> int:
    """The most bytes that a file of the field has."""
    return PICTURE_LIMIT if field.image is not None else DEFAULT_LIMIT


def rule_of(field: FieldSpec) -> Msg:
    """What may be chosen, in words."""
    size = most(field) >> 20
    if field.image is None:
        return msg("Up to {size} MB.", size=size)
    width, height = field.image
    return msg(
        "JPEG, PNG, WebP or GIF, up to {size} MB. A larger one is reduced to {width} × {height} pixels.",
        size=size,
        width=width,
        height=height,
    )
