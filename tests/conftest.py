"""What holds for all tests: passwords, translations and templates cost little, PostgreSQL's long tests run apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, partial
from types import CodeType
from typing import TYPE_CHECKING, Any

import pytest
from argon2 import PasswordHasher
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from gigacore.access import passwords
from gigacore.text import catalogue
from gigacore.text.po import PoFile
from tests.counting import statements as counted

if TYPE_CHECKING:
    from gigacore import Crm

OURS = frozenset(["gigacore", "gigacore.crm", "host_app"])


@pytest.fixture(autouse=True, scope="session")
def quick_passwords() -> Iterator[None]:
    """The least cost that argon2 takes: tests make thousands of people."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: quick)
        yield


@pytest.fixture(autouse=True, scope="session")
def translations_read_once() -> Iterator[None]:
    """Each application of a test would read three thousand texts again."""
    read = catalogue.read_package

    @cache
    def kept(package: str) -> Iterable[tuple[str, PoFile]]:
        return tuple(read(package))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "read_package", lambda package: (kept if package in OURS else read)(package))
        yield


class CompiledTemplates(BytecodeCache):
    """Templates that were compiled in this process, by name and source."""

    def __init__(self) -> None:
        self.code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None
        self.code[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(autouse=True, scope="session")
def templates_compiled_once() -> Iterator[None]:
    """Each application of a test would compile the templates of its pages again: longer than all else they take."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(Flask.jinja_options, "bytecode_cache", CompiledTemplates())
        yield


@pytest.fixture
def statements(crm: Crm) -> Any:
    """`with statements() as seen:` collects the statements of the block."""
    return partial(counted, crm)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("slow_on_postgres") and item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.slow)
