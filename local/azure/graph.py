"""Azure Resource Graph: queries over virtual machines and scale sets.

Pages, truncation and scope are documented, unless a function says otherwise.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Self

from local.azure import kql
from local.azure.behaviour import Behaviour
from local.azure.calls import Answer, Call
from local.azure.errors import invalid_query, invalid_query_request
from local.azure.provider import Provider
from local.azure.state import Json
from local.azure.store import Store

PATH: Final = r"/providers/Microsoft\.ResourceGraph/resources"
_MOST_RECORDS: Final = 1000
_TABLES: Final = ("resources", "computeresources")
_FIELDS: Final = frozenset({"query", "subscriptions", "options"})
_OPTIONS: Final = frozenset({"$skipToken", "$top", "resultFormat", "allowPartialScopes"})
_COLUMNS: Final = {
    **dict.fromkeys(("id", "name", "type", "location", "resourceGroup", "subscriptionId"), kql.Kind.STRING),
    **dict.fromkeys(("tags", "properties"), kql.Kind.DYNAMIC),
}


@dataclass(frozen=True, slots=True)
class _Request:
    """A query with its scope (None: every subscription) and the page that is asked for."""

    query: str
    subscriptions: frozenset[str] | None
    offset: int
    size: int

    @classmethod
    def parse(cls, body: Any) -> Self:
        """Read a request's body; raise ArmError for what is wrong or not simulated."""
        sent = _fields(body, _FIELDS)
        options = _fields(sent.get("options", {}), _OPTIONS)
        if not isinstance(sent.get("query"), str) or options.get("resultFormat", "objectArray") != "objectArray":
            raise invalid_query_request("A query is wanted, and the result format 'objectArray'.")
        subscriptions = _subscriptions(sent.get("subscriptions"))
        # A token carries the next page's size; `$top` overrides it.
        offset, size = _resumed(options.get("$skipToken"), _context(sent["query"], subscriptions))
        return cls(sent["query"], subscriptions, offset, _top(options.get("$top", size)))

    def token(self, offset: int) -> str:
        """Return the token of the page that begins at an offset."""
        text = json.dumps([offset, self.size, _context(self.query, self.subscriptions)])
        return b64encode(text.encode()).decode()


def query(provider: Provider, call: Call) -> Answer:
    """Answer a query; raise ArmError when it is wrong or has anything that is not simulated."""
    behaviour, request = provider.behaviour, _Request.parse(call.body)
    hidden = _beyond_limit(provider.store, request, behaviour)
    tables = {name: _table(provider.store, name, request, hidden) for name in _TABLES}
    try:
        result = kql.run(request.query, tables)
    except kql.InvalidQuery as error:
        raise invalid_query(str(error)) from error
    headers = {} if hidden is None else {"x-ms-tenant-subscription-limit-hit": "true"}
    return Answer(200, _page(result, request, behaviour), headers)


def _page(result: kql.Result, request: _Request, behaviour: Behaviour) -> Json:
    """Cut out a page; `resultTruncated` is true only when more records exist and there are no pages."""
    total, end = len(result.rows), request.offset + min(request.size, behaviour.graph_page_size)
    pageable = result.pageable
    if behaviour.graph_incomplete == "truncated":
        pageable, end = False, min(end, max(0, total - 1))
    shown, more = result.rows[request.offset : end], end < total
    answer: Json = {
        "totalRecords": total,
        "count": len(shown),
        "data": shown,
        "facets": [],
        "resultTruncated": str(more and not pageable).lower(),
    }
    return answer | ({"$skipToken": request.token(end)} if more and pageable else {})


def _table(store: Store, name: str, request: _Request, hidden: str | None) -> kql.Table:
    """Return a table as this request sees it.

    Rows that a query does not sort have no order that lasts from page to page, and may come twice or never: every
    page but the first sees them the other way round.
    """
    machines = sorted(store.machines.items(), reverse=request.offset > 0)
    rows = [machine.row for _, machine in machines if machine.table == name]
    wanted = request.subscriptions
    seen = [row for row in rows if wanted is None or row["subscriptionId"].lower() in wanted]
    return kql.Table(_COLUMNS, [row for row in seen if row["subscriptionId"].lower() != hidden])


def _beyond_limit(store: Store, request: _Request, behaviour: Behaviour) -> str | None:
    """Return the subscription that is beyond the 10,000 of a query without `subscriptions`: here the last one."""
    if behaviour.graph_incomplete != "limit-hit" or request.subscriptions is not None:
        return None
    return max((machine.id.subscription.lower() for machine in store.machines.values()), default="")


def _fields(value: Any, known: frozenset[str]) -> Mapping[str, Any]:
    """Return the fields of an object that are not null; raise ArmError when one is not known."""
    if not isinstance(value, dict):
        raise invalid_query_request("The request content was invalid and could not be deserialized.")
    fields = {name: inner for name, inner in value.items() if inner is not None}
    if not known >= fields.keys():
        raise invalid_query_request(f"Not known, or not simulated: {', '.join(sorted(fields.keys() - known))}.")
    return fields


def _subscriptions(value: Any) -> frozenset[str] | None:
    """Read the scope. What an empty list means is unverified, so it is refused."""
    if value is None:
        return None
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise invalid_query_request("The subscriptions must be a list of at least one id.")
    return frozenset(each.lower() for each in value)


def _top(value: Any) -> int:
    """Read how many records are wanted."""
    if type(value) is not int or not 1 <= value <= _MOST_RECORDS:
        raise invalid_query_request(f"The value of '$top' must be between 1 and {_MOST_RECORDS}.")
    return value


def _resumed(token: Any, context: str) -> tuple[int, int]:
    """Return the offset and size that a token stands for; it is good for the same query and scope only."""
    if token is None:
        return 0, _MOST_RECORDS
    try:
        offset, size, given = json.loads(b64decode(token, validate=True))
    except (ValueError, TypeError) as error:
        raise invalid_query_request("The skip token is not valid.") from error
    if given != context:
        raise invalid_query_request("The skip token belongs to another query.")
    return int(offset), int(size)


def _context(text: str, subscriptions: frozenset[str] | None) -> str:
    """Return what tells queries and scopes apart."""
    return sha256(json.dumps([text, sorted(subscriptions or ())]).encode()).hexdigest()
