"""All rows of a Resource Graph query, or an error: a part of the answer would be taken for the whole."""

from collections.abc import Iterator, Mapping
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from shared.adapters.arm_errors import reason, translated
from shared.core.errors import Absent, Malformed, Refused

type Row = Mapping[str, Any]

_PAGE = 1000  # the most that Resource Graph gives (documented)
_MOST_PAGES = 1000


def read_rows(client: ResourceGraphClient, query: str) -> list[Row]:
    """Read every page of a query.

    :raises Retry: when Azure says "not now".
    :raises Refused: when Azure will not answer.
    :raises Malformed: when the answer is not complete, or not to be understood.
    """
    rows: list[Row] = []
    totals: set[int] = set()
    for total, page in _pages(client, query):
        rows += page
        totals.add(total)
    if totals != {len(rows)}:  # a page token is an offset: what goes away meanwhile moves another row out of sight
        raise Malformed(f"Resource Graph gave {len(rows)} of {max(totals)} rows")
    return rows


def _pages(client: ResourceGraphClient, query: str) -> Iterator[tuple[int, list[Row]]]:
    token: str | None = None
    for _ in range(_MOST_PAGES):
        answer = _ask(client, query, token)
        if not _understood(answer):
            raise Malformed("Resource Graph's answer is not of the shape that is documented")
        yield answer.total_records, answer.data
        token = answer.skip_token
        if answer.result_truncated == "true" and not token:
            raise Malformed("Resource Graph gave only a part of its answer")
        if not token:
            return
    raise Malformed("Resource Graph's answer does not end")


def _ask(client: ResourceGraphClient, query: str, token: str | None) -> Any:
    options = QueryRequestOptions(skip_token=token, top=_PAGE, result_format="objectArray")
    try:
        with translated():
            return client.resources(QueryRequest(query=query, options=options), cls=_whole)
    except Absent as fault:
        raise Refused("Resource Graph", str(fault)) from fault
    except HttpResponseError as fault:
        raise Refused("Resource Graph", reason(fault)) from fault


def _whole(response: Any, answer: Any, _headers: Any) -> Any:
    """Give the answer, unless it is only about some of too many subscriptions (documented header)."""
    hit = response.http_response.headers.get("x-ms-tenant-subscription-limit-hit", "")
    if hit.lower() == "true":
        raise Malformed("Resource Graph answers about 10,000 subscriptions at most, and there are more")
    return answer


def _understood(answer: Any) -> bool:
    return (
        answer is not None
        and isinstance(answer.data, list)
        and type(answer.total_records) is int
        and answer.result_truncated in ("true", "false")
    )
