"""Kinds of notifications, declared by the core and by plugins."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Final

from gigacore.errors import Misuse
from gigacore.messages import msg
from gigacore.values import dataclass

NAME: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class NotificationKind:
    """Something that people may be told of; each person chooses how, per kind.

    `name` is `<plugin>.<name>`. `bell` and `mail` are what holds until a person chooses otherwise.
    """

    name: str
    label: str
    bell: bool = True
    mail: bool = False
    icon: str = "bell"
    plugin: str = field(default="", init=False)

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise Misuse(msg("“{name}” is no name of a notification; it must look like plugin.name.", name=self.name))
        object.__setattr__(self, "plugin", self.name.partition(".")[0])


KINDS: Final = (
    NotificationKind("core.rule", msg("An automation tells me something").text, icon="bolt"),
    NotificationKind("core.rule_failed", msg("One of my automations failed").text, icon="alert-triangle"),
    NotificationKind("core.hook_off", msg("One of my web hooks was switched off").text, mail=True, icon="webhook"),
    NotificationKind("core.mail_failed", msg("A mail of mine could not be sent").text, icon="mail-x"),
    NotificationKind("core.job_failed", msg("A long task of mine failed").text, icon="alert-triangle"),
)
