"""Searching: an index over the searchable texts of each entity, so that a search does not read every record."""

from gigacore.search.index import is_search_index, remove, restore, tidy
from gigacore.search.query import grams, index_of, matching

__all__ = ["grams", "index_of", "is_search_index", "matching", "remove", "restore", "tidy"]
