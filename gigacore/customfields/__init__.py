"""Fields that administrators add to entities: definitions, stored values, indexes."""

from gigacore.customfields.definitions import (
    KINDS_OFFERED,
    Definition,
    complete,
    load_definitions,
    read_definitions,
)
from gigacore.customfields.services import arrange, change, count_values, define, find, remove
from gigacore.customfields.sql import (
    INDEXABLE,
    UNIQUE,
    create_index,
    custom_value_expression,
    index_name,
    is_field_index,
    restore_indexes,
)

__all__ = [
    "INDEXABLE",
    "KINDS_OFFERED",
    "UNIQUE",
    "Definition",
    "arrange",
    "change",
    "complete",
    "count_values",
    "create_index",
    "custom_value_expression",
    "define",
    "find",
    "index_name",
    "is_field_index",
    "load_definitions",
    "read_definitions",
    "remove",
    "restore_indexes",
]
