"""The declaration of entities, child rows and extension tables: one typed class is the only source."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Integer, Uuid, column, literal_column
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gigacore.entity.annotations import inner_type, own_annotations
from gigacore.entity.base import Base
from gigacore.entity.build import FieldDecl, attach, index_of, label_of
from gigacore.entity.columns import BigId, EnumText, JsonB, UtcDateTime
from gigacore.entity.spec import SIGHT, Access, ChildSpec, DeleteRule, EntitySpec, FieldSpec, RollupSpec, Transition
from gigacore.errors import PluginError
from gigacore.ids import uuid7
from gigacore.messages import msg
from gigacore.values import dataclass

# A restored record takes its old id back, so SQLite must not give it away in between.
_NEVER_REUSED: Final = MappingProxyType({"sqlite_autoincrement": True})


class Visibility(enum.Enum):
    """Who sees an owned record besides those responsible: nobody, everyone, or everyone who may then also edit it."""

    private = "private"
    read = "read"
    write = "write"


@dataclass(frozen=True, slots=True)
class EntityMeta:
    """What an entity's fields do not say.

    `name` is `<plugin>.<entity>`; `label_new` the words on a button that creates one (`Create lead`: languages with
    genders need the whole phrase); `title` the field that names a record; `board` the choice field of its kanban;
    `subject` the path to the person it is about; `parent` the ref field whose policy decides (access "parent");
    `locked_when` / `frozen_when` filters: a locked record changes only through an action that unlocks it, a frozen one
    never; `required_any` fields of which at least one must be filled; `sort` the order of lists; `by_name` the field
    that orders them from A to Z (the title, unless it is named): indexes of custom texts carry it; `key_facts` the
    fields of a record's header; `hidden` entities have no pages of their own; `visibility` of a new record, unless it
    is set; `labels` the JSON field with the title in further languages, by language; `colour` the field with the colour
    of its pill, where records refer to it.
    """

    name: str
    plural: str
    title: str
    label: str = ""
    label_plural: str = ""
    label_new: str = ""
    icon: str = "file"
    group: str = "Sales"
    access: Access = "owned"
    parent: str | None = None
    board: str | None = None
    subject: str | None = None
    id_prefix: str = ""
    transitions: tuple[Transition, ...] = ()
    locked_when: Mapping[str, Any] | None = None
    frozen_when: Mapping[str, Any] | None = None
    locked_reason: str = ""
    required_any: tuple[str, ...] = ()
    sort: str = "-id"
    by_name: str = ""
    key_facts: tuple[str, ...] = ()
    hidden: bool = False
    visibility: Visibility = Visibility.private
    indexes: tuple[tuple[str, ...], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    labels: str | None = None
    colour: str | None = None


@dataclass(frozen=True, slots=True)
class ChildMeta:
    """Rows of `parent` kept in table `<name with _>`; `name` is `<plugin>.<row>` such as `crm.contact_email`."""

    name: str
    parent: str


@dataclass(frozen=True, slots=True)
class ExtensionMeta:
    """Fields that `plugin` adds onto `entity`, kept in `<plugin>_<entity>_ext`."""

    plugin: str
    entity: str


def field(
    *,
    label: str = "",
    help: str = "",
    kind: str | None = None,
    required: bool | None = None,
    default: Any = None,
    max_length: int | None = None,
    minimum: Any = None,
    maximum: Any = None,
    listed: bool = False,
    search: bool = False,
    sort: bool = False,
    indexed: bool = False,
    unique: bool = False,
    personal: bool = False,
    secret: bool = False,
    readonly: bool = False,
    section: str = "",
    switch: str = "",
    image: tuple[int, int] | None = None,
    vocabulary: str = "",
) -> Any:
    """A stored field. Its kind follows from the annotation; `kind` names one that a `str` cannot tell (`email`).

    Without `required`, a field is required when its annotation has no `None` and it has no default. `switch` names a
    yes-or-no setting: while it is off, forms do not ask for the field. `kind="file"` on a `UUID | None` holds a file by
    its uid; with `image`, a width and a height in pixels, only a picture, which is made smaller where it is larger. A
    text with `vocabulary="countries"` (ISO 3166) or `"languages"` (ISO 639) is chosen by name and kept as its code.
    """
    return FieldDecl(
        spec=FieldSpec(
            name="", kind=kind or "", label=label, help=help, default=default, max_length=max_length, minimum=minimum,
            maximum=maximum, listed=listed, search=search, sort=sort, indexed=indexed, unique=unique, personal=personal,
            secret=secret, readonly=readonly, section=section, switch=switch, image=image,
            vocabulary=vocabulary,
        ),
        required=required,
    )  # fmt: skip


def ref(target: str, *, on_delete: DeleteRule | None = None, soft: bool = False, **options: Any) -> Any:
    """A reference to a record of `target`. `on_delete` is required, unless `soft`: a plain indexed integer."""
    if on_delete is None and not soft:
        raise ValueError(f"ref({target!r}) needs on_delete= restrict, set_null or cascade (or soft=True)")
    declared: FieldDecl = field(kind="ref", **options)
    return FieldDecl(
        replace(declared.spec, target=target, on_delete=on_delete, soft=soft, indexed=True), declared.required
    )


def choice(list: str, *, many: bool = False, computed: bool = False, **options: Any) -> Any:
    """One value (or several) of a choice list that administrators edit; stored by key.

    With `computed` the system keeps the value, as it does for `computed()` without a function.
    """
    declared: FieldDecl = field(kind="choices" if many else "choice", **options)
    spec = replace(declared.spec, choice_list=list)
    return FieldDecl(replace(spec, computed=True, readonly=True) if computed else spec, declared.required)


def computed(compute: Callable[[Any], Any] | None = None, *, depends_on: Sequence[str] = (), **options: Any) -> Any:
    """A stored value that the system keeps: computed from the record in the flush, or, without `compute`, by a job.

    It neither raises the version nor fires rules.
    """
    declared: FieldDecl = field(readonly=True, required=False, **options)
    spec = replace(declared.spec, computed=True, compute=compute, depends_on=tuple(depends_on))
    return FieldDecl(spec, False)


def rollup(source: str, function: str, of: str | None = None, **options: Any) -> Any:
    """A stored `sum`, `count` or `max` over child rows or over records that refer here.

    `source` is the attribute of the rows (`"lines"`) or the field that refers here (`"crm.opportunity.company_id"`).
    """
    if function not in ("sum", "count", "max"):
        raise ValueError(f"rollup function must be sum, count or max, not {function!r}")
    declared: FieldDecl = field(readonly=True, required=False, **options)
    spec = replace(declared.spec, computed=True, rollup=RollupSpec(source, function, of))  # type: ignore[arg-type]
    return FieldDecl(spec, False)


@dataclass(frozen=True, slots=True)
class ChildrenDecl:
    """The placeholder that `children()` leaves until the class is mapped."""

    cls: type[Child]
    order_by: str
    label: str


def children(cls: type[Child], *, order_by: str = "position", label: str = "") -> Any:
    """Rows that live, change and are judged with their record."""
    return ChildrenDecl(cls, order_by, label)


class Entity(Base):
    """Root of every entity. A subclass sets `__entity__` and annotates its fields; the rest is derived."""

    __abstract__ = True
    __entity__: ClassVar[EntityMeta]
    __giga__: ClassVar[EntitySpec]

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid7, insert_sentinel=True)
    version: Mapped[int] = mapped_column(Integer, default=1)
    custom: Mapped[dict[str, Any]] = mapped_column(JsonB(), default=dict)
    custom_key: Mapped[dict[str, Any]] = mapped_column(JsonB(), default=dict)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[int | None] = mapped_column(BigId)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    updated_by: Mapped[int | None] = mapped_column(BigId)

    # The flush raises the version; SQLAlchemy adds `WHERE version = <the one read>` to every update and delete.
    __mapper_args__: Any = MappingProxyType({"version_id_col": version, "version_id_generator": False})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        meta: EntityMeta | None = cls.__dict__.get("__entity__")
        if meta is not None:
            _prepare_entity(cls, meta)
        super().__init_subclass__(**kwargs)


class Owned:
    """The columns of owned records; for annotations of code that handles any owned entity."""

    org_id: Mapped[int]
    owner_id: Mapped[int | None]
    team_id: Mapped[int | None]
    visibility: Mapped[Visibility]


class Child(Base):
    """Root of child rows. A subclass sets `__child__` and annotates its fields."""

    if TYPE_CHECKING:
        parent_id: Mapped[int]

    __abstract__ = True
    __child__: ClassVar[ChildMeta]
    __fields__: ClassVar[Mapping[str, FieldSpec]]

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    uid: Mapped[UUID] = mapped_column(Uuid, unique=True, default=uuid7, insert_sentinel=True)
    position: Mapped[int] = mapped_column(Integer, default=0)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        meta: ChildMeta | None = cls.__dict__.get("__child__")
        if meta is not None:
            plugin = meta.name.split(".", 1)[0]
            cls.__tablename__ = meta.name.replace(".", "_")
            parent = ForeignKey(f"{meta.parent.replace('.', '_')}.id", ondelete="CASCADE")
            cls.parent_id = mapped_column(BigId, parent, index=True, nullable=False)
            cls.__fields__ = _map_fields(cls, meta.name, plugin, title=None)
            cls.__table_args__ = (*cls.__table_args__, dict(_NEVER_REUSED))
        super().__init_subclass__(**kwargs)


class Extension(Base):
    """Root of extension tables. A subclass sets `__extension__` and annotates the fields it adds."""

    if TYPE_CHECKING:
        id: Mapped[int]

    __abstract__ = True
    __extension__: ClassVar[ExtensionMeta]
    __fields__: ClassVar[Mapping[str, FieldSpec]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        meta: ExtensionMeta | None = cls.__dict__.get("__extension__")
        if meta is not None:
            cls.__tablename__ = f"{meta.plugin}_{meta.entity.split('.', 1)[1]}_ext"
            parent = ForeignKey(f"{meta.entity.replace('.', '_')}.id", ondelete="CASCADE")
            cls.id = mapped_column(BigId, parent, primary_key=True, autoincrement=False)
            own = _map_fields(cls, meta.entity, meta.plugin, title=None)
            cls.__fields__ = MappingProxyType(
                {
                    f"{meta.plugin}.{key}": replace(spec, name=f"{meta.plugin}.{key}", extension=cls)
                    for key, spec in own.items()
                }
            )
        super().__init_subclass__(**kwargs)


def _prepare_entity(cls: type[Entity], meta: EntityMeta) -> None:
    plugin, dot, short = meta.name.partition(".")
    if not dot or not short.isidentifier() or not plugin.isidentifier():
        raise PluginError(
            plugin,
            msg("Entity name {name} must read <plugin>.<entity>.", name=meta.name),
            fix=msg("Use letters, digits and underscores on both sides of the dot."),
        )
    cls.__tablename__ = meta.name.replace(".", "_")
    if cls.__tablename__ in cls.metadata.tables:
        raise PluginError(
            plugin,
            msg("Two entities are called {name}.", name=meta.name),
            fix=msg("Give one of the two another name in its EntityMeta."),
        )
    if meta.access == "owned":
        _add_owned_columns(cls, meta.visibility)
    kids = _map_children(cls)
    fields = _map_fields(cls, meta.name, plugin, title=meta.title)
    cls.__table_args__ = (*_indexes(cls.__tablename__, meta), *cls.__table_args__, dict(_NEVER_REUSED))
    cls.__giga__ = _entity_spec(cls, meta, fields, kids)


def _add_owned_columns(cls: Any, visibility: Visibility) -> None:
    cls.org_id = mapped_column(BigId, nullable=False, default=1)
    cls.owner_id = mapped_column(BigId, index=True, nullable=True)
    cls.team_id = mapped_column(BigId, index=True, nullable=True)
    cls.visibility = mapped_column(EnumText(Visibility), nullable=False, default=visibility)


def _map_children(cls: type[Entity]) -> dict[str, ChildSpec]:
    kids: dict[str, ChildSpec] = {}
    for name, value in list(vars(cls).items()):
        if not isinstance(value, ChildrenDecl):
            continue
        row = value.cls
        setattr(
            cls,
            name,
            relationship(
                row,
                cascade="all, delete-orphan",
                passive_deletes=True,
                order_by=getattr(row, value.order_by),
                lazy="select",
            ),
        )
        label = value.label or label_of(name)
        kids[name] = ChildSpec(name, label, row.__child__.name, row, row.__fields__, value.order_by)
    return kids


def _map_fields(cls: type[Base], entity: str, plugin: str, title: str | None) -> Mapping[str, FieldSpec]:
    specs: dict[str, FieldSpec] = {}
    indexes: list[Index] = []
    hints = own_annotations(cls)
    for name, declared in list(vars(cls).items()):
        if isinstance(declared, FieldDecl):
            kind, optional = inner_type(cls, name, hints.get(name))
            spec = attach(cls, name, declared, kind, optional, entity=entity, plugin=plugin, is_title=name == title)
            specs[name] = spec
            if (index := index_of(cls.__tablename__, spec, nullable=optional)) is not None:
                indexes.append(index)
    if title is not None and title not in specs:
        raise PluginError(
            plugin,
            msg("{entity} names {title} as its title, which is no field of it.", entity=entity, title=title),
            fix=msg("Name one of these in title=: {names}.", names=", ".join(sorted(specs)) or "-"),
        )
    cls.__table_args__ = tuple(indexes)
    return MappingProxyType(specs)


def _indexes(table: str, meta: EntityMeta) -> list[Index]:
    sight = ("id", *SIGHT) if meta.access == "owned" else ()
    plain = [Index(f"ix_{table}_{'_'.join(columns)}", *columns, *sight) for columns in meta.indexes]
    if sight:
        few = column("visibility") != literal_column("'private'")
        plain.append(Index(f"ix_{table}_open", "visibility", sqlite_where=few, postgresql_where=few))
    return plain + [Index(f"uq_{table}_{'_'.join(columns)}", *columns, unique=True) for columns in meta.unique]


def _entity_spec(
    cls: type[Entity], meta: EntityMeta, fields: Mapping[str, FieldSpec], kids: Mapping[str, ChildSpec]
) -> EntitySpec:
    plugin, _, short = meta.name.partition(".")
    label = meta.label or label_of(short)
    return EntitySpec(
        name=meta.name, plugin=plugin, short=short, plural=meta.plural, label=label,
        label_plural=meta.label_plural or label_of(meta.plural), title=meta.title, cls=cls,
        fields=MappingProxyType({**fields, **standard_fields(meta, plugin)}), children=MappingProxyType(dict(kids)),
        icon=meta.icon, group=meta.group, board=meta.board, access=meta.access, parent_field=meta.parent,
        subject=meta.subject, id_prefix=meta.id_prefix, transitions=meta.transitions, locked_when=meta.locked_when,
        frozen_when=meta.frozen_when, locked_reason=meta.locked_reason, required_any=meta.required_any, sort=meta.sort,
        by_name=meta.by_name or meta.title,
        key_facts=meta.key_facts, hidden=meta.hidden, label_new=meta.label_new, labels=meta.labels,
        colour=meta.colour,
    )  # fmt: skip


def standard_fields(meta: EntityMeta, plugin: str) -> dict[str, FieldSpec]:
    """The fields that every record has; owner, team and visibility only where records are owned."""

    def own(name: str, kind: str, label: str, **options: Any) -> FieldSpec:
        return FieldSpec(
            name=name, kind=kind, label=label, entity=meta.name, plugin=plugin, attribute=name, column=name,
            section="record", **options,
        )  # fmt: skip

    by = {"target": "core.user", "soft": True, "readonly": True}
    specs = [
        own("id", "integer", "Number", readonly=True, sort=True, indexed=True),
        own("uid", "uuid", "UID", readonly=True, indexed=True),
        own("version", "integer", "Version", readonly=True),
        own("created_at", "datetime", "Created", readonly=True, sort=True),
        own("created_by", "ref", "Created by", **by),
        own("updated_at", "datetime", "Updated", readonly=True, sort=True, indexed=True),
        own("updated_by", "ref", "Updated by", **by),
    ]
    if meta.access == "owned":
        options = (("private", "Private"), ("read", "Public, read only"), ("write", "Public, read and write"))
        specs += [
            own("org_id", "ref", "Organisation", target="core.org", soft=True, readonly=True),
            own("owner_id", "ref", "Owner", target="core.user", soft=True, indexed=True),
            own("team_id", "ref", "Team", target="core.team", soft=True, indexed=True),
            own("visibility", "enum", "Visibility", enum=Visibility, choices=options, default=meta.visibility),
        ]
    return {spec.name: spec for spec in specs}
