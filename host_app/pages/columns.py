"""The columns of a list: which fields are shown, their headings, and the writer of a table row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from gigacore.entity import EntitySpec, FieldSpec
from gigacore.ids import readable_id
from gigacore.messages import msg
from gigacore.records import LABEL
from gigacore.values import dataclass
from host_app.pages.addresses import list_url
from host_app.pages.cells import NUMBERS, Draw, Reading, drawer, safe

Item = Mapping[str, Any]
MOST_COLUMNS: Final = 8
CONTACT: Final = frozenset({"email", "phone", "url"})
UNLISTED: Final = frozenset({"longtext", "json", "uuid"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its field, heading and how its values are drawn. `classes` are those of its cells."""

    field: FieldSpec
    label: str
    draw: Draw
    classes: str = ""

    @property
    def name(self) -> str:
        """The field's name."""
        return self.field.name

    @property
    def sortable(self) -> bool:
        """Whether the list may be ordered by it without reading everything."""
        return self.field.sort or (self.field.indexed and self.field.kind not in UNLISTED)


def label_of(spec: FieldSpec, reader: Reading) -> str:
    """A field's label in the reader's language; custom fields carry their own translations."""
    return spec.labels.get(reader.locale) or reader.t(spec.label)


def new_label(spec: EntitySpec, reader: Reading) -> str:
    """The words of a button that creates a record: those that the entity declares, else a neutral phrase."""
    if spec.label_new:
        return reader.t(spec.label_new)
    return reader.t(msg("Create {thing}", thing=reader.t(spec.label).lower()))


def default_fields(spec: EntitySpec, readable: Iterable[FieldSpec], more: Sequence[str] = ()) -> list[str]:
    """The columns of a list that nobody has chosen: the title, listed fields, those of plugins, owner and date."""
    names = {field.name for field in readable}
    listed = [name for name in names_in_order(spec) if name in names and spec.fields[name].listed]
    listed.sort(key=lambda name: spec.fields[name].kind in CONTACT)
    tail = [name for name in ("owner_id",) if name in names]
    status = [spec.board] if spec.board in listed else []
    added = [name for name in more if name in names]
    wanted = list(dict.fromkeys([spec.title, *status, *listed]))[: MOST_COLUMNS - len(added)]
    chosen = list(dict.fromkeys([*wanted, *added]))
    return chosen + [name for name in tail if name not in chosen]


def names_in_order(spec: EntitySpec) -> list[str]:
    """Field names in the order of their declaration, the record's own fields last."""
    return sorted(spec.fields, key=lambda name: spec.fields[name].section == "record")


def columns_of(spec: EntitySpec, names: Iterable[str], reader: Reading) -> list[Column]:
    """The columns of these fields, the title first and always."""
    chosen = dict.fromkeys([spec.title, *names])
    return [_column(spec.fields[name], reader) for name in chosen if name in spec.fields]


def _column(field: FieldSpec, reader: Reading) -> Column:
    classes = "n" if field.kind in NUMBERS else "k" if field.kind in CONTACT else ""
    return Column(field, label_of(field, reader), drawer(field, reader), classes)


def value_of(item: Item, name: str) -> Any:
    """The value of a field in a record as `records` gives it; fields of plugins stand under the plugin's name."""
    if name in item:
        return item[name]
    plugin, dot, rest = name.partition(".")
    return (item.get(plugin) or {}).get(rest) if dot else None


def title_of(spec: EntitySpec, item: Item) -> str:
    """What a record is called, in the reader's language where it has names in several; its number without any."""
    title = value_of(item, LABEL if spec.labels and LABEL in item else spec.title)
    return str(title) if title not in (None, "") else number_of(spec, item["id"])


def number_of(spec: EntitySpec, record_id: int) -> str:
    """`LEAD-000123`, or `#123` for entities without readable ids."""
    return readable_id(spec.id_prefix, record_id) if spec.id_prefix else f"#{record_id}"


def row_writer(
    spec: EntitySpec, columns: Sequence[Column], reader: Reading, *, tick: bool, avatar: Draw | None = None
) -> Callable[[Item], str]:
    """The function that writes one table row; optional end tags and quotes are left out to keep pages small.

    `avatar` draws the small picture before the title.
    """
    path = list_url(spec)
    rest = [
        (column.name, column.draw, f"<td class={column.classes}>" if column.classes else "<td>")
        for column in columns[1:]
    ]

    def write(item: Item) -> str:
        title, record = safe(title_of(spec, item)), item["id"]
        box = f'<td class=c><input type=checkbox name=id value={record} aria-label="{title}">'
        picture = avatar(item) if avatar is not None else ""
        parts = [f'<tr>{box if tick else ""}<th scope=row>{picture}<a href="{path}/{record}">{title}</a>']
        for name, draw, start in rest:
            value = item.get(name) if "." not in name else value_of(item, name)
            parts.append(start)
            if value is not None and value != "":
                parts.append(draw(value))
        return "".join(parts)

    return write
