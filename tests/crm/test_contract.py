"""The built-in plugin keeps what every plugin promises."""

from collections.abc import Sequence

import pytest

from gigacore import Plugin
from gigacore.crm import plugin
from gigacore.testing.contract import PluginContract


class TestContract(PluginContract):
    plugin = plugin

    @pytest.fixture
    def plugins(self) -> Sequence[Plugin]:
        return ()

    test_disabling_leaves_the_application_as_it_was = None  # it is always there
