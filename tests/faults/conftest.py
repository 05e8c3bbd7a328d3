"""Distributions made on the spot, as in the tests of the life cycle."""

from tests.plugins.conftest import make_crm, site

__all__ = ["make_crm", "site"]
