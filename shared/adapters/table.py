"""One Azure Table as rows of JSON, changed by read, compute, and write only if nobody wrote in between (ETag)."""

import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from itertools import chain, count, islice, takewhile
from typing import TYPE_CHECKING, Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.data.tables import TableClient, UpdateMode

from shared.adapters.storage_errors import translated
from shared.core.errors import Retry

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableEntity

    from shared.settings import Storage

_TRIES = 20
_BUSY = timedelta(seconds=5)
_LONGEST_TEXT = 32_000
"""Characters in one property: 64 KiB of UTF-16 (documented). A dead letter may be longer, a row holds 1 MiB."""

type Key = tuple[str, str]
"""Partition and row."""

type Values = Mapping[str, Any]


class Table:
    """A table, created when it is first written to.

    It remembers how rows were when this process last read or wrote them, for a while: a change begins with that, and
    the ETag tells when it is out of date. Half of all reads are spared so. What is read is always read, unless somebody
    asks for what is known of a row.

    :param remembers: how many rows.
    """

    def __init__(
        self, name: str, storage: "Storage", credential: "TokenCredential | None", *, remembers: int = 2_000
    ) -> None:
        if storage.connection_string:
            self._table = TableClient.from_connection_string(storage.connection_string, name, retry_total=2)
        else:
            self._table = TableClient(storage.table_uri or "", name, credential=credential, retry_total=2)
        self._known = OrderedDict[Key, tuple[Values | None, str | None]]()
        self._remembers = remembers

    def read(self, key: Key) -> tuple[Values | None, str | None]:
        """Read a row and its ETag; ``None`` and ``None`` when there is no such row."""
        with translated():
            try:
                entity = self._table.get_entity(*key)
            except ResourceNotFoundError:
                return self._know(key, None, None)
        return self._know(key, _values(entity), entity.metadata["etag"])

    def known(self, key: Key) -> Values | None:
        """Give a row as this process last read or wrote it, without a call; ``None`` where it did neither."""
        return self._known.get(key, (None, None))[0]

    def find(self, partition: str, prefix: str, *, most: int | None = None) -> dict[str, Values]:
        """Read the rows of a partition whose keys begin in a way, by what follows in the key.

        :param prefix: empty for all rows.
        :param most: how many, the first by their keys; ``None`` for all.
        """
        wanted = "PartitionKey eq @partition" + (f" and {_begins('prefix')}" if prefix else "")
        found = self._query(wanted, {"partition": partition, **_range("prefix", prefix)}, most)
        return {entity["RowKey"].removeprefix(prefix): _values(entity) for entity in found}

    def gather(self, partition: str, row: str, *prefixes: str) -> dict[str, Values]:
        """Read several rows of a partition at once: one, those that begin in some ways, and those that are ``open``."""
        names = [f"prefix{index}" for index in range(len(prefixes))]
        wanted = " or ".join(["RowKey eq @row", "open eq true", *(f"( {_begins(name)} )" for name in names)])
        ranges = {key: value for each in zip(names, prefixes, strict=True) for key, value in _range(*each).items()}
        found = self._query(
            f"PartitionKey eq @partition and ( {wanted} )", {"partition": partition, "row": row, **ranges}
        )
        self._know((partition, row), None, None)
        rows = {entity["RowKey"]: (_values(entity), entity.metadata["etag"]) for entity in found}
        for name, (values, etag) in rows.items():
            self._know((partition, name), values, etag)
        return {name: values for name, (values, _) in rows.items()}

    def _query(self, wanted: str, parameters: dict[str, str], most: int | None = None) -> "list[TableEntity]":
        found = self._table.query_entities(wanted, parameters=parameters, results_per_page=most)
        with translated():
            try:
                return list(islice(found, most))
            except ResourceNotFoundError:  # nothing was ever written
                return []

    def write(self, key: Key, values: Values, etag: str | None) -> str | None:
        """Write a row if it still is as it was read, and give its new ETag; ``None`` when it is not."""
        entity = {"PartitionKey": key[0], "RowKey": key[1], **_properties(values)}
        self._known.pop(key, None)
        with translated():
            try:
                written = self._insert(entity) if etag is None else self._replace(entity, etag)
            except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError):
                return None
        return self._know(key, values, str(written["etag"]))[1]

    def change[V: Values | None](self, key: Key, change: Callable[[Values | None], V]) -> V:
        """Change a row; ``change`` is called again when somebody else wrote meanwhile.

        The same values are not written, nor is ``None``: it leaves the row as it is.

        :raises Retry: when others keep writing.
        """
        known = self._known.pop(key, None)
        if known and (changed := change(known[0])) not in (None, known[0]) and self.write(key, changed, known[1]):
            return changed
        for _ in range(_TRIES):
            values, etag = self.read(key)
            changed = change(values)
            if changed is None or changed == values or self.write(key, changed, etag):
                return changed
        raise Retry(f"the row {key} is written by too many at once", after=_BUSY)

    def put(self, key: Key, values: Values) -> None:
        """Write a row, whatever it was before."""
        entity = {"PartitionKey": key[0], "RowKey": key[1], **_properties(values)}
        self._known.pop(key, None)
        with translated():
            try:
                self._table.upsert_entity(entity, mode=UpdateMode.REPLACE)
            except ResourceNotFoundError:
                self._create()
                self._table.upsert_entity(entity, mode=UpdateMode.REPLACE)

    def delete(self, key: Key, etag: str | None = None) -> None:
        """Delete a row, if there is one; with an ETag, only if it still is as it was read."""
        guard = MatchConditions.IfNotModified if etag else MatchConditions.Unconditionally
        self._known.pop(key, None)
        with translated():
            try:
                self._table.delete_entity(*key, etag=etag, match_condition=guard)
            except (ResourceNotFoundError, ResourceModifiedError):
                return

    def _know(self, key: Key, values: Values | None, etag: str | None) -> tuple[Values | None, str | None]:
        """Remember how a row is; of many rows the last ones."""
        self._known.pop(key, None)  # the last one seen is the last one forgotten
        self._known[key] = values, etag
        if len(self._known) > self._remembers:
            self._known.popitem(last=False)
        return values, etag

    def _replace(self, entity: Mapping[str, Any], etag: str) -> Mapping[str, Any]:
        unmodified = MatchConditions.IfNotModified
        return self._table.update_entity(entity, mode=UpdateMode.REPLACE, etag=etag, match_condition=unmodified)

    def _insert(self, entity: Mapping[str, Any]) -> Mapping[str, Any]:
        try:
            return self._table.create_entity(entity)
        except ResourceNotFoundError:
            self._create()
            return self._table.create_entity(entity)

    def _create(self) -> None:
        try:
            self._table.create_table()
        except ResourceExistsError:  # another instance was faster
            return


def _properties(values: Values) -> dict[str, Any]:
    """Give values as JSON in the properties ``values``, ``values1``, ..., as many as it takes.

    The value ``open`` is a property of its own, so that the service can find rows by it.
    """
    text = json.dumps(values)
    parts = [text[start : start + _LONGEST_TEXT] for start in range(0, len(text), _LONGEST_TEXT)]
    found = {"open": values["open"]} if "open" in values else {}
    return {**dict(zip(_names(), parts, strict=False)), **found}


def _begins(name: str) -> str:
    return f"RowKey ge @{name} and RowKey lt @{name}end"


def _range(name: str, prefix: str) -> dict[str, str]:
    """Give the parameters that :func:`_begins` wants."""
    return {name: prefix, f"{name}end": prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else ""}


def _values(entity: Mapping[str, Any]) -> Any:
    return json.loads("".join(entity[name] for name in takewhile(entity.__contains__, _names())))


def _names() -> Iterator[str]:
    return chain(["values"], (f"values{number}" for number in count(1)))
