"""The database's own errors in the library's words; no SQL, table or value of another row reaches the reader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm.exc import StaleDataError

from gigacore.errors import Conflict, GigaError, Invalid, StaleVersion, Unavailable
from gigacore.messages import msg

_CUSTOM_INDEX: Final = re.compile(r"\bcf_[0-9a-f]{8}_(x_[a-z0-9_]{1,40})\b")
"""The name of a custom field's index, which holds its key."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise `StaleVersion`, `Conflict`, `Invalid` or `Unavailable` for what the database refused."""
    try:
        yield
    except StaleDataError as error:
        raise StaleVersion from error
    except IntegrityError as error:
        raise _conflict(error) from error
    except DataError as error:
        raise Invalid(msg("A value does not fit where it is to be stored.")) from error
    except OperationalError as error:
        raise _unavailable(error) from error


def _conflict(error: IntegrityError) -> GigaError:
    text = str(error.orig).lower()
    if custom := _CUSTOM_INDEX.search(text):
        return Invalid.of(custom[1], msg("Another record has this value already."), "unique")
    if "unique" in text or "duplicate" in text:
        return Conflict(msg("Another record has this value already."))
    if "foreign" in text:
        return Conflict(msg("This refers to a record that is not there, or other records refer to this one."))
    return Conflict(msg("The database refused the change: a value is missing or not allowed."))


def is_away(error: BaseException) -> bool:
    """Whether the database is busy or gone, which is no fault of whoever asked it."""
    text = str(error.orig).lower() if isinstance(error, OperationalError) else ""
    return any(word in text for word in ("locked", "timeout", "deadlock", "connection"))


def is_read_only(error: DBAPIError) -> bool:
    """Whether SQLite may read its files, but not write them."""
    return "readonly database" in str(error.orig).lower()


def is_changed_since(error: DBAPIError) -> bool:
    """Whether a table or column that the code knows is not there: it went while this process ran."""
    if getattr(error.orig, "sqlstate", None) in ("42P01", "42703"):
        return True
    return any(words in str(error.orig).lower() for words in ("no such table", "no such column"))


def _unavailable(error: DBAPIError) -> Exception:
    if is_away(error):
        return Unavailable(msg("The database is busy. Please try again."), retry_after=2)
    return error
