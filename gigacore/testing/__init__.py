"""What tests of the library and of plugins need: databases that are ready, a started `Crm`, people to act as.

Load the fixtures with `pytest_plugins = ["gigacore.testing.fixtures"]` or `-p gigacore.testing.fixtures`.
"""
