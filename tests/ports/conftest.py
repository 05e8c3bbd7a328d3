from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.installed import examples_importable


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    with examples_importable():
        yield
