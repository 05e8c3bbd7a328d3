"""Writes new plugins, and checks plugins from outside: the work behind `giga plugin new` and `giga plugin check`."""

from host_app.scaffold.check import Promise, Verdict, check_plugin
from host_app.scaffold.write import write_plugin

__all__ = ["Promise", "Verdict", "check_plugin", "write_plugin"]
