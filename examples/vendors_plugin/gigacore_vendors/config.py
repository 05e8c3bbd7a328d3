"""Addresses and secrets: the first are settings, the second are sealed with the installation's key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gigacore.access.vault import Vault
from gigacore.data import settings

if TYPE_CHECKING:
    from gigacore import Context, Crm

PURPOSE: Final = "vendors"


def setting(crm: Crm, key: str) -> str:
    """A setting as it stands now, empty where there is none."""
    with crm.database.connect() as connection:
        return str(settings.read(connection).get(key) or "")


def secret(crm: Crm, name: str) -> str:
    """A secret, empty where there is none."""
    sealed = setting(crm, f"vendors.secret_{name}")
    return Vault(crm.settings.encryption_key).open(sealed, PURPOSE) if sealed else ""


def keep_secret(crm: Crm, ctx: Context, name: str, text: str) -> None:
    """Seal and keep a secret; the caller has checked that the actor may."""
    sealed = Vault(crm.settings.encryption_key).seal(text, PURPOSE)
    settings.put(ctx, f"vendors.secret_{name}", sealed, plugin="vendors")
