"""The Flask host: pages, API, sign-in, command line."""

import gc

_collects = gc.isenabled()
gc.disable()

from host_app.app import create_app  # noqa: E402

gc.freeze()  # what is loaded stays; to look through it again and again takes a tenth of the start
if _collects:
    gc.enable()

__all__ = ["create_app"]
