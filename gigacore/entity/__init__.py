"""Declaration of entities and the values that describe them."""

from gigacore.entity.base import Base, metadata
from gigacore.entity.declare import (
    Child,
    ChildMeta,
    Entity,
    EntityMeta,
    Extension,
    ExtensionMeta,
    Owned,
    Visibility,
    children,
    choice,
    computed,
    field,
    ref,
    rollup,
)
from gigacore.entity.folding import fold, folded_key
from gigacore.entity.kinds import KINDS, BadValue, Kind
from gigacore.entity.money import Money
from gigacore.entity.registry import SYSTEM_TARGETS, Registry, SystemTarget
from gigacore.entity.spec import (
    ChildSpec,
    Choice,
    ChoiceList,
    EntitySpec,
    FieldSpec,
    RollupSpec,
    Transition,
)

__all__ = [
    "KINDS",
    "SYSTEM_TARGETS",
    "BadValue",
    "Base",
    "Child",
    "ChildMeta",
    "ChildSpec",
    "Choice",
    "ChoiceList",
    "Entity",
    "EntityMeta",
    "EntitySpec",
    "Extension",
    "ExtensionMeta",
    "FieldSpec",
    "Kind",
    "Money",
    "Owned",
    "Registry",
    "RollupSpec",
    "SystemTarget",
    "Transition",
    "Visibility",
    "children",
    "choice",
    "computed",
    "field",
    "fold",
    "folded_key",
    "metadata",
    "ref",
    "rollup",
]
