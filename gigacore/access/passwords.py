"""Password hashing (argon2id) and the rule for new passwords; the only module that knows the algorithm."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from gigacore.errors import Invalid
from gigacore.messages import msg

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MINIMUM: Final = 8
MAXIMUM: Final = 200


@cache
def _hasher() -> PasswordHasher:
    # OWASP's second recommendation (19 MiB, 2 passes): a burst of sign-ins must not exhaust a small machine.
    # Imported here because it takes 20 ms and no script that only reads data needs it.
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _decoy() -> str:
    return _hasher().hash("a password that nobody has")


def check_new(password: str) -> None:
    """Raises Invalid unless `password` has 8 to 200 characters, not all alike."""
    if len(password) < MINIMUM:
        raise Invalid.of("password", msg("A password needs at least {n} characters.", n=MINIMUM), "too_short")
    if len(password) > MAXIMUM:
        raise Invalid.of("password", msg("A password has at most {n} characters.", n=MAXIMUM), "too_long")
    if len(set(password)) < 3 or "\x00" in password:
        raise Invalid.of("password", msg("This password is too easy to guess."), "too_weak")


def hash_password(password: str) -> str:
    """The hash to store, with its own salt and parameters. Takes about 20 ms on purpose."""
    return _hasher().hash(password)


def verify(stored: str | None, password: str) -> bool:
    """Whether `password` is the one behind `stored`; takes equally long when there is no stored hash."""
    from argon2.exceptions import InvalidHashError, VerificationError

    if len(password) > MAXIMUM:
        password = ""
    decoy = _decoy()  # made on the first call whatever it is for, so that an unknown address takes no longer
    try:
        _hasher().verify(stored or decoy, password)
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def outdated(stored: str) -> bool:
    """Whether a hash was made with weaker parameters than today's."""
    return _hasher().check_needs_rehash(stored)
