"""The ports of the library: what it asks of the outside, to be provided by a plugin with `Plugin(provides={Port: it})`.

`crm.service(Port)` gives what the first plugin provides, or None; where none does, `crm.storage` and `crm.mail_sender`
are the library's own. A plugin that asks for something else defines the port itself, in its package root.
"""

from gigacore.files.storage import Storage
from gigacore.mail import MailSender

__all__ = ["MailSender", "Storage"]
