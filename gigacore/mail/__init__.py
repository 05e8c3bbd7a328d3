"""Mail: a port, senders of the library's own, what was sent to whom, and who may be written to."""

from gigacore.mail.consent import ALL, MARKETING, PURPOSES, SERVICE, MayNotContact, Word, may_contact, note, say, words
from gigacore.mail.message import Mail, MailSender, NotSent
from gigacore.mail.senders import FileSender, SmtpSender, sender_of
from gigacore.mail.service import FROM_ADDRESS, FROM_NAME, again, send
from gigacore.mail.tables import core_mail

__all__ = [
    "ALL",
    "FROM_ADDRESS",
    "FROM_NAME",
    "MARKETING",
    "PURPOSES",
    "SERVICE",
    "FileSender",
    "Mail",
    "MailSender",
    "MayNotContact",
    "NotSent",
    "SmtpSender",
    "Word",
    "again",
    "core_mail",
    "may_contact",
    "note",
    "say",
    "send",
    "sender_of",
    "words",
]
