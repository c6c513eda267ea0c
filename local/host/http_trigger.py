"""HTTP functions: a request becomes an invocation, what it returned becomes a response."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from multidict import MultiMapping

from local.host.errors import InvocationFailed
from local.host.outputs import Invoker
from local.host.protos import RpcHttp, RpcHttpCookie, TypedData
from local.host.routes import Route


async def serve(request: web.Request, route: Route, params: Mapping[str, str], invoker: Invoker) -> web.Response:
    """Run the function of this route. A failed invocation is a bare 500; what went wrong is in the log only."""
    http = RpcHttp(
        method=request.method,
        url=str(request.url),
        headers=_joined(request.headers),
        query=_joined(request.query),
        params=params,
        body=TypedData(bytes=await request.read()),
    )
    try:
        return _response(await invoker.run(route.function, TypedData(http=http)))
    except InvocationFailed:
        return web.Response(status=500)


def _joined(values: MultiMapping[str]) -> dict[str, str]:
    """Join what occurs several times by commas, as the host does for the worker."""
    return {name: ",".join(values.getall(name)) for name in values}


def _response(value: TypedData | None) -> web.Response:
    match value.WhichOneof("data") if value else None:
        case "http":
            return _http_response(value.value) if value else web.Response()
        case "json":
            return web.Response(text=value.value if value else "", content_type="application/json")
        case None:
            return web.Response(status=204)
        case _:
            return web.Response(body=value.value if value else b"")


def _http_response(http: RpcHttp) -> web.Response:
    body = http.body.value if http.body else b""
    response = web.Response(status=int(http.status_code), body=body, headers=dict(http.headers))
    for cookie in http.cookies or ():
        response.set_cookie(cookie.name, cookie.value, **_attributes(cookie))
    return response


def _attributes(cookie: RpcHttpCookie) -> dict[str, Any]:
    plain = {"domain": cookie.domain, "path": cookie.path, "secure": cookie.secure, "httponly": cookie.http_only}
    found: dict[str, Any] = {name: each.value for name, each in plain.items() if each}
    if cookie.max_age:
        found["max_age"] = int(cookie.max_age.value)
    if cookie.same_site:
        found["samesite"] = {1: "Lax", 2: "Strict", 3: "None"}[cookie.same_site]
    return found
