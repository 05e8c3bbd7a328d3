"""The ports of the library: what it asks of the outside, to be provided by a plugin with `Plugin(provides={Port: it})`.

`crm.service(Port)` gives what the first plugin provides, or None where the library has no own way.
"""

from gigacore.files.storage import Storage

__all__ = ["Storage"]
