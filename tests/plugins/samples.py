"""Sample plugins for the life cycle: entities with child rows, references in every direction, extensions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy.orm import Mapped

from gigacore import (
    Child,
    ChildMeta,
    Choice,
    ChoiceList,
    Context,
    Crm,
    Entity,
    EntityMeta,
    Extension,
    ExtensionMeta,
    Money,
    Plugin,
    RoleGrant,
    children,
    choice,
    field,
    ref,
)
from gigacore.data import create_engine, settings
from gigacore.entity import FieldSpec, metadata
from gigacore.migrate import write_revision
from gigacore.text.stored import TemplateKind


class Guest(Child):
    __child__ = ChildMeta("tours.guest", "tours.tour")

    name: Mapped[str] = field(max_length=80)


class Tour(Entity):
    __entity__ = EntityMeta("tours.tour", plural="tours", title="title")

    title: Mapped[str] = field(search=True, max_length=200)
    kind: Mapped[str | None] = choice("tours.kind")
    price: Mapped[Money | None] = field()
    lead_id: Mapped[int | None] = ref("crm.lead", on_delete="restrict")
    company_id: Mapped[int | None] = ref("crm.company", soft=True)
    before_id: Mapped[int | None] = ref("tours.tour", on_delete="set_null")
    guests: Mapped[list[Guest]] = children(Guest)


class LeadTours(Extension):
    __extension__ = ExtensionMeta("tours", "crm.lead")

    wish: Mapped[str | None] = field(max_length=80)


class Postcard(Entity):
    __entity__ = EntityMeta("cards.postcard", plural="postcards", title="text")

    text: Mapped[str] = field(max_length=200)
    tour_id: Mapped[int | None] = ref("tours.tour", soft=True)


class Stop(Entity):
    __entity__ = EntityMeta("stops.stop", plural="stops", title="name")

    name: Mapped[str] = field(max_length=50)
    tour_id: Mapped[int | None] = ref("tours.tour", on_delete="restrict")


def install(ctx: Context) -> None:
    """A plugin's own part of its installation: the season that tours begin with."""
    if settings.get(ctx, "tours.season") is None:
        settings.put(ctx, "tours.season", "spring", plugin="tours")


TICKET = TemplateKind("tours.ticket", "Ticket", html=True, entity="tours.tour")
KINDS = ChoiceList("tours.kind", "Kinds of tour", (Choice("bus", "By bus"), Choice("boat", "By boat")))
TOURS = Plugin(
    "tours",
    version="1.0",
    requires=["crm"],
    entities=[Tour],
    extensions=[LeadTours],
    choice_lists=[KINDS],
    settings=[FieldSpec("tours.season", "text", "Season")],
    grants=[RoleGrant("user", "tours.tour", ("export",), "own")],
    declares=[TICKET],
    install=install,
)
CARDS = Plugin("cards", requires=["crm"], entities=[Postcard])
STOPS = Plugin("stops", requires=["tours"], entities=[Stop])


def with_migrations(folder: Path, *plugins: Plugin) -> list[Plugin]:
    """The plugins with generated migrations below `folder`; a plugin stands after those that it requires."""
    made: list[Plugin] = []
    for plugin in plugins:
        own = replace(plugin, migrations=folder / plugin.name)
        known = Crm(engine=create_engine("sqlite://"), plugins=[*made, own])
        history = known.plugins.history(own.name)
        assert write_revision(history, metadata, create_engine("sqlite://"), "Tables") is not None
        made.append(own)
    return made


def with_folders(folder: Path, *plugins: Plugin) -> list[Plugin]:
    """The plugins with the migrations that `with_migrations` wrote below `folder` before."""
    return [replace(plugin, migrations=folder / plugin.name) for plugin in plugins]
