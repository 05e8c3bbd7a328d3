"""A mail as a value, and the port that sends it."""

from __future__ import annotations

from dataclasses import field
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import TYPE_CHECKING, Protocol

from gigacore.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person. `id` is the Message-ID without brackets: the same at every attempt."""

    id: str
    sender: str
    sender_name: str
    recipient: str
    recipient_name: str
    subject: str
    text: str
    html: str | None
    at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_bytes(self) -> bytes:
        """The message as RFC 5322 has it. Raises ValueError for a header with a line break."""
        from email.policy import SMTP  # half a megabyte that only a process which sends needs

        made = EmailMessage(policy=SMTP)
        made["From"] = formataddr((self.sender_name, self.sender))
        made["To"] = formataddr((self.recipient_name, self.recipient))
        made["Subject"] = self.subject
        made["Date"] = format_datetime(self.at)
        made["Message-ID"] = f"<{self.id}>"
        for name, value in self.headers.items():
            made[name] = value
        made.set_content(self.text)
        if self.html:
            made.add_alternative(self.html, subtype="html")
        return made.as_bytes()


class NotSent(Exception):
    """The mail was refused for good: trying again would not help. The text says why."""


class MailSender(Protocol):
    """Sends mail. Provided by a plugin, or SMTP, or files where no server is set."""

    def send(self, mail: Mail) -> None:
        """Hand a mail over. Raises NotSent for good, any other error for now."""
