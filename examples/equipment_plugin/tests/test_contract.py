"""Equipment keeps what every plugin promises."""

from gigacore_equipment import plugin

from gigacore.testing.contract import PluginContract


class TestContract(PluginContract):
    plugin = plugin
