"""The CRM of this Django project: an engine on Django's database, and Django's users as actors."""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser

from gigacore import Actor, Crm, NotFound, Settings
from gigacore.access import users
from gigacore.data import prepare_engine


@cache
def crm() -> Crm:
    """One CRM per process; its tables lie beside Django's."""
    engine = sa.create_engine(f"sqlite:///{settings.DATABASES['default']['NAME']}")
    prepare_engine(engine)
    found = Crm(Settings(data_dir=settings.FOLDER), engine=engine)
    found.upgrade()
    return found


def actor_for(user: AbstractBaseUser) -> Actor:
    """Django's user as an actor: found by e-mail address, made when it is first seen, staff as administrators."""
    with crm().system("Django's users become users") as ctx:
        try:
            user_id = users.find(ctx, user.email).id
        except NotFound:
            role = "admin" if user.is_staff else "user"
            user_id = users.create(ctx, user.email, user.get_full_name() or user.get_username(), role=role)
    return crm().actor(user_id)
