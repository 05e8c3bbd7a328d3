"""The installation's keys: made once, refused when weak."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from gigacore.errors import ConfigurationError
from gigacore.settings import Settings
from host_app.keys import FILE, derive, with_keys

GOOD = ("0123456789abcdefghijklmnopqrstuvwxyzABCDEF", "ZYXWVUTSRQPONMLKJIHGFEDCBA9876543210abcdef")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


def test_the_first_start_makes_keys_that_later_starts_read(settings: Settings) -> None:
    made = with_keys(settings)
    assert with_keys(settings) == made
    assert made.secret_key != made.encryption_key
    assert stat.S_IMODE((settings.data_dir / FILE).stat().st_mode) == 0o600


def test_given_keys_are_used_and_nothing_is_written(settings: Settings) -> None:
    made = with_keys(replace(settings, secret_key=GOOD[0], encryption_key=GOOD[1]))
    assert made.secret_key == GOOD[0]
    assert not settings.data_dir.exists()


@pytest.mark.parametrize(
    ("secret", "encryption"),
    [
        ("changeme", GOOD[1]),
        ("short123", GOOD[1]),
        ("a" * 64, GOOD[1]),
        (GOOD[0], GOOD[0]),
        ("please-changeme-0123456789-abcdefghij", GOOD[1]),
        (GOOD[0], "this-is-an-example-key-0123456789-abc"),
    ],
)
def test_weak_shared_and_placeholder_keys_stop_the_start(settings: Settings, secret: str, encryption: str) -> None:
    with pytest.raises(ConfigurationError):
        with_keys(replace(settings, secret_key=secret, encryption_key=encryption))


def test_an_unreadable_key_file_is_told_apart_from_a_missing_one(settings: Settings) -> None:
    settings.data_dir.mkdir()
    (settings.data_dir / FILE).write_text("{")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        with_keys(settings)


def test_derived_keys_differ_by_purpose(settings: Settings) -> None:
    made = with_keys(settings)
    assert derive(made, "csrf") != derive(made, "other")
