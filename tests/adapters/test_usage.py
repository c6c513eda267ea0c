from collections.abc import Callable, Mapping
from datetime import timedelta
from math import ceil
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError

from local.azure import Fault, Reference, SimulatedAzure
from shared.adapters.usage import ResourceGraph
from shared.core.names import ImageId, VersionNumber
from shared.core.policy import InUse
from shared.core.usage import Usage
from tests.adapters.support import IMAGE, NOBODY, Server, Tokens, quickly, reply

LATEST = str(IMAGE)
V1, V2 = f"{IMAGE}/versions/1.0.1", f"{IMAGE}/versions/1.0.2"
OTHER_SUBSCRIPTION = "22222222-2222-2222-2222-222222222222"
LATER = timedelta(seconds=30)
PROTECTING = [InUse.SCALE_SETS, InUse.ALL]

type Seen = dict[tuple[str, str], tuple[str, ...]]


@pytest.fixture
def graph(azure: SimulatedAzure) -> ResourceGraph:
    """The adapter, at work with the simulated Azure."""
    return ResourceGraph(azure.endpoint, None)


def seen(usage: Usage) -> Seen:
    """Give who uses what, with plain version numbers; fail when that is not known."""
    assert usage.unknown == ""
    return {(number.name, region): by for (number, region), by in usage.users.items()}


def reason(usage: Usage, number: str, region: str) -> str:
    """Give what people read of a version in a region."""
    return usage.reason(VersionNumber.parse(number), region)


def sibling(name: str) -> str:
    """Name another image definition of the same gallery."""
    return f"{IMAGE.gallery}/images/{name}"


@pytest.mark.parametrize("protects", PROTECTING)
@pytest.mark.parametrize("flexible", [False, True], ids=["uniform", "flexible"])
def test_a_scale_set_protects_its_version(
    azure: SimulatedAzure, graph: ResourceGraph, protects: InUse, *, flexible: bool
) -> None:
    """A scale set of either kind protects the exact version that it references, where it is, by its name."""
    azure.add_scale_set("web-prod", image=V1, location="West Europe", flexible=flexible)
    usage = graph.usage(IMAGE, protects)
    assert seen(usage) == {("1.0.1", "westeurope"): ("scale set web-prod",)}
    assert reason(usage, "1.0.1", "westeurope") == "scale set web-prod references 1.0.1"
    assert reason(usage, "1.0.1", "eastus2") == reason(usage, "1.0.2", "westeurope") == ""


@pytest.mark.parametrize("protects", PROTECTING)
@pytest.mark.parametrize("flexible", [False, True], ids=["uniform", "flexible"])
def test_instances_protect_what_they_were_made_from(
    azure: SimulatedAzure, graph: ResourceGraph, protects: InUse, *, flexible: bool
) -> None:
    """Instances of a scale set that has moved on protect what they were made from, by the scale set's name."""
    azure.add_scale_set("web-prod", image=V2, location="eastus2", flexible=flexible, instances=[V1, V1, V2])
    usage = graph.usage(IMAGE, protects)
    assert seen(usage) == {
        ("1.0.1", "eastus2"): ("an instance of scale set web-prod",),
        ("1.0.2", "eastus2"): ("an instance of scale set web-prod", "scale set web-prod"),
    }
    assert reason(usage, "1.0.1", "eastus2") == "an instance of scale set web-prod references 1.0.1"
    assert reason(usage, "1.0.2", "eastus2") == "an instance of scale set web-prod and 1 more reference 1.0.2"


def test_a_machine_protects_only_when_all_do(azure: SimulatedAzure, graph: ResourceGraph) -> None:
    """A VM of its own protects its version with ``all`` and not with ``scale-sets``; an instance does with both."""
    azure.add_vm("build-7", image=V1, location="uksouth")
    azure.add_scale_set("flex", image=LATEST, location="uksouth", flexible=True, instances=[V2])
    instance: Seen = {("1.0.2", "uksouth"): ("an instance of scale set flex",)}
    usage = graph.usage(IMAGE, InUse.ALL)
    assert seen(graph.usage(IMAGE, InUse.SCALE_SETS)) == instance
    assert seen(usage) == {**instance, ("1.0.1", "uksouth"): ("VM build-7",)}
    assert reason(usage, "1.0.1", "uksouth") == "VM build-7 references 1.0.1"


def test_off_asks_nothing(azure: SimulatedAzure, graph: ResourceGraph) -> None:
    """With ``off`` nobody is asked, and nothing is protected; nor is it unknown, not even without any Azure."""
    azure.add_scale_set("web-prod", image=V1, location="westeurope", instances=[V1])
    assert graph.usage(IMAGE, InUse.OFF) == Usage()
    assert azure.requests == []
    with quickly():
        assert ResourceGraph(NOBODY, None).usage(IMAGE, InUse.OFF) == Usage()


@pytest.mark.parametrize("spelled", [str.upper, str.lower, str.swapcase])
@pytest.mark.parametrize("asked", [str.upper, str.lower, str])
def test_ids_in_any_letters(
    azure: SimulatedAzure, graph: ResourceGraph, spelled: Callable[[str], str], asked: Callable[[str], str]
) -> None:
    """References are found in whatever letter case they, or the image definition, are spelled."""
    azure.add_scale_set("exact", image=spelled(V1), location="westeurope")
    azure.add_scale_set("made", image=LATEST, location="eastus2", instances=[Reference(spelled(LATEST), "1.0.1")])
    azure.add_scale_set("flex", image=LATEST, location="uksouth", flexible=True, instances=[spelled(V2)])
    azure.add_vm("lone", image=Reference(spelled(f"{IMAGE}/versions/latest"), "1.0.2"), location="ukwest")
    assert seen(graph.usage(ImageId.parse(asked(LATEST)), InUse.ALL)) == {
        ("1.0.1", "westeurope"): ("scale set exact",),
        ("1.0.1", "eastus2"): ("an instance of scale set made",),
        ("1.0.2", "uksouth"): ("an instance of scale set flex",),
        ("1.0.2", "ukwest"): ("VM lone",),
    }


LATEST_SPELLINGS = [LATEST, f"{IMAGE}/versions/latest", f"{IMAGE}/versions/Latest"]


@pytest.mark.parametrize("latest", LATEST_SPELLINGS)
@pytest.mark.parametrize("flexible", [False, True], ids=["uniform", "flexible"])
def test_latest_protects_nothing(azure: SimulatedAzure, graph: ResourceGraph, latest: str, *, flexible: bool) -> None:
    """Who references "latest" takes whatever is there, and protects no version."""
    azure.add_scale_set("web", image=latest, location="westeurope", flexible=flexible, instances=[latest])
    azure.add_vm("lone", image=latest, location="westeurope")
    assert seen(graph.usage(IMAGE, InUse.ALL)) == {}


@pytest.mark.parametrize("latest", LATEST_SPELLINGS)
@pytest.mark.parametrize("flexible", [False, True], ids=["uniform", "flexible"])
def test_what_latest_was(azure: SimulatedAzure, graph: ResourceGraph, latest: str, *, flexible: bool) -> None:
    """What was made from "latest" protects the version that this was then."""
    made = Reference(latest, "1.0.1")
    azure.add_scale_set("web", image=latest, location="westeurope", flexible=flexible, instances=[made, latest])
    azure.add_vm("lone", image=Reference(latest, "1.0.2"), location="westeurope")
    assert seen(graph.usage(IMAGE, InUse.ALL)) == {
        ("1.0.1", "westeurope"): ("an instance of scale set web",),
        ("1.0.2", "westeurope"): ("VM lone",),
    }


def test_an_exact_reference_counts_before_what_it_was(azure: SimulatedAzure, graph: ResourceGraph) -> None:
    """A reference to an exact version means that one."""
    azure.add_vm("lone", image=Reference(V1, "1.0.1"), location="westeurope")
    assert seen(graph.usage(IMAGE, InUse.ALL)) == {("1.0.1", "westeurope"): ("VM lone",)}


@pytest.mark.parametrize("name", ["ubuntu", "ubuntu-2204", "ubuntu-2204-arm64", "ubuntu.2204", "buntu-2204"])
def test_definitions_whose_names_are_alike(azure: SimulatedAzure, graph: ResourceGraph, name: str) -> None:
    """A definition whose name begins with, ends with or resembles another's is another, exactly or as "latest"."""
    names = ["ubuntu", "ubuntu-2204", "ubuntu-2204-arm64", "ubuntu.2204", "buntu-2204"]
    for each in names:
        azure.add_scale_set(f"exact-{each}", image=f"{sibling(each)}/versions/1.0.1", location="westeurope")
        made = Reference(sibling(each), "1.0.2")
        azure.add_scale_set(f"made-{each}", image=sibling(each), location="westeurope", instances=[made])
    assert seen(graph.usage(ImageId.parse(sibling(name)), InUse.ALL)) == {
        ("1.0.1", "westeurope"): (f"scale set exact-{name}",),
        ("1.0.2", "westeurope"): (f"an instance of scale set made-{name}",),
    }


def test_definitions_of_one_name(azure: SimulatedAzure, graph: ResourceGraph) -> None:
    """A definition of the same name in another gallery, group or subscription is another."""
    for number, (old, new) in enumerate(
        [
            ("/galleries/prodgallery/", "/galleries/prodgallery2/"),
            ("/resourceGroups/images/", "/resourceGroups/images2/"),
            ("/subscriptions/11111111", "/subscriptions/22222222"),
        ]
    ):
        azure.add_scale_set(f"web{number}", image=V1.replace(old, new), location="westeurope", instances=[V2])
    assert set(seen(graph.usage(IMAGE, InUse.ALL))) == {("1.0.2", "westeurope")}


def test_machines_of_other_images(azure: SimulatedAzure, graph: ResourceGraph) -> None:
    """What is made from something else, or from nothing that has an id, uses no version of ours."""
    for number, image in enumerate(["", sibling("debian-12"), "/CommunityGalleries/x/Images/y/Versions/1.0.1"]):
        azure.add_scale_set(f"web{number}", image=image, location="westeurope", instances=[image])
        azure.add_vm(f"vm{number}", image=image, location="westeurope")
    assert seen(graph.usage(IMAGE, InUse.ALL)) == {}


def test_every_subscription_is_looked_at(azure: SimulatedAzure, graph: ResourceGraph) -> None:
    """Scale sets in other subscriptions and groups than the gallery's protect too."""
    azure.add_scale_set("here", image=V1, location="westeurope")
    azure.add_scale_set("there", image=V1, location="westeurope", subscription=OTHER_SUBSCRIPTION, instances=[V2])
    assert seen(graph.usage(IMAGE, InUse.SCALE_SETS)) == {
        ("1.0.1", "westeurope"): ("scale set here", "scale set there"),
        ("1.0.2", "westeurope"): ("an instance of scale set there",),
    }


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_every_row_of_every_page_arrives(azure: SimulatedAzure, graph: ResourceGraph, size: int) -> None:
    """Whatever the size of the pages, each is asked for once, and no row is missed."""
    azure.set_behaviour(graph_page_size=size)
    for number in range(7):
        azure.add_scale_set(
            f"web-{number}",
            image=f"{IMAGE}/versions/1.0.{number}",
            location="westeurope",
            instances=[f"{IMAGE}/versions/2.{which}.{number}" for which in range(3)],
        )
    usage = graph.usage(IMAGE, InUse.SCALE_SETS)
    assert seen(usage) == {
        **{(f"1.0.{number}", "westeurope"): (f"scale set web-{number}",) for number in range(7)},
        **{
            (f"2.{which}.{number}", "westeurope"): (f"an instance of scale set web-{number}",)
            for number in range(7)
            for which in range(3)
        },
    }
    assert len(azure.requests) == ceil(7 / size) + ceil(21 / size)


def test_more_rows_than_resource_graph_gives_at_once(azure: SimulatedAzure, graph: ResourceGraph) -> None:
    """A thousand and one scale sets are two pages, which hold all of them."""
    for number in range(1001):
        azure.add_scale_set(f"web-{number}", image=f"{IMAGE}/versions/1.0.{number}", location="westeurope")
    assert set(seen(graph.usage(IMAGE, InUse.SCALE_SETS))) == {(f"1.0.{each}", "westeurope") for each in range(1001)}
    assert len(azure.requests) == 3


@pytest.mark.parametrize("versions", [0, 1, 300])
@pytest.mark.parametrize("protects", PROTECTING)
def test_two_queries_and_no_more(azure: SimulatedAzure, graph: ResourceGraph, protects: InUse, versions: int) -> None:
    """A definition costs two queries, however many versions it has and however many of them are used."""
    for number in range(versions):
        azure.add_version(LATEST, f"1.0.{number}")
        azure.add_scale_set(f"web-{number}", image=f"{IMAGE}/versions/1.0.{number}", location="westeurope")
    assert len(seen(graph.usage(IMAGE, protects))) == versions
    assert [(request.method, request.status) for request in azure.requests] == [("POST", 200)] * 2


def test_a_lock_hides_nothing(azure: SimulatedAzure, graph: ResourceGraph) -> None:
    """Locks forbid writes; who uses what is still known."""
    azure.add_scale_set("web-prod", image=V1, location="westeurope")
    azure.lock("/subscriptions/11111111-1111-1111-1111-111111111111")
    assert set(seen(graph.usage(IMAGE, InUse.SCALE_SETS))) == {("1.0.1", "westeurope")}


def is_plain(text: str) -> bool:
    """Whether people can read it in one line of a chat."""
    return 0 < len(text) <= 300 and text == " ".join(text.split()) and "<" not in text


SLOW_DOWN = "slow down"
FAULTS = {
    "429 with header": (Fault("*", "", 429, "RateLimiting", SLOW_DOWN, 17), "429 RateLimiting", timedelta(seconds=17)),
    "429 with text": (
        Fault("*", "", 429, "TooManyRequests", "Please try after 120 seconds."),
        "429 TooManyRequests",
        timedelta(seconds=120),
    ),
    "429 with neither": (Fault("*", "", 429, "RateLimiting", SLOW_DOWN), "429 RateLimiting", LATER),
    "503": (Fault("*", "", 503, "ServiceUnavailable", "no"), "503 ServiceUnavailable", LATER),
    "503 with header": (
        Fault("*", "", 503, "ServiceUnavailable", "no", 300),
        "503 ServiceUnavailable",
        timedelta(seconds=300),
    ),
    "500": (Fault("*", "", 500, "InternalServerError", "no"), "500 InternalServerError", LATER),
    "408": (Fault("*", "", 408, "RequestTimeout", "no"), "408 RequestTimeout", LATER),
    "409": (Fault("*", "", 409, "Conflict", "no"), "409 Conflict", LATER),
    "400": (Fault("*", "", 400, "BadRequest", "the query is wrong"), "BadRequest: the query is wrong", None),
    "401": (Fault("*", "", 401, "AuthenticationFailed", "who are you"), "who are you", None),
    "403": (Fault("*", "", 403, "AuthorizationFailed", "you may not read"), "you may not read", None),
    "404": (Fault("*", "", 404, "NotFound", "there is no such address"), "there is no such address", None),
    "501": (Fault("*", "", 501, "NotImplemented", "nobody built that"), "nobody built that", None),
}


@pytest.mark.parametrize("failing", FAULTS)
def test_a_refusal_is_not_to_know(azure: SimulatedAzure, graph: ResourceGraph, failing: str) -> None:
    """A refusal of any kind says that nothing is known, why, and when to ask again; nobody sleeps, nothing raises."""
    fault, told, ask_again = FAULTS[failing]
    azure.add_scale_set("web-prod", image=V1, location="westeurope", instances=[V2])
    azure.set_behaviour(faults=[fault])
    with quickly():
        usage = graph.usage(IMAGE, InUse.SCALE_SETS)
    assert (usage.users, usage.ask_again) == ({}, ask_again)
    assert told in usage.unknown
    assert is_plain(usage.unknown)
    assert usage.unknown.count(fault.message) <= 1
    assert len(azure.requests) == 1
    assert len(seen(graph.usage(IMAGE, InUse.SCALE_SETS))) == 2  # the next time all is well


def test_a_refused_query_says_why() -> None:
    """Resource Graph's own reason for refusing a query, which stands in the details, is told."""
    details = [{"code": "InvalidQuery", "message": "Query is invalid."}, {"code": "ParserFailure", "message": "line 3"}]
    error = {"code": "BadRequest", "message": "Please provide below info when asking for support.", "details": details}
    with Server(reply(400, {"error": error})) as server:
        usage = ResourceGraph(server.url, None).usage(IMAGE, InUse.ALL)
    assert usage.users == {}
    assert "Query is invalid." in usage.unknown


@pytest.mark.parametrize("status", [201, 204, 302, 400, 403, 404, 413, 429, 500, 501, 503])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>\n<p>" + b"blocked " * 500, id="page"),
        pytest.param(b'{"error":', id="half"),
        pytest.param([], id="list"),
    ],
)
def test_answers_that_do_not_come_from_azure(status: int, content: Any) -> None:
    """A proxy's answer, of whatever status and content, is not to know, and its pages are not shown to people."""
    with Server(reply(status, content)) as server:
        usage = ResourceGraph(server.url, None).usage(IMAGE, InUse.ALL)
    assert usage.users == {}
    assert is_plain(usage.unknown)


ROW = {
    "id": f"/subscriptions/{OTHER_SUBSCRIPTION}/resourceGroups/c/providers/Microsoft.Compute"
    "/virtualMachineScaleSets/web-prod",
    "type": "microsoft.compute/virtualmachinescalesets",
    "location": "westeurope",
    "imageId": V1,
    "exactVersion": "",
    "scaleSet": "",
}
SEEN: Seen = {("1.0.1", "westeurope"): ("scale set web-prod",)}


def page(*rows: Any, **changes: Any) -> dict[str, Any]:
    """Give an answer of Resource Graph with these rows; ``...`` takes a field away."""
    answer = {
        "totalRecords": len(rows),
        "count": len(rows),
        "data": list(rows),
        "facets": [],
        "resultTruncated": "false",
        **changes,
    }
    return {name: value for name, value in answer.items() if value is not ...}


def answered(*answers: bytes) -> Usage:
    """Ask a Resource Graph that gives these answers, the last of them again and again."""
    with Server(*answers) as server, quickly():
        return ResourceGraph(server.url, None).usage(IMAGE, InUse.ALL)


def test_the_answers_of_these_tests_are_good() -> None:
    """The answer that the following tests break is understood while it is whole."""
    assert seen(answered(reply(200, page(ROW)))) == SEEN
    more = page(ROW, totalRecords=2, **{"$skipToken": "next"})
    other = {**ROW, "imageId": V2}
    assert len(seen(answered(reply(200, more), reply(200, page(other, totalRecords=2)), reply(200, page())))) == 2


BROKEN: dict[str, bytes] = {
    "429": reply(429, {"error": {"code": "RateLimiting", "message": "no"}}, Retry_After="17"),
    "503": reply(503),
    "403": reply(403),
    "400": reply(400),
    "404": reply(404),
    "closed": b"",
    "broken off": reply(200, page(ROW))[:-5],
    "truncated": reply(200, page(ROW, resultTruncated="true")),
    "limit hit": reply(200, page(ROW), x_ms_tenant_subscription_limit_hit="true"),
    "limit hit, loudly": reply(200, page(ROW), X_MS_Tenant_Subscription_Limit_Hit="True"),
    "odd row": reply(200, page(ROW, {**ROW, "location": None})),
}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("position", ["first page", "second page", "instances"])
def test_a_part_is_not_the_answer(fault: str, position: str) -> None:
    """When any page of either query fails, nothing is known: what came before is not taken for all of it."""
    more = reply(200, page(ROW, totalRecords=2, **{"$skipToken": "next"}))
    before = {"first page": (), "second page": (more,), "instances": (reply(200, page(ROW)),)}[position]
    usage = answered(*before, BROKEN[fault])
    assert usage.users == {}
    assert is_plain(usage.unknown)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="half"),
        pytest.param(b"<html>", id="page"),
        pytest.param(None, id="null"),
        pytest.param([], id="list"),
        pytest.param("all is well", id="text"),
        pytest.param(5, id="number"),
        pytest.param({}, id="nothing"),
        pytest.param({"error": {"code": "Any", "message": "any"}}, id="error"),
        pytest.param(page(data=...), id="no data"),
        pytest.param(page(data=None), id="data null"),
        pytest.param(page(data={}), id="data as empty object"),
        pytest.param(page(data=""), id="data as empty text"),
        pytest.param(page(data=ROW), id="data as object"),
        pytest.param(page(data="rows"), id="data as text"),
        pytest.param(page(data=5), id="data as number"),
        pytest.param(page(data={"columns": [], "rows": []}), id="data as table"),
        pytest.param(page(ROW, totalRecords="one"), id="total in words"),
        pytest.param(page(ROW, facets=5), id="facets as number"),
        pytest.param(page(ROW, resultTruncated=...), id="nothing said of truncation"),
        pytest.param(page(ROW, resultTruncated=True), id="truncated as boolean"),
        pytest.param(page(ROW, resultTruncated="True"), id="truncated, loudly"),
        pytest.param(page(None), id="row null"),
        pytest.param(page("row"), id="row as text"),
        pytest.param(page([]), id="row as list"),
        pytest.param(page(ROW, {}), id="row without anything"),
    ],
)
def test_an_answer_of_another_shape_is_not_to_know(content: Any) -> None:
    """An answer that is not of the documented shape says nothing, above all not that nothing is in use."""
    usage = answered(reply(200, content))
    assert usage.users == {}
    assert is_plain(usage.unknown)


def test_a_web_page_is_no_answer() -> None:
    """A web page with status 200, as a proxy in between gives it, says nothing."""
    usage = answered(reply(200, b"<html>sign in</html>", Content_Type="text/html"))
    assert usage.users == {}
    assert is_plain(usage.unknown)


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([page(ROW, totalRecords=2)], id="fewer rows than records"),
        pytest.param([page(totalRecords=1)], id="no rows of one record"),
        pytest.param([page(ROW, totalRecords=3, **{"$skipToken": "x"}), page(ROW, totalRecords=3)], id="a page short"),
        pytest.param([page(ROW, totalRecords=2, **{"$skipToken": "x"}), page(totalRecords=1)], id="fewer meanwhile"),
    ],
)
def test_rows_that_are_missing_are_noticed(answers: list[dict[str, Any]]) -> None:
    """When fewer rows came than the answer counts, some are missing, and nothing is known.

    A skip token is an offset: what goes away while somebody pages moves another row to where nobody looks.
    """
    usage = answered(*(reply(200, answer) for answer in answers))
    assert usage.users == {}
    assert is_plain(usage.unknown)


def _row(**changes: Any) -> Mapping[str, Any]:
    return {name: value for name, value in {**ROW, **changes}.items() if value is not ...}


@pytest.mark.parametrize(
    "row",
    [
        *(pytest.param(_row(**{name: ...}), id=f"no {name}") for name in ROW),
        *(pytest.param(_row(**{name: 5}), id=f"{name} as number") for name in ROW if name != "exactVersion"),
        *(pytest.param(_row(**{name: [V1]}), id=f"{name} as list") for name in ROW if name != "exactVersion"),
        *(pytest.param(_row(**{name: None}), id=f"{name} null") for name in ("id", "type", "location", "imageId")),
        pytest.param(_row(imageId=""), id="no reference"),
        pytest.param(_row(imageId=f"{V1}.x"), id="version that is none"),
        pytest.param(_row(imageId=f"{V1}/"), id="version with a slash"),
        pytest.param(_row(imageId=f"{IMAGE}/versions/"), id="no version"),
        pytest.param(_row(imageId=f"{IMAGE}/versions/1.0.99999999999"), id="version beyond 32 bits"),
        pytest.param(_row(imageId=LATEST, exactVersion="newest"), id="exact version in words"),
        pytest.param(_row(imageId=LATEST, exactVersion=5), id="exact version as number"),
        pytest.param(_row(imageId=LATEST, exactVersion=["1.0.1"]), id="exact version as list"),
        pytest.param(_row(location="../x"), id="location that is no region"),
        pytest.param(_row(location=""), id="no region"),
    ],
)
def test_a_row_that_cannot_be_read_is_not_left_out(row: Mapping[str, Any]) -> None:
    """One row that cannot be read makes all unknown: it could be the one that matters."""
    usage = answered(reply(200, page(ROW, row)))
    assert usage.users == {}
    assert is_plain(usage.unknown)


def test_a_row_about_another_definition() -> None:
    """A row about another definition, which was not asked for, says nothing of this one."""
    others = [_row(imageId=f"{sibling(name)}/versions/1.0.2") for name in ("ubuntu", "ubuntu-2204-arm64")]
    assert seen(answered(reply(200, page(ROW, *others)), reply(200, page()))) == SEEN


@pytest.mark.parametrize(
    ("way", "told"),
    [
        ("truncated", "Resource Graph gave only a part of its answer"),
        ("limit-hit", "Resource Graph answers about 10,000 subscriptions at most, and there are more"),
    ],
)
def test_an_incomplete_answer_is_not_to_know(azure: SimulatedAzure, graph: ResourceGraph, way: str, told: str) -> None:
    """What Resource Graph itself calls incomplete, in either of its ways, is no answer, and people read that."""
    azure.add_scale_set("a", image=V1, location="westeurope", instances=[V1])
    azure.add_scale_set("b", image=V2, location="westeurope", instances=[V2], subscription=OTHER_SUBSCRIPTION)
    azure.set_behaviour(graph_incomplete=way)
    usage = graph.usage(IMAGE, InUse.SCALE_SETS)
    assert (usage.users, usage.ask_again) == ({}, None)
    assert usage.unknown == told


def test_an_answer_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that always says that there is more is given up after so many pages."""
    monkeypatch.setattr("shared.adapters.graph_rows._MOST_PAGES", 5)
    more = reply(200, page(ROW, totalRecords=2, **{"$skipToken": "again"}))
    with Server(more) as server, quickly():
        usage = ResourceGraph(server.url, None).usage(IMAGE, InUse.ALL)
        assert len(server.taken) <= 5
    assert usage.users == {}
    assert is_plain(usage.unknown)


def test_nobody_answers() -> None:
    """When nobody takes the connection nothing is known, and it is worth asking again soon."""
    with quickly():
        usage = ResourceGraph(NOBODY, None).usage(IMAGE, InUse.SCALE_SETS)
    assert (usage.users, usage.ask_again) == ({}, LATER)
    assert "no answer from Azure" in usage.unknown


def test_after_an_outage(azure: SimulatedAzure, graph: ResourceGraph) -> None:
    """The same adapter finds out again once Azure is back."""
    azure.add_scale_set("web-prod", image=V1, location="westeurope")
    assert seen(graph.usage(IMAGE, InUse.SCALE_SETS)) == SEEN
    azure.stop()
    assert graph.usage(IMAGE, InUse.SCALE_SETS).unknown
    azure.start()
    assert seen(graph.usage(IMAGE, InUse.SCALE_SETS)) == SEEN


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="none"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", id="broken off"),
        pytest.param(b"what?\r\n\r\n", id="not HTTP"),
    ],
)
def test_half_an_answer(answer: bytes) -> None:
    """An answer that breaks off is not to know, and worth asking again soon."""
    usage = answered(answer)
    assert (usage.users, usage.ask_again) == ({}, LATER)
    assert "no answer from Azure" in usage.unknown


def test_no_credential_leaves_over_plain_http(azure: SimulatedAzure, graph: ResourceGraph) -> None:
    """No query to a simulated Azure carries an Authorization header."""
    graph.usage(IMAGE, InUse.ALL)
    assert len(azure.requests) == 2
    assert not [request for request in azure.requests if "authorization" in request.headers]


def test_a_credential_is_not_sent_over_plain_http() -> None:
    """With a credential an http endpoint is not even asked, and then nothing is known."""
    tokens = Tokens()
    with Server(reply(200, page(ROW))) as server:
        usage = ResourceGraph(server.url, tokens).usage(IMAGE, InUse.ALL)
        assert (server.taken, tokens.asked) == ([], [])
    assert usage.users == {}
    assert usage.unknown


def test_https_wants_a_credential() -> None:
    """There is no adapter for an https endpoint without a credential."""
    with pytest.raises(ValueError, match="credential"):
        ResourceGraph("https://management.azure.com", None)


def test_a_credential_that_has_no_token() -> None:
    """In Azure a token is asked for, for this endpoint only; when there is none, nothing is known, and why is told."""
    tokens = Tokens(ClientAuthenticationError("the identity has\nno token"))
    endpoint = NOBODY.replace("http:", "https:")
    with quickly():
        usage = ResourceGraph(endpoint, tokens).usage(IMAGE, InUse.ALL)
    assert set(tokens.asked) == {(f"{endpoint}/.default",)}
    assert usage == Usage(unknown="Resource Graph: the identity has no token")
