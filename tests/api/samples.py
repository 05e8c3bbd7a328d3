"""Valid input for any entity, made from the registry alone."""

from gigacore.testing.samples import Create, sample, value_of

__all__ = ["Create", "sample", "value_of"]
