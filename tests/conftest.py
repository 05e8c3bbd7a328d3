"""Fixtures for every test of the library and the host; see `gigacore.testing.fixtures`."""

pytest_plugins = ["gigacore.testing.fixtures"]
