"""Reading the schema of a database."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_about_expressions() -> Iterator[None]:
    """SQLAlchemy warns that it passes over indexes on expressions in SQLite: those of custom fields, which is right."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based index")
        yield
