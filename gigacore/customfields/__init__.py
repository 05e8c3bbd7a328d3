"""Fields that administrators add to entities: definitions, stored values, indexes."""

from gigacore.customfields import tables

__all__ = ["tables"]
