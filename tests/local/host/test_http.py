import json

import pytest

from local.host import routes
from local.host.errors import BadApp
from local.host.model import Binding, Function
from tests.local.host.support import ask

_APP = """
@app.route("open/{name?}", auth_level=func.AuthLevel.ANONYMOUS)
def open_(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(f"hello {req.route_params.get('name')} {req.params.get('x')}")

@app.route("closed", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
async def closed(req: func.HttpRequest) -> func.HttpResponse:
    cookie = {"Set-Cookie": "a=b; Path=/; SameSite=Lax"}
    return func.HttpResponse(json.dumps(req.get_json()), status_code=201, mimetype="application/json", headers=cookie)

@app.route("broken", auth_level=func.AuthLevel.ANONYMOUS)
def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise ValueError("inside only")
"""


@pytest.fixture(scope="module")
def host(serve_all):
    """Run the app, once for all tests here."""
    with serve_all(_APP) as running:
        yield running


def test_requests(host):
    """HTTP functions are found by route and method, keys are asked for, and a failure is a bare 500."""
    api = f"{host.url}/api"
    assert ask("GET", f"{api}/open/bob?x=1") == (200, "hello bob 1")
    assert ask("GET", f"{api}/Open") == (200, "hello None None")
    assert ask("POST", f"{api}/closed", {"a": 1})[0] == 401
    assert ask("POST", f"{api}/closed", {"a": 1}, x_functions_key="guess")[0] == 401
    assert ask("POST", f"{api}/closed", {"a": 1}, x_functions_key=host.key) == (201, '{"a": 1}')
    assert ask("POST", f"{api}/closed?code={host.key}", {"a": 2}) == (201, '{"a": 2}')
    assert ask("GET", f"{api}/closed?code={host.key}")[0] == 404
    assert ask("GET", f"{api}/nowhere")[0] == 404
    assert ask("GET", f"{api}/broken") == (500, "")


def test_admin(host):
    """The admin endpoints list the functions with their bindings and say that the host runs; both want the key."""
    assert ask("GET", f"{host.url}/admin/functions")[0] == 401
    status, text = ask("GET", f"{host.url}/admin/functions", x_functions_key=host.key)
    found = {each["name"]: each["config"]["bindings"][0]["type"] for each in json.loads(text)}
    assert (status, found) == (200, dict.fromkeys(["open_", "closed", "broken"], "httpTrigger"))
    status, text = ask("GET", f"{host.url}/admin/host/status?code={host.key}")
    assert (status, json.loads(text)) == (200, {"state": "Running"})


@pytest.mark.parametrize(
    ("template", "path", "params"),
    [
        ("status", "/api/status", {}),
        ("status", "/api/status/x", None),
        ("v/{id:int}", "/api/v/7", {"id": "7"}),
        ("v/{id:int}", "/api/v/x", None),
        ("v/{id:int?}", "/api/v", {}),
        ("files/{*rest}", "/api/files/a/b", {"rest": "a/b"}),
        ("a.b", "/api/aXb", None),
    ],
)
def test_templates(template, path, params):
    """Route templates know constraints, optional parameters and a rest; everything else is literal."""
    assert _table(template)[0].match("GET", path) == params


def test_literal_segments_come_first():
    """A literal segment wins over a parameter, whatever the order of the functions."""
    assert [each.path for each in _table("{name}", "status")] == ["/api/status", "/api/{name}"]


@pytest.mark.parametrize("template", ["v{id}", "{id:regex(x)}", "{id:odd}"])
def test_templates_that_are_not_understood(template):
    """A template that this host does not understand is refused, not guessed at."""
    with pytest.raises(BadApp, match="route segment"):
        _table(template)


def _table(*templates):
    triggers = [Binding("httpTrigger", "req", {"route": each}) for each in templates]
    return routes.table([Function("f", "1", each, ()) for each in triggers], "api")
