"""Mail: a port, senders of the library's own, what was sent to whom, and who may be written to."""

from gigacore.mail.consent import MARKETING, SERVICE, MayNotContact, may_contact, say
from gigacore.mail.message import Mail, MailSender, NotSent
from gigacore.mail.senders import FileSender, SmtpSender, sender_of
from gigacore.mail.service import FROM_ADDRESS, FROM_NAME, again, send
from gigacore.mail.tables import core_mail

__all__ = [
    "FROM_ADDRESS",
    "FROM_NAME",
    "MARKETING",
    "SERVICE",
    "FileSender",
    "Mail",
    "MailSender",
    "MayNotContact",
    "NotSent",
    "SmtpSender",
    "again",
    "core_mail",
    "may_contact",
    "say",
    "send",
    "sender_of",
]
