"""Stored files: streamed, hashed, encrypted, and attached to records whose policy decides who reads them."""

from gigacore.files.fields import upload
from gigacore.files.mime import may_show
from gigacore.files.names import clean_name
from gigacore.files.service import StoredFile, attach, detach, get, of_record, register, sweep
from gigacore.files.tables import core_attachment, core_file, core_file_use

__all__ = [
    "StoredFile",
    "attach",
    "clean_name",
    "core_attachment",
    "core_file",
    "core_file_use",
    "detach",
    "get",
    "may_show",
    "of_record",
    "register",
    "sweep",
    "upload",
]
