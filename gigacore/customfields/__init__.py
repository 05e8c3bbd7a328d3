"""Fields that administrators add to entities: definitions, stored values, indexes."""

from gigacore.customfields.backfill import BATCH, backfill
from gigacore.customfields.definitions import (
    KINDS_OFFERED,
    Definition,
    complete,
    fault_of,
    load_definitions,
    read_definitions,
)
from gigacore.customfields.services import arrange, change, count_values, define, find, remove
from gigacore.customfields.sql import (
    INDEXABLE,
    UNIQUE,
    create_indexes,
    custom_value_expression,
    index_name,
    is_field_index,
    restore_indexes,
)

__all__ = [
    "BATCH",
    "INDEXABLE",
    "KINDS_OFFERED",
    "UNIQUE",
    "Definition",
    "arrange",
    "backfill",
    "change",
    "complete",
    "count_values",
    "create_indexes",
    "custom_value_expression",
    "define",
    "fault_of",
    "find",
    "index_name",
    "is_field_index",
    "load_definitions",
    "read_definitions",
    "remove",
    "restore_indexes",
]
