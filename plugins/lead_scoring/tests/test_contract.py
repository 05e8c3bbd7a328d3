"""Lead scoring keeps what every plugin promises."""

from gigacore_lead_scoring import plugin

from gigacore.testing.contract import PluginContract


class TestContract(PluginContract):
    plugin = plugin
