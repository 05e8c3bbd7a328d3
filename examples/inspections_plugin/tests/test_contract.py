"""Inspections keep what every plugin promises."""

from gigacore_inspections import plugin

from gigacore.testing.contract import PluginContract


class TestContract(PluginContract):
    plugin = plugin
