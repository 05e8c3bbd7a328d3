"""Python's collector of reference cycles kept away from work that makes many objects and no cycles."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Let the collector wait until the block ends: it would walk through the whole process several times meanwhile.

    Other threads go on as before; what they leave behind is collected a moment later. For blocks of a second at most.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
