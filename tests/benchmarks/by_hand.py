"""The same requests written by hand with Flask, SQLAlchemy Core and orjson: what the framework is measured against.

Token or cookie look-up, right, validation, folded sort keys and pragmas are those of the product; so are the columns
and indexes of a lead that the sample fills, the change log (values can be erased while its commitments still hold)
and the event for consumers.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson
import sqlalchemy as sa
from flask import Flask, Response, abort, request
from sqlalchemy.dialects.postgresql import JSONB
from uuid_utils import uuid7

from tests.benchmarks.data import Row

if TYPE_CHECKING:
    from tests.benchmarks.product import Owner, Person

MARKS: Final = re.compile("[\u0300-\u036f]")
EMAIL: Final = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
NO_DIGIT: Final = re.compile(r"[^+0-9]")
PHONE: Final = re.compile(r"^\+?[0-9 ().-]{5,25}$")
TEXTS: Final = (
    ("first_name", 100),
    ("last_name", 100),
    ("email", 200),
    ("phone", 60),
    ("company_name", 200),
    ("city", 100),
)
KEYS: Final = ("name", "last_name", "city", "company_name", "email", "phone")
metadata: Final = sa.MetaData()
JSON: Final = sa.JSON().with_variant(JSONB(), "postgresql")
lead: Final = sa.Table(
    "lead",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    *(sa.Column(name, sa.String(size)) for name, size in TEXTS),
    sa.Column("name", sa.String(201)),
    *(sa.Column(f"{name}_key", sa.String(240)) for name in KEYS),
    sa.Column("uid", sa.String(32), unique=True),
    sa.Column("status", sa.String(60), index=True),
    sa.Column("stage", sa.String(60)),
    sa.Column("priority", sa.String(60)),
    sa.Column("visibility", sa.String(40)),
    sa.Column("custom", JSON),
    sa.Column("custom_key", JSON),
    sa.Column("owner_id", sa.Integer, index=True),
    sa.Column("team_id", sa.Integer, index=True),
    sa.Column("version", sa.Integer),
    sa.Column("created_at", sa.String(40), index=True),
    sa.Column("created_by", sa.Integer),
    sa.Column("updated_at", sa.String(40), index=True),
    sa.Column("updated_by", sa.Integer),
    sa.Index("lead_last_name", "last_name_key", "id"),
    sa.Index("lead_city_by_name", "city_key", "last_name_key", "id", "owner_id", "team_id"),
    *(sa.Index(f"lead_{name}", f"{name}_key") for name in KEYS if name != "last_name"),
)
change: Final = sa.Table(
    "change",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("at", sa.String(40)),
    sa.Column("user_id", sa.Integer),
    sa.Column("user_name", sa.String(100)),
    sa.Column("record_id", sa.Integer, index=True),
    sa.Column("verb", sa.String(20)),
    sa.Column("fields", sa.Text),
    sa.Column("commitment", sa.LargeBinary),
)
change_value: Final = sa.Table(
    "change_value",
    metadata,
    sa.Column("change_id", sa.String(32), sa.ForeignKey("change.id"), primary_key=True),
    sa.Column("salt", sa.LargeBinary),
    sa.Column("body", sa.LargeBinary),
)
event: Final = sa.Table(
    "event",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("at", sa.String(40)),
    sa.Column("name", sa.String(60)),
    sa.Column("record_id", sa.Integer, index=True),
    sa.Column("version", sa.Integer),
    sa.Column("fields", sa.Text),
    sa.Column("user_id", sa.Integer),
)
role: Final = sa.Table(
    "role",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("rights", sa.String(200)),
)
person: Final = sa.Table(
    "person",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(100)),
    sa.Column("team_id", sa.Integer),
    sa.Column("teams", JSON),
    sa.Column("role_id", sa.Integer),
    sa.Column("active", sa.Boolean),
)
tokens: Final = sa.Table(
    "token",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("person_id", sa.Integer),
    sa.Column("expires_at", sa.String(40)),
    sa.Column("revoked_at", sa.String(40)),
)
SHOWN: Final = (
    lead.c.id,
    lead.c.first_name,
    lead.c.last_name,
    lead.c.email,
    lead.c.phone,
    lead.c.company_name,
    lead.c.city,
)
COLUMNS: Final = (*SHOWN, lead.c.custom, lead.c.created_at, lead.c.updated_at)
NAMES: Final = tuple(str(column.name) for column in COLUMNS)  # orjson refuses quoted_name
WHO: Final = (
    sa.select(person.c.id, person.c.name, person.c.team_id, person.c.teams, role.c.rights)
    .join(tokens, tokens.c.person_id == person.c.id)
    .join(role, role.c.id == person.c.role_id)
    .where(
        tokens.c.hash == sa.bindparam("hash"),
        tokens.c.revoked_at.is_(None),
        sa.or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > sa.bindparam("now")),
        person.c.active,
    )
)
SEARCHED: Final = ("name_key", "company_name_key", "email_key")
LITE_SEARCH: Final = (
    "CREATE VIRTUAL TABLE lead_search USING fts5(texts, content='', tokenize='trigram', detail=none)",
    "INSERT INTO lead_search(lead_search, rank) VALUES ('automerge', 16)",
    "INSERT INTO lead_search(rowid, texts) SELECT id, {texts} FROM lead",
    "CREATE TRIGGER lead_search_insert AFTER INSERT ON lead"
    " BEGIN INSERT INTO lead_search(rowid, texts) VALUES (NEW.id, {new}); END",
)
HEADS: Final = ("name", "email", "phone", "company_name", "city", "region", "rank", "since")
PAGE: Final = """<!doctype html><html lang="en"><head><title>Leads</title>
<link rel="stylesheet" href="/static/app.css"></head>
<body><nav>{% for m in ["Home","Contacts","Companies","Leads","Opportunities","Tasks","Reports","Settings"] %}
<a href="/{{ m|lower }}">{{ m }}</a>{% endfor %}<span>{{ user }}</span></nav><h1>Leads ({{ count }})</h1>
<form><input name="q"><input name="city" value="{{ city }}"><button>Filter</button></form>
<table><thead><tr><th></th>
{% for h in heads %}<th><a href="?sort={{ h }}">{{ h }}</a></th>{% endfor %}</tr></thead><tbody>
{% for r in rows %}<tr><td><input type="checkbox" name="id" value="{{ r.id }}"></td>
<td><a href="/leads/{{ r.id }}">{{ r.first_name }} {{ r.last_name }}</a></td>
<td><a href="mailto:{{ r.email }}">{{ r.email }}</a></td><td>{{ r.phone }}</td><td>{{ r.company_name }}</td>
<td>{{ r.city }}</td><td>{{ r.custom.x_region }}</td><td>{{ r.custom.x_rank }}</td><td>{{ r.custom.x_since }}</td></tr>
{% endfor %}</tbody></table></body></html>"""


def engine_for(url: str) -> sa.Engine:
    """An engine with the product's pragmas."""
    made = sa.create_engine(url, json_serializer=lambda o: orjson.dumps(o).decode(), json_deserializer=orjson.loads)
    if url.startswith("sqlite"):

        @sa.event.listens_for(made, "connect")
        def pragmas(connection: Any, record: Any) -> None:
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "cache_size=-65536",
                "busy_timeout=10000",
                "foreign_keys=ON",
            ):
                connection.execute(f"PRAGMA {pragma}")

    return made


def fold(text: str) -> str:
    """Without accents and in lower case."""
    if text.isascii():
        return text.lower()
    return MARKS.sub("", unicodedata.normalize("NFKD", text)).lower()


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def validated(body: dict[str, Any]) -> dict[str, str]:
    """What is wrong with a lead, by field."""
    errors = {
        name: "invalid"
        for name, limit in TEXTS
        if not isinstance(body.get(name), str) or not body[name] or len(body[name]) > limit
    }
    if "email" not in errors and not EMAIL.match(body["email"]):
        errors["email"] = "not an e-mail address"
    if "phone" not in errors and not PHONE.match(body["phone"]):
        errors["phone"] = "not a phone number"
    if not isinstance(body.get("x_region"), str):
        errors["x_region"] = "text"
    if not isinstance(body.get("x_rank"), int):
        errors["x_rank"] = "number"
    try:
        date.fromisoformat(body.get("x_since", ""))
    except ValueError:
        errors["x_since"] = "date"
    return errors


def stored(body: dict[str, Any], user: int, team: int) -> dict[str, Any]:
    """The row of a lead."""
    now, name = datetime.now(UTC).isoformat(), f"{body['first_name']} {body['last_name']}"
    return {
        **{name: body[name] for name, _ in TEXTS},
        "name": name,
        **{f"{key}_key": fold(body[key]) for key in ("last_name", "city", "company_name", "email")},
        "name_key": fold(name),
        "phone_key": NO_DIGIT.sub("", body["phone"]),
        "uid": uuid7().hex,
        "status": "new",
        "stage": "discovery",
        "priority": "normal",
        "visibility": "private",
        "custom": {key: body[key] for key in ("x_region", "x_rank", "x_since")},
        "custom_key": {"x_region": fold(body["x_region"])},
        "owner_id": user,
        "team_id": team,
        "version": 1,
        "created_at": now,
        "created_by": user,
        "updated_at": now,
        "updated_by": user,
    }


def logged(
    user: int, numbers: Iterable[int], bodies: Iterable[dict[str, Any]], verb: str = "create"
) -> tuple[list[dict[str, Any]], ...]:
    """The change log, its values and the events of new or changed leads."""
    now = datetime.now(UTC).isoformat()
    changes, values, events = list[dict[str, Any]](), list[dict[str, Any]](), list[dict[str, Any]]()
    for number, given in zip(numbers, bodies, strict=True):
        key, salt = uuid7().hex, os.urandom(16)
        body = orjson.dumps({name: [None, value] for name, value in given.items()})
        fields = orjson.dumps(list(given)).decode()
        same = {"id": key, "at": now, "record_id": number, "fields": fields, "user_id": user}
        committed = hashlib.sha256(salt + body).digest()
        changes.append({**same, "user_name": "Bench", "verb": verb, "commitment": committed})
        values.append({"change_id": key, "salt": salt, "body": body})
        events.append({**same, "name": f"lead.{verb}d", "version": given.get("version", 1)})
    return changes, values, events


def as_body(row: Row) -> dict[str, Any]:
    """A generated lead as the JSON of a request."""
    return {
        **{name: getattr(row, name) for name, _ in TEXTS},
        "x_region": row.region,
        "x_rank": row.rank,
        "x_since": row.since,
    }


def import_rows(engine: sa.Engine, source: Iterable[Row], user: int, team: int, batch: int = 1000) -> int:
    """Validate and insert leads with their change log, in batches of one transaction each."""
    count, pending = 0, list[dict[str, Any]]()
    for row in source:
        body = as_body(row)
        if not validated(body):
            pending.append(body)
        if len(pending) == batch:
            count += _insert(engine, pending, user, team)
            pending = []
    return count + (_insert(engine, pending, user, team) if pending else 0)


def fill(
    engine: sa.Engine, source: Iterable[Row], people: Sequence[Person], owners: Iterable[Owner], *, imported: bool
) -> None:
    """Tables, leads with their owners, and people with the same tokens as on the product's side."""
    from gigacore.data.inserts import DriverInsert  # the server below loads nothing of the product
    from tests.benchmarks.filling import put, without_indexes

    metadata.create_all(engine)
    region = "(custom ->> 'x_region')" if engine.dialect.name == "postgresql" else "json_extract(custom, '$.x_region')"
    with engine.begin() as connection:
        connection.execute(sa.insert(role), {"id": 1, "rights": "lead.view,lead.create,lead.edit"})
        for one in people:
            row = {"id": one.user_id, "name": one.name, "team_id": one.team_id, "teams": list(one.teams)}
            connection.execute(sa.insert(person), row | {"role_id": 1, "active": True})
            connection.execute(sa.insert(tokens), {"hash": digest(one.token), "person_id": one.user_id})
        more = "last_name_key, id, owner_id, team_id"
        connection.execute(sa.text(f"CREATE INDEX lead_x_region ON lead ({region}, {more})"))
        connection.execute(sa.text(f"CREATE INDEX lead_x_rank ON lead ({region.replace('region', 'rank')})"))
        driver = DriverInsert.of(sa.insert(lead), connection.dialect, {name: name for name in lead.c.keys()[1:]})
        leads = (stored(as_body(row), *owner) for row, owner in zip(source, owners, strict=False))
        with without_indexes(connection, lead.name, imported=imported):
            put(connection, driver, (driver.pick(one) for one in leads))
        _index_texts(connection)
        connection.exec_driver_sql("ANALYZE")


def _index_texts(connection: sa.Connection) -> None:
    """The same kind of index over the same texts as the product's."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        columns = ", ".join(f"{name} gin_trgm_ops" for name in SEARCHED)
        connection.exec_driver_sql(f"CREATE INDEX lead_search ON lead USING gin ({columns})")
        return
    texts, new = (" || ' ' || ".join(f"{prefix}{name}" for name in SEARCHED) for prefix in ("", "NEW."))
    for statement in LITE_SEARCH:
        connection.exec_driver_sql(statement.format(texts=texts, new=new))


def _insert(engine: sa.Engine, bodies: list[dict[str, Any]], user: int, team: int) -> int:
    rows = [stored(body, user, team) for body in bodies]
    with engine.begin() as connection:
        _log(connection, user, _insert_leads(connection, rows), bodies)
    return len(bodies)


def _insert_leads(connection: sa.Connection, rows: list[dict[str, Any]]) -> Iterable[int]:
    """On SQLite RETURNING would cost one statement per row, and the trigger of the search five times the insert."""
    if connection.dialect.name != "sqlite":
        return connection.scalars(sa.insert(lead).returning(lead.c.id, sort_by_parameter_order=True), rows).all()
    first = (connection.scalar(sa.select(sa.func.max(lead.c.id))) or 0) + 1
    ids = range(first, first + len(rows))
    texts, new = (" || ' ' || ".join(f"{prefix}{name}" for name in SEARCHED) for prefix in ("", "NEW."))
    connection.exec_driver_sql("DROP TRIGGER lead_search_insert")
    connection.execute(sa.insert(lead), [{**row, "id": number} for number, row in zip(ids, rows, strict=True)])
    connection.exec_driver_sql(LITE_SEARCH[-1].format(new=new))
    added = f"SELECT id, {texts} FROM lead WHERE id >= {first}"
    connection.exec_driver_sql(f"INSERT INTO lead_search(rowid, texts) {added}")
    return ids


def _log(
    connection: sa.Connection, user: int, ids: Iterable[int], bodies: list[dict[str, Any]], verb: str = "create"
) -> None:
    for table, logs in zip((change, change_value, event), logged(user, ids, bodies, verb), strict=True):
        connection.execute(sa.insert(table), logs)


def _searching(source: sa.FromClause, found: Any, order: sa.ColumnElement[Any]) -> sa.Select[Any]:
    holds = sa.or_(*(lead.c[name].like(sa.bindparam("like"), escape="/") for name in SEARCHED))
    mine = sa.or_(lead.c.owner_id == sa.bindparam("me"), lead.c.team_id.in_(sa.bindparam("teams", expanding=True)))
    return sa.select(lead.c.id, lead.c.name).select_from(source).where(found, holds, mine).order_by(order).limit(12)


_texts: Final = sa.table("lead_search", sa.column("rowid", sa.Integer))
SEARCH: Final = {
    "postgresql": _searching(lead, sa.true(), lead.c.id.desc()),
    "sqlite": _searching(
        _texts.join(lead, lead.c.id == _texts.c.rowid), sa.text("lead_search MATCH :grams"), _texts.c.rowid.desc()
    ),
}


def search_values(text: str) -> dict[str, str]:
    """A text for both databases, without what LIKE would take for a sign."""
    plain = text.replace("/", "//").replace("%", "/%").replace("_", "/_")
    grams = (text[at : at + 3].replace('"', '""') for at in range(len(text) - 2))
    return {"like": f"%{plain}%", "grams": " AND ".join(f'"{gram}"' for gram in grams)}


def create_app(engine: sa.Engine) -> Flask:
    """The application written by hand."""
    app = Flask("by_hand", static_folder=None)
    # The literal path is the text of the index; a bound one would not use it.
    path = (
        "lead.custom ->> 'x_region'"
        if engine.dialect.name == "postgresql"
        else "json_extract(lead.custom, '$.x_region')"
    )
    region: sa.ColumnElement[str] = sa.literal_column(f"({path})", sa.String)
    template = app.jinja_env.from_string(PAGE)

    def answer(body: object, status: int = 200) -> Response:
        return Response(orjson.dumps(body), status, mimetype="application/json")

    def who(connection: sa.Connection, right: str) -> Any:
        token = request.headers.get("Authorization", "")[7:] or request.cookies.get("sid", "")
        row = connection.execute(WHO, {"hash": digest(token), "now": datetime.now(UTC).isoformat()}).first()
        if row is None or right not in row.rights.split(","):
            abort(403)
        return row

    def listing(connection: sa.Connection, user: Any) -> tuple[int, list[dict[str, Any]]]:
        where = [sa.or_(lead.c.owner_id == user.id, lead.c.team_id.in_(user.teams))]
        if "city" in request.args:
            where.append(lead.c.city_key == fold(request.args["city"]))
        if "x_region" in request.args:
            where.append(region == request.args["x_region"])
        count = connection.scalar(sa.select(sa.func.count()).select_from(lead).where(*where)) or 0
        statement = sa.select(*COLUMNS).where(*where).order_by(lead.c.last_name_key, lead.c.id).limit(50)
        return count, [dict(zip(NAMES, row, strict=True)) for row in connection.execute(statement)]

    @app.get("/api/leads")
    def leads() -> Response:
        with engine.connect() as connection:
            count, rows = listing(connection, who(connection, "lead.view"))
        return answer({"count": count, "items": rows})

    @app.get("/leads")
    def page() -> str:
        with engine.connect() as connection:
            user = who(connection, "lead.view")
            count, rows = listing(connection, user)
        city = request.args.get("city", "")
        return template.render(user=user.name, count=count, city=city, heads=HEADS, rows=rows)

    @app.post("/api/leads")
    def create() -> Response:
        with engine.begin() as connection:
            user = who(connection, "lead.create")
            body = orjson.loads(request.get_data())
            if errors := validated(body):
                return answer({"errors": errors}, 422)
            row = stored(body, user.id, user.team_id)
            number = connection.execute(sa.insert(lead).values(**row)).inserted_primary_key[0]  # type: ignore[index]  # one row has a key
            _log(connection, user.id, [number], [body])
        return answer({**body, "id": number, "created_at": row["created_at"]}, 201)

    @app.patch("/api/leads/<int:number>")
    def edit(number: int) -> Response:
        with engine.begin() as connection:
            user = who(connection, "lead.edit")
            mine = sa.or_(lead.c.owner_id == user.id, lead.c.team_id.in_(user.teams))
            found = connection.execute(sa.select(lead).where(lead.c.id == number, mine)).first()
            if found is None:
                abort(404)
            seen = {str(name): value for name, value in found._mapping.items()}
            if request.headers.get("If-Match") != f'"{seen["version"]}"':
                abort(412)
            given = orjson.loads(request.get_data())
            if errors := validated({**seen, **seen["custom"], **given}):
                return answer({"errors": errors}, 422)
            keys = {f"{name}_key": fold(value) for name, value in given.items() if f"{name}_key" in seen}
            now, version = datetime.now(UTC).isoformat(), seen["version"] + 1
            values = {**given, **keys, "version": version, "updated_at": now, "updated_by": user.id}
            connection.execute(sa.update(lead).where(lead.c.id == number).values(**values))
            _log(connection, user.id, [number], [values], "update")
        return answer({name: {**seen, **values}[name] for name in NAMES})

    @app.get("/api/search")
    def search() -> Response:
        with engine.connect() as connection:
            user, wanted = who(connection, "lead.view"), search_values(fold(request.args["q"]))
            values = {**wanted, "me": user.id, "teams": user.teams}
            found = connection.execute(SEARCH[engine.dialect.name], values).all()
        return answer({"items": [{"id": number, "label": name} for number, name in found]})

    return app


def from_environment() -> Flask:
    """The application on the database that `BY_HAND_URL` names, for gunicorn."""
    return create_app(engine_for(os.environ["BY_HAND_URL"]))
