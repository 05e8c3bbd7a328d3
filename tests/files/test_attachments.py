"""Whoever sees a record reads its files; nobody else learns that they exist."""

from __future__ import annotations

import io
from typing import Any
from uuid import uuid4

import pytest

from gigacore import Actor, Crm, files, records
from gigacore.errors import Forbidden, NotFound
from gigacore.files import StoredFile


def upload(crm: Crm, actor: Actor, content: bytes = b"%PDF-1.7 offer", name: str = "../Offer.pdf") -> StoredFile:
    stored = crm.storage.write_stream(io.BytesIO(content))
    with crm.unit_of_work(actor) as ctx:
        return files.register(ctx, stored, name)


def lead_of(crm: Crm, actor: Actor) -> int:
    with crm.unit_of_work(actor) as ctx:
        return records.create(ctx, "crm.lead", {"last_name": "Lee"}).id


@pytest.fixture
def ann(make_user: Any) -> Actor:
    return make_user("user", team="North", name="Ann")  # type: ignore[no-any-return]


@pytest.fixture
def tom(make_user: Any) -> Actor:
    return make_user("user", team="South", name="Tom")  # type: ignore[no-any-return]


def test_a_file_is_known_by_its_cleaned_name_and_found_type(crm: Crm, ann: Actor) -> None:
    file = upload(crm, ann)
    assert (file.name, file.mime, file.size) == ("Offer.pdf", "application/pdf", 14)
    assert b"".join(crm.storage.read_range(file.object_id, 5, 3)) == b"1.7"


def test_a_record_lists_its_files_in_order(crm: Crm, ann: Actor) -> None:
    lead, one, two = lead_of(crm, ann), upload(crm, ann), upload(crm, ann, b"x", "b.txt")
    with crm.unit_of_work(ann) as ctx:
        files.attach(ctx, one.uid, "crm.lead", lead)
        files.attach(ctx, two.uid, "crm.lead", lead)
        files.attach(ctx, one.uid, "crm.lead", lead)
    with crm.read(ann) as ctx:
        assert [file.uid for file in files.of_record(ctx, "crm.lead", lead)] == [one.uid, two.uid]


def test_a_file_of_a_hidden_record_is_not_there(crm: Crm, ann: Actor, tom: Actor) -> None:
    lead, file = lead_of(crm, ann), upload(crm, ann)
    with crm.unit_of_work(ann) as ctx:
        files.attach(ctx, file.uid, "crm.lead", lead)
    with crm.read(tom) as ctx:
        for uid in (file.uid, uuid4()):
            with pytest.raises(NotFound):
                files.get(ctx, uid)
        with pytest.raises(NotFound):
            files.of_record(ctx, "crm.lead", lead)
    with crm.read(ann) as ctx:
        assert files.get(ctx, file.uid) == file


def test_another_persons_file_cannot_be_attached_to_ones_own_record(crm: Crm, ann: Actor, tom: Actor) -> None:
    file, lead = upload(crm, ann), lead_of(crm, tom)
    with pytest.raises(NotFound), crm.unit_of_work(tom) as ctx:
        files.attach(ctx, file.uid, "crm.lead", lead)


def test_a_file_cannot_be_attached_to_a_hidden_record(crm: Crm, ann: Actor, tom: Actor) -> None:
    file, lead = upload(crm, tom), lead_of(crm, ann)
    with pytest.raises(NotFound), crm.unit_of_work(tom) as ctx:
        files.attach(ctx, file.uid, "crm.lead", lead)


def test_who_may_only_see_a_record_adds_nothing_to_it(crm: Crm, ann: Actor, tom: Actor) -> None:
    lead, file = lead_of(crm, ann), upload(crm, tom)
    with crm.unit_of_work(ann) as ctx:
        records.update(ctx, "crm.lead", lead, {"visibility": "read"})
    with pytest.raises(Forbidden), crm.unit_of_work(tom) as ctx:
        files.attach(ctx, file.uid, "crm.lead", lead)


def test_a_detached_file_goes_when_nothing_else_holds_it(crm: Crm, ann: Actor) -> None:
    first, second, file = lead_of(crm, ann), lead_of(crm, ann), upload(crm, ann)
    with crm.unit_of_work(ann) as ctx:
        for lead in (first, second):
            files.attach(ctx, file.uid, "crm.lead", lead)
        files.detach(ctx, file.uid, "crm.lead", first)
        assert files.get(ctx, file.uid) == file
        files.detach(ctx, file.uid, "crm.lead", second)
        with pytest.raises(NotFound):
            files.get(ctx, file.uid)


def test_the_sweeper_removes_objects_without_a_row_and_no_others(crm: Crm, ann: Actor) -> None:
    kept = upload(crm, ann)
    crm.storage.write_stream(io.BytesIO(b"nobody knows me"))
    with crm.database.connect() as connection:
        assert files.sweep(connection, crm.storage) == 0, "it could belong to an upload in progress"
        assert files.sweep(connection, crm.storage, older_than=-1) == 1
    assert [object_id for object_id, _ in crm.storage.objects()] == [kept.object_id]
