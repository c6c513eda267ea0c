from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from time import process_time
from urllib.parse import unquote

import azure.functions as func
import pytest
from azure.data.tables import TableClient

from local.outage import Outside
from shared import settings
from shared.adapters.keys import TABLE
from shared.adapters.records import Records
from shared.core.names import GalleryId, ImageId, Name
from shared.core.status import DefinitionStatus, Place, Sweep, SweptGallery, Versions, VersionSeen
from shared.formats.board import Entry
from shared.settings import Storage
from shared.wiring import App
from tests.adapters.support import IMAGE, NOBODY
from tests.core.build import NOW
from tests.core.test_status import FULL, SWEEP, VERSIONS
from tests.served import functions

STATUS = replace(FULL, image=IMAGE)
MINUTE = timedelta(minutes=1)
MANY, EACH = 2000, 50


@pytest.fixture
def records(storage: str) -> Records:
    """The adapter, on an account where nothing is yet."""
    return Records(Storage(storage), None)


@pytest.fixture
def rows(storage: str) -> Iterator[TableClient]:
    """The SDK's own view of the table."""
    with TableClient.from_connection_string(storage, TABLE) as client:
        yield client


def test_nothing_is_recorded(records: Records) -> None:
    """Before anything was recorded there is nothing to read, and nothing to forget."""
    records.forget(IMAGE)
    assert records.statuses(IMAGE.gallery) == []
    assert records.versions(IMAGE) is None
    assert records.sweep() is None
    assert records.change(IMAGE, lambda _: None) is None


def test_what_is_recorded_comes_back(records: Records) -> None:
    """How a definition stands, its versions and the last sweep come back as they were recorded."""
    assert records.change(IMAGE, lambda before: STATUS if before is None else before) == STATUS
    records.keep_versions(IMAGE, VERSIONS)
    records.keep_sweep(SWEEP)
    records.keep_sweep(Sweep(NOW, (SweptGallery("later", 1),)))
    assert records.statuses(IMAGE.gallery) == [STATUS]
    assert records.versions(IMAGE) == VERSIONS
    assert records.sweep() == Sweep(NOW, (SweptGallery("later", 1),))


def test_only_of_one_gallery(records: Records) -> None:
    """Definitions of another gallery, whose name may begin alike, are not among those of a gallery."""
    for name in ("prodgallery2", "prodgaller", "other"):
        gallery = GalleryId(IMAGE.gallery.subscription, IMAGE.gallery.group, Name(name))
        image = ImageId(gallery, IMAGE.image)
        records.change(image, lambda _, image=image: replace(STATUS, image=image))
    assert records.statuses(IMAGE.gallery) == []
    shouted = ImageId.parse(str(IMAGE).upper())
    records.change(shouted, lambda _: STATUS)
    assert records.statuses(IMAGE.gallery) == [STATUS]


def test_forgetting(records: Records, rows: TableClient) -> None:
    """A definition that is gone leaves nothing behind."""
    records.change(IMAGE, lambda _: STATUS)
    records.keep_versions(IMAGE, VERSIONS)
    records.forget(IMAGE)
    assert [dict(row) for row in rows.list_entities()] == []


def test_versions_change_where_they_are_recorded(records: Records) -> None:
    """A change of versions that are not recorded records nothing."""
    records.change_versions(IMAGE, lambda _: VERSIONS)
    assert records.versions(IMAGE) is None
    records.keep_versions(IMAGE, VERSIONS)
    records.change_versions(IMAGE, lambda before: replace(before, more=before.more + 1))
    assert records.versions(IMAGE) == replace(VERSIONS, more=VERSIONS.more + 1)


def test_rows_of_another_release(records: Records, rows: TableClient) -> None:
    """A row that cannot be read is no row: it is not shown, holds nobody up, and is written anew."""
    records.keep_sweep(SWEEP)
    records.keep_versions(IMAGE, VERSIONS)
    records.change(IMAGE, lambda _: STATUS)
    for row in list(rows.list_entities()):
        rows.upsert_entity({**row, "values": '{"image": "nonsense", "zlib": "00", "at": 7}'})
    assert records.statuses(IMAGE.gallery) == []
    assert records.versions(IMAGE) is None
    assert records.sweep() is None
    assert records.change(IMAGE, lambda before: None if before else STATUS) == STATUS


def test_a_long_history_fits(records: Records) -> None:
    """Two hundred versions in sixty regions, each with a reason of its own, fit into a row."""
    stand = [Place(f"region{at}", FULL.places[0].standing, f"reason {at * 7919 % 1009}" * 8) for at in range(60)]
    rows = [VersionSeen(f"1.0.{at}", "older", "Succeeded", "a", NOW, "", tuple(stand)) for at in range(200)]
    versions = Versions(tuple(rows))
    records.keep_versions(IMAGE, versions)
    assert records.versions(IMAGE) == versions


def _seed(rows: TableClient, records: Records) -> None:
    """Plant many definitions with many versions each, a transaction for a hundred rows."""
    image = ImageId(IMAGE.gallery, Name("image-0000"))
    stand = tuple(replace(FULL.places[1], region=f"region{at}") for at in range(20))
    versions = tuple(VersionSeen(f"1.0.{at}", "older", "Succeeded", "a", NOW, "", stand[:3]) for at in range(EACH))
    records.change(image, lambda _: replace(FULL, image=image, places=stand))
    records.keep_versions(image, Versions(versions))
    for kind in ("status", "versions"):
        (row,) = [dict(row) for row in rows.query_entities("PartitionKey eq @kind", parameters={"kind": kind})]
        all_rows = [
            ("upsert", {name: str(value).replace("image-0000", f"image-{number:04}") for name, value in row.items()})
            for number in range(MANY)
        ]
        for start in range(0, MANY, 100):
            rows.submit_transaction(all_rows[start : start + 100])


def test_thousands_of_definitions(records: Records, rows: TableClient, storage: str) -> None:
    """With 2,000 definitions of 50 versions each the page takes less than 2 s of CPU, asks the table a handful of times
    and Azure not at all; it is no longer than with a page full of definitions.
    """
    _seed(rows, records)
    given = {
        "AzureWebJobsStorage": storage,
        "ARM_ENDPOINT": NOBODY,
        "GALLERIES": str(IMAGE.gallery),
        "TARGET_REGIONS": "westeurope",
    }
    found = functions(App(settings.load(given)))
    last = Entry.of(replace(FULL, image=ImageId(IMAGE.gallery, Name("image-1999")))).handle
    with Outside() as outside:
        began = process_time()
        first = found["status"](func.HttpRequest("GET", "/api/status", params={}, body=b""))
        took = process_time() - began
        glance = len(outside.calls)
        opened = found["status"](
            func.HttpRequest("GET", "/api/status", params={"q": "image-1999", "open": last}, body=b"")
        )
    assert (first.status_code, opened.status_code) == (200, 200)
    assert took < 2, took
    assert b"2 000 definitions" in first.get_body()
    assert glance <= 6, [unquote(str(call)) for call in outside.calls]
    assert all(call.path.endswith(("/rollouts()", "/rollouts")) or "/rollouts(" in call.path for call in outside.calls)
    assert len(first.get_body()) < 800_000
    assert len(opened.get_body()) < 150_000
    assert opened.get_body().count(b'<th scope="row">') == EACH


def test_a_definition_without_a_name_in_the_settings(records: Records, storage: str) -> None:
    """A definition of a gallery that is not in GALLERIES any more is not shown."""
    records.change(IMAGE, lambda _: DefinitionStatus(IMAGE, NOW, "before the settings changed"))
    other = str(IMAGE.gallery).replace("prodgallery", "another")
    app = App(settings.load({"AzureWebJobsStorage": storage, "GALLERIES": other, "TARGET_REGIONS": "westeurope"}))
    assert [status for gallery in app.settings.galleries for status in app.records.statuses(gallery)] == []
