"""The one service that reads and writes records: pages, API, CLI, import, automations and plugins go through it."""

from gigacore.records.abreast import pages
from gigacore.records.actions import (
    BulkResult,
    Offered,
    action_of,
    bulk,
    bulk_ids,
    check_bulk,
    lock_of,
    offered,
    run_action,
    verb_of,
)
from gigacore.records.batch import Failed, create_many
from gigacore.records.erasing import erase, erase_trashed
from gigacore.records.finding import Found, find
from gigacore.records.inputs import input_schema, load_input, params_schema
from gigacore.records.labels import all_labels, labels_of
from gigacore.records.limits import could_see, may_act, readable_fields, writable_fields
from gigacore.records.merging import merge
from gigacore.records.plan import LABEL
from gigacore.records.read import Count, ListRequest, Page, get, page
from gigacore.records.totals import count, counts_by, totals, totals_by
from gigacore.records.undo import rows_as_input, undo
from gigacore.records.unmerging import Choosable, MergePlan, Unmerged, merge_plan, unmerge
from gigacore.records.values import dumps, reference
from gigacore.records.write import create, delete, load, update
from gigacore.records.written import shown

__all__ = [
    "LABEL",
    "BulkResult",
    "Choosable",
    "Count",
    "Failed",
    "Found",
    "ListRequest",
    "MergePlan",
    "Offered",
    "Page",
    "Unmerged",
    "action_of",
    "all_labels",
    "bulk",
    "bulk_ids",
    "check_bulk",
    "could_see",
    "count",
    "counts_by",
    "create",
    "create_many",
    "delete",
    "dumps",
    "erase",
    "erase_trashed",
    "find",
    "get",
    "input_schema",
    "labels_of",
    "load",
    "load_input",
    "lock_of",
    "may_act",
    "merge",
    "merge_plan",
    "offered",
    "page",
    "pages",
    "params_schema",
    "readable_fields",
    "reference",
    "rows_as_input",
    "run_action",
    "shown",
    "totals",
    "totals_by",
    "undo",
    "unmerge",
    "update",
    "verb_of",
    "writable_fields",
]
