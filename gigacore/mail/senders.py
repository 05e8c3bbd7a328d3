"""The senders of the library: an SMTP server behind the outbound rule, or a folder of files."""

from __future__ import annotations

import smtplib
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from gigacore.errors import ConfigurationError
from gigacore.mail.message import Mail, MailSender, NotSent
from gigacore.messages import msg
from gigacore.outbound import MAIL_PORTS, OutboundRule
from gigacore.values import dataclass

if TYPE_CHECKING:
    from gigacore.settings import Settings

SECONDS: Final = 20.0
PORTS: Final = {"smtp": 587, "smtps": 465}


def sender_of(settings: Settings, rule: OutboundRule) -> MailSender:
    """The SMTP server that `GIGA_SMTP_URL` names, else files in the data directory. Raises ConfigurationError."""
    if not settings.smtp_url:
        return FileSender(settings.data_dir / "mail")
    return SmtpSender.of(settings.smtp_url, rule)


@dataclass(frozen=True, slots=True)
class FileSender:
    """Writes each mail to a file that any mail program opens: for trying things out, and for tests."""

    folder: Path

    def send(self, mail: Mail) -> None:
        """Write the mail."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{mail.id.partition('@')[0]}.eml").write_bytes(mail.as_bytes())


@dataclass(frozen=True, slots=True)
class SmtpSender:
    """Sends through an SMTP server. Plain `smtp` asks for STARTTLS where the server offers it, and must on 587."""

    host: str
    port: int
    secure: bool
    user: str
    password: str
    rule: OutboundRule

    @classmethod
    def of(cls, url: str, rule: OutboundRule) -> SmtpSender:
        """From `smtp://user:password@host:587` or `smtps://...`. Raises ConfigurationError."""
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ConfigurationError(
                msg("GIGA_SMTP_URL must look like smtp://user:password@mail.example.com:587 or smtps://...")
            )
        port = parts.port or PORTS[parts.scheme]
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, parts.scheme == "smtps", user, password, rule)

    def send(self, mail: Mail) -> None:
        """Hand the mail to the server. Raises NotSent when it is refused for good, OSError or SMTPException for now."""
        try:
            body = mail.as_bytes()
        except ValueError as error:
            raise NotSent(str(error)) from error
        try:
            with self._connection() as server:
                server.sendmail(mail.sender, [mail.recipient], body)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise self._refusal(int(code), text, error) from error
        except smtplib.SMTPResponseException as error:
            raise self._refusal(error.smtp_code, error.smtp_error, error) from error

    def _refusal(self, code: int, text: object, error: Exception) -> Exception:
        words = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        return NotSent(f"{code} {words}"[:500]) if 500 <= code < 600 else error

    def _connection(self) -> smtplib.SMTP:
        server = _GuardedSmtp(self)
        if not self.secure and (server.has_extn("starttls") or self.port == PORTS["smtp"]):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        if self.user:
            server.login(self.user, self.password)
        return server


class _GuardedSmtp(smtplib.SMTP):
    """An SMTP connection whose socket comes from the outbound rule."""

    def __init__(self, sender: SmtpSender) -> None:
        self.sender = sender
        super().__init__(sender.host, sender.port, timeout=SECONDS)
        self.ehlo_or_helo_if_needed()

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        sock: socket.socket = self.sender.rule.connect(host, port, timeout, MAIL_PORTS)
        if not self.sender.secure:
            return sock
        return ssl.create_default_context().wrap_socket(sock, server_hostname=host)
