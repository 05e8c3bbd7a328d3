"""Stored files: streamed, hashed, encrypted, and attached to records whose policy decides who reads them."""

from gigacore.files.tables import core_attachment, core_file

__all__ = ["core_attachment", "core_file"]
