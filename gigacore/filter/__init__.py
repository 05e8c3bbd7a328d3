"""The filter language: one typed tree, compiled to SQL and evaluated in Python with the same meaning."""

from gigacore.filter.ast import (
    All,
    Any_,
    Compare,
    Condition,
    Everything,
    Not,
    Nothing,
    Path,
    Relation,
    Shared,
    all_of,
    any_of,
    negated,
)
from gigacore.filter.expressions import currency_expression, field_expression, order_expression
from gigacore.filter.parsing import MAX_NODES, parse, parse_comparison
from gigacore.filter.python import PyEnv, RecordReader, matches
from gigacore.filter.readers import ObjectReader, RecordSource, ValueReader
from gigacore.filter.relations import RelationSource, RowSpec, ToMany, Via
from gigacore.filter.serial import to_json
from gigacore.filter.sql import SqlEnv, to_sql, to_where
from gigacore.filter.stored import read_value, store_value, stored_key

__all__ = [
    "MAX_NODES",
    "All",
    "Any_",
    "Compare",
    "Condition",
    "Everything",
    "Not",
    "Nothing",
    "ObjectReader",
    "Path",
    "PyEnv",
    "RecordReader",
    "RecordSource",
    "Relation",
    "RelationSource",
    "RowSpec",
    "Shared",
    "SqlEnv",
    "ToMany",
    "ValueReader",
    "Via",
    "all_of",
    "any_of",
    "currency_expression",
    "field_expression",
    "matches",
    "negated",
    "order_expression",
    "parse",
    "parse_comparison",
    "read_value",
    "store_value",
    "stored_key",
    "to_json",
    "to_sql",
    "to_where",
]
