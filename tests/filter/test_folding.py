"""Text folds alike in Python, in SQLite and in PostgreSQL."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from gigacore.entity import fold
from tests.filter import sample

TEXTS = [chr(code) for code in range(1, 0x3000)] + ["aΣ", "ΑΣ Β", "ΌΣΟΣ", "Straße", "İstanbul", "ﬁn", "Ⅷ", "Å"]


@pytest.mark.parametrize("name", ["sqlite", "postgres"])
def test_every_engine_folds_as_python_does(name: str) -> None:
    make = sample.sqlite_engine if name == "sqlite" else sample.postgres_engine
    folded = sa.select(sa.func.giga_fold(sa.bindparam("text", type_=sa.Text())))
    with make() as engine, engine.connect() as connection:
        wrong = [text for text in TEXTS if connection.scalar(folded, {"text": text}) != fold(text)]
    assert wrong == []


def test_control_lower_case_alone_differs() -> None:
    assert fold("ΌΣΟΣ") == fold("όσος") != "όσος".lower()
