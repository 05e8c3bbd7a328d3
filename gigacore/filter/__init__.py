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
from gigacore.filter.parsing import MAX_NODES, parse, parse_comparison
from gigacore.filter.relations import RelationSource, RowSpec, ToMany, Via
from gigacore.filter.serial import to_json

__all__ = [
    "MAX_NODES",
    "All",
    "Any_",
    "Compare",
    "Condition",
    "Everything",
    "Not",
    "Nothing",
    "Path",
    "Relation",
    "RelationSource",
    "RowSpec",
    "Shared",
    "ToMany",
    "Via",
    "all_of",
    "any_of",
    "negated",
    "parse",
    "parse_comparison",
    "to_json",
]
