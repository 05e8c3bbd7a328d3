"""The library behind FastAPI: the application's own engine, and its accounts mapped to actors.

Run it with `uvicorn --factory main:create_app`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import Body, Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse

from gigacore import Actor, Crm, GigaError, Invalid, NotFound, Settings, records
from gigacore.access import users
from gigacore.data import prepare_engine


@dataclass(frozen=True)
class Account:
    """An account of this application; it knows nothing of the CRM."""

    email: str
    name: str


DEMO = {"key-ada": Account("ada@example.test", "Ada Martin"), "key-ben": Account("ben@example.test", "Ben Leroy")}


def create_app(
    engine: sa.Engine | None = None, accounts: Mapping[str, Account] = DEMO, folder: Path = Path("data")
) -> FastAPI:
    """The application around `engine`, which the CRM shares with it."""
    engine = engine or sa.create_engine("sqlite:///app.sqlite3")
    prepare_engine(engine)
    crm = Crm(Settings(data_dir=folder), engine=engine)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        crm.upgrade()
        with crm:
            yield

    app = FastAPI(lifespan=lifespan)
    app.state.crm, app.state.accounts = crm, accounts
    app.get("/leads")(list_leads)
    app.post("/leads", status_code=201)(create_lead)
    app.add_exception_handler(GigaError, refuse)
    return app


def current_crm(request: Request) -> Crm:
    """The application's CRM."""
    crm: Crm = request.app.state.crm
    return crm


def current_actor(
    request: Request, crm: Annotated[Crm, Depends(current_crm)], api_key: Annotated[str, Header()] = ""
) -> Actor:
    """The account behind the key as an actor; a new account becomes a user."""
    account = request.app.state.accounts.get(api_key)
    if account is None:
        raise HTTPException(401, "Unknown key")
    with crm.system("accounts become users") as ctx:
        try:
            user_id = users.find(ctx, account.email).id
        except NotFound:
            user_id = users.create(ctx, account.email, account.name)
    return crm.actor(user_id)


CrmOf = Annotated[Crm, Depends(current_crm)]
ActorOf = Annotated[Actor, Depends(current_actor)]


def list_leads(crm: CrmOf, actor: ActorOf, search: str = "") -> list[dict[str, Any]]:
    """The leads that the caller may see."""
    with crm.read(actor) as ctx:
        request = records.ListRequest(search=search, fields=("name", "status"))
        return records.page(ctx, "crm.lead", request).items


def create_lead(crm: CrmOf, actor: ActorOf, data: Annotated[dict[str, Any], Body()]) -> dict[str, int]:
    """A new lead of the caller."""
    with crm.unit_of_work(actor) as ctx:
        return {"id": records.create(ctx, "crm.lead", data).id}


def refuse(_request: Request, error: Exception) -> JSONResponse:
    """Errors of the library carry their status."""
    assert isinstance(error, GigaError)
    fields = [{"path": one.path, "message": str(one.message)} for one in getattr(error, "errors", ())]
    body = {"detail": str(error.message), "errors": fields if isinstance(error, Invalid) else []}
    return JSONResponse(body, status_code=error.status)
