"""The statements that a block of a test sends, whatever the clock and other threads do meanwhile."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from gigacore import Crm


class Sent(str):
    """A statement, and what is bound in it."""

    __slots__ = ("values",)

    def __new__(cls, text: str, values: Any) -> Sent:
        made = super().__new__(cls, text)
        made.values = values
        return made


@contextmanager
def statements(crm: Crm) -> Iterator[list[Sent]]:
    """Collects what this thread sends, but for BEGIN and COMMIT.

    Every two seconds one session asks whether something was changed elsewhere. Here that is asked before the block
    and not within it, or a slow machine would count more.
    """
    own, seen = threading.get_ident(), list[Sent]()

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if threading.get_ident() == own:
            seen.append(Sent(statement, values))

    crm.refresh()
    sa.event.listen(crm.engine, "before_cursor_execute", note)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("gigacore.application.FRESH_SECONDS", math.inf)
            yield seen
    finally:
        sa.event.remove(crm.engine, "before_cursor_execute", note)
