import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest, QueryRequestOptions

from local.azure import ArmError, Fault, Reference
from tests.local.azure.support import API, SUBSCRIPTION, ask

OTHER = "22222222-2222-2222-2222-222222222222"
SCALE_SETS = "resources | where type == 'microsoft.compute/virtualmachinescalesets' "
VMS = "resources | where type == 'microsoft.compute/virtualmachines' "
INSTANCES = "computeresources | where type =~ 'Microsoft.Compute/virtualMachineScaleSets/virtualMachines' "


@pytest.fixture
def graph(azure):
    """Return the real SDK's client, which talks to the simulation over HTTP and does not retry."""
    with ResourceGraphClient(
        credential=object(),
        base_url=azure.endpoint,
        credential_scopes=["https://localhost/.default"],
        authentication_policy=SansIOHTTPPolicy(),
        retry_total=0,
    ) as client:
        yield client


@pytest.fixture
def rows(graph):
    """Return a function that answers a query with the rows of its first page."""
    return lambda query, **scope: graph.resources(QueryRequest(query=query, **scope)).data


@pytest.fixture
def post(azure):
    """Return a function that posts a body and returns the status, the headers and the JSON of the answer."""
    url = f"{azure.endpoint}/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
    return lambda **body: ask("POST", url, body)


def pages(graph, query, **options):
    """Yield each page of a query, as a client that follows skip tokens gets them."""
    token = None
    while True:
        page = graph.resources(QueryRequest(query=query, options=QueryRequestOptions(skip_token=token, **options)))
        yield page
        token = page.skip_token
        if token is None:
            return


def test_a_scale_set_is_a_row(azure, rows, image):
    """Type and group are in lower case, the id as it was made, the location short; what it is made from is deep in."""
    made = azure.add_scale_set("Web", image=image, location="West Europe", group="Compute")
    assert rows(SCALE_SETS) == [
        {
            "id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Compute/providers/Microsoft.Compute"
            "/virtualMachineScaleSets/Web",
            "name": "Web",
            "type": "microsoft.compute/virtualmachinescalesets",
            "location": "westeurope",
            "resourceGroup": "compute",
            "subscriptionId": SUBSCRIPTION,
            "tags": None,
            "properties": {
                "orchestrationMode": "Uniform",
                "virtualMachineProfile": {"storageProfile": {"imageReference": {"id": image}}},
                "provisioningState": "Succeeded",
            },
        }
    ]
    assert made == rows(SCALE_SETS)[0]["id"]


def test_instances_of_uniform_scale_sets_have_a_table_of_their_own(azure, rows, image):
    """Each is below its scale set, with what it was made from and, made from "latest", which version that was."""
    version = f"{image}/versions/1.0.0"
    web = azure.add_scale_set(
        "web", image=image, location="uksouth", instances=[Reference(image, "1.0.1"), version, Reference(version)]
    )
    query = INSTANCES + "| order by id asc | project id, name, location, properties.storageProfile.imageReference"
    reference = "properties_storageProfile_imageReference"
    assert rows(query) == [
        {
            "id": f"{web}/virtualMachines/0",
            "name": "web_0",
            "location": "uksouth",
            reference: {"id": image, "exactVersion": "1.0.1"},
        },
        {"id": f"{web}/virtualMachines/1", "name": "web_1", "location": "uksouth", reference: {"id": version}},
        {"id": f"{web}/virtualMachines/2", "name": "web_2", "location": "uksouth", reference: {"id": version}},
    ]
    assert rows(VMS) == []


def test_instances_of_flexible_scale_sets_are_virtual_machines(azure, rows, image):
    """They are among the virtual machines and name their scale set; a virtual machine of its own names none."""
    web = azure.add_scale_set("web", image=image, location="uksouth", flexible=True, instances=[image])
    lone = azure.add_vm("lone", image=Reference(image, "1.0.1"), location="uksouth", subscription=OTHER, group="Other")
    query = VMS + "| order by id asc | project id, set = tostring(properties.virtualMachineScaleSet.id)"
    instance = web.replace("virtualMachineScaleSets/web", "virtualMachines/web_0")
    assert rows(query) == [{"id": instance, "set": web}, {"id": lone, "set": ""}]
    assert rows(INSTANCES) == []
    assert rows(SCALE_SETS + "| where properties.orchestrationMode == 'Flexible' | project id") == [{"id": web}]


@pytest.mark.parametrize("flexible", [False, True])
def test_a_scale_set_goes_with_its_instances(azure, rows, image, flexible):
    """What is removed is no row any longer, in any casing of the id; others stay, and a second time is an error."""
    gone, kept = (
        azure.add_scale_set(name, image=image, location="uksouth", flexible=flexible, instances=[image])
        for name in ("web", "web2")
    )
    lone = azure.add_vm("lone", image=image, location="uksouth")
    azure.remove(gone.upper())
    assert [row["id"] for row in rows(SCALE_SETS)] == [kept]
    assert len(rows(INSTANCES) + rows(VMS)) == 2
    azure.remove(lone)
    assert len(rows(INSTANCES) + rows(VMS)) == 1
    with pytest.raises(ArmError, match="ResourceNotFound"):
        azure.remove(gone)


def test_a_query_finds_the_scale_sets_of_an_image(azure, rows, image):
    """A query as an app would send it: in several lines, with an extended column, sorted."""
    version = f"{image}/versions/1.0.1"
    wanted = [
        azure.add_scale_set(name, image=used, location="uksouth")
        for name, used in (("a", image), ("b", version.upper()))
    ]
    azure.add_scale_set("c", image=f"{image}-other", location="uksouth")
    query = f"""
        Resources
        | where type =~ 'microsoft.compute/virtualmachinescalesets'
        | extend image = properties.virtualMachineProfile.storageProfile.imageReference
        | where image.id =~ '{image}' or image.id startswith '{image}/'
        | project id, location, image = tolower(image.id)
        | order by id asc
    """
    assert rows(query) == [
        {"id": wanted[0], "location": "uksouth", "image": image.lower()},
        {"id": wanted[1], "location": "uksouth", "image": version.lower()},
    ]


def test_the_scope_is_every_subscription_or_those_that_are_named(azure, rows, image):
    """Without `subscriptions` all are queried; with it those alone, case-blind."""
    letters = "abcdefab-0000-0000-0000-000000000000"
    for subscription in (SUBSCRIPTION, OTHER, letters):
        azure.add_vm("vm", image=image, location="uksouth", subscription=subscription)
    assert {row["subscriptionId"] for row in rows(VMS)} == {SUBSCRIPTION, OTHER, letters}
    named = rows(VMS, subscriptions=[OTHER, letters.upper(), "33333333-3333-3333-3333-333333333333"])
    assert {row["subscriptionId"] for row in named} == {OTHER, letters}


@pytest.fixture
def seven(azure, image):
    """Put seven virtual machines there; return their ids, sorted."""
    return sorted(azure.add_vm(f"vm{number}", image=image, location="uksouth") for number in range(7))


@pytest.mark.parametrize(("size", "top"), [(3, None), (1000, 3), (3, 5)])
def test_a_sorted_result_comes_in_pages(azure, graph, seven, size, top):
    """The SDK follows skip tokens; each page is as big as the smaller limit, and no page says that it is truncated."""
    azure.set_behaviour(graph_page_size=size)
    found = list(pages(graph, VMS + "| project id | order by id asc", top=top))
    assert [[row["id"] for row in page.data] for page in found] == [seven[:3], seven[3:6], seven[6:]]
    assert [(page.total_records, page.count, page.result_truncated) for page in found] == [
        (7, 3, "false"),
        (7, 3, "false"),
        (7, 1, "false"),
    ]


def test_a_result_that_just_fills_its_page_has_no_next_one(azure, post, seven):
    """The skip token comes only when more follows."""
    azure.set_behaviour(graph_page_size=len(seven))
    status, _, body = post(query=VMS)
    assert (status, body["count"], body["facets"]) == (200, 7, [])
    assert "$skipToken" not in body


def test_a_token_carries_the_page_size(post, seven):
    """The next page is as big as the one before, unless `$top` says otherwise."""
    query = VMS + "| order by id asc"
    token = post(query=query, options={"$top": 2})[2]["$skipToken"]
    assert [row["id"] for row in post(query=query, options={"$skipToken": token})[2]["data"]] == seven[2:4]
    assert len(post(query=query, options={"$skipToken": token, "$top": 4})[2]["data"]) == 4


@pytest.mark.parametrize("query", [VMS, VMS + "| order by location asc"])
def test_pages_without_an_order_repeat_and_miss_rows(graph, seven, query):
    """Rows that sort alike have no order that lasts: some come twice and some never, though the counts are right."""
    found = [row["id"] for page in pages(graph, query, top=3) for row in page.data]
    assert len(found) == 7
    assert set(found) < set(seven)


def test_a_removal_between_two_pages_hides_a_row(azure, post, seven):
    """A token is an offset: what moves up while somebody pages is not seen."""
    query = VMS + "| order by id asc | project id"
    token = post(query=query, options={"$top": 3})[2]["$skipToken"]
    azure.remove(seven[0])
    following = post(query=query, options={"$skipToken": token})[2]["data"]
    assert [row["id"] for row in following] == seven[4:]


@pytest.mark.parametrize("query", [VMS + "| take 6", VMS + "| project properties"])
def test_a_result_without_pages_is_truncated(azure, graph, seven, query):
    """After `take`, or with dynamic columns alone, what does not fit is not to be had; what fits is not truncated."""
    assert [page.result_truncated for page in pages(graph, query)] == ["false"]
    azure.set_behaviour(graph_page_size=5)
    (page,) = pages(graph, query)
    assert (page.count, page.result_truncated, page.skip_token) == (5, "true", None)
    assert seven[5] not in str(page.data)


def test_any_answer_can_be_truncated(azure, graph, seven):
    """With the switch there are no pages and the last record is missing, even the only one; nothing has no last one."""
    azure.set_behaviour(graph_incomplete="truncated")
    (page,) = pages(graph, VMS + "| order by id asc | project id")
    assert ([row["id"] for row in page.data], page.total_records) == (seven[:-1], 7)
    assert (page.result_truncated, page.skip_token) == ("true", None)
    (lone,) = pages(graph, VMS + "| where name == 'vm3'")
    assert (lone.count, lone.total_records, lone.result_truncated) == (0, 1, "true")
    (none,) = pages(graph, SCALE_SETS)
    assert (none.total_records, none.result_truncated) == (0, "false")


def test_a_scope_can_be_too_large(azure, post, image):
    """With the switch a query of all subscriptions does not see the last one and says so; one that names them does."""
    header = "x-ms-tenant-subscription-limit-hit"
    for subscription in (SUBSCRIPTION, OTHER):
        azure.add_vm("vm", image=image, location="uksouth", subscription=subscription)
    assert header not in post(query=VMS)[1]
    azure.set_behaviour(graph_incomplete="limit-hit")
    _, headers, body = post(query=VMS)
    assert (headers[header], body["totalRecords"], body["resultTruncated"]) == ("true", 1, "false")
    assert body["data"][0]["subscriptionId"] == SUBSCRIPTION
    _, headers, body = post(query=VMS, subscriptions=[OTHER])
    assert (header in headers, body["totalRecords"]) == (False, 1)


def test_a_query_that_is_not_known_is_refused(graph):
    """The SDK raises 400 BadRequest with InvalidQuery inside; so does a union of two tables."""
    for query in ("resources | summarize count()", "resources | union (computeresources)"):
        with pytest.raises(HttpResponseError) as refusal:
            graph.resources(QueryRequest(query=query))
        assert (refusal.value.status_code, refusal.value.error.code) == (400, "BadRequest")
        assert [detail.code for detail in refusal.value.error.details] == ["InvalidQuery", "ParserFailure"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": None},
        {"query": 7},
        {"query": VMS, "facets": [{"expression": "location"}]},
        {"query": VMS, "managementGroups": ["all"]},
        {"query": VMS, "subscriptions": []},
        {"query": VMS, "subscriptions": SUBSCRIPTION},
        {"query": VMS, "subscriptions": [1]},
        {"query": VMS, "options": []},
        {"query": VMS, "options": {"$top": 1001}},
        {"query": VMS, "options": {"$top": 0}},
        {"query": VMS, "options": {"$top": "5"}},
        {"query": VMS, "options": {"$top": True}},
        {"query": VMS, "options": {"$skip": 5}},
        {"query": VMS, "options": {"resultFormat": "table"}},
        {"query": VMS, "options": {"$skipToken": "!"}},
        {"query": VMS, "options": {"$skipToken": "W10="}},
        {"query": VMS, "options": {"$skipToken": 3}},
    ],
)
def test_what_comes_with_a_query_is_refused_unless_it_is_known(post, body):
    """More than 1000 records a page, other formats, other scopes and tokens of one's own making are 400."""
    status, _, answer = post(**body)
    assert (status, answer["error"]["code"]) == (400, "BadRequest")
    assert answer["error"]["details"][0]["code"] == "InvalidQueryRequest"


@pytest.mark.usefixtures("seven")
def test_a_token_is_good_for_its_query_only(post):
    """Another query, or another scope, is refused."""
    token = post(query=VMS, options={"$top": 2})[2]["$skipToken"]
    for other in ({"query": VMS + "| project id"}, {"query": VMS, "subscriptions": [SUBSCRIPTION]}):
        assert post(**other, options={"$skipToken": token})[0] == 400


def test_queries_count_against_a_quota_of_their_own(azure, post, image, clock):
    """Fifteen in five seconds, and then anew; they take nothing from the budgets of a subscription."""
    answers = [post(query=VMS)[1] for _ in range(2)]
    clock.now += 3.5
    answers.append(post(query=VMS)[1])
    clock.now += 1.5
    answers.append(post(query=VMS)[1])
    assert [answer["x-ms-user-quota-remaining"] for answer in answers] == ["14", "13", "12", "14"]
    assert [answer["x-ms-user-quota-resets-after"][-2:] for answer in answers] == ["05", "05", "02", "05"]
    assert not any("subscription" in name for name in answers[0])
    version = azure.add_version(image, "1.0.1")
    headers = ask("PATCH", f"{azure.endpoint}{version}?{API}", {"tags": {}})[1]
    assert headers["x-ms-ratelimit-remaining-subscription-writes"] == "1199"


def test_queries_are_recorded_and_are_no_writes(azure, rows):
    """The journal has the query's body, and `writes` has nothing."""
    rows(VMS, subscriptions=[SUBSCRIPTION])
    (request,) = azure.requests
    assert (request.method, request.path) == ("POST", "/providers/Microsoft.ResourceGraph/resources")
    assert (request.body["query"], request.body["subscriptions"], request.status) == (VMS, [SUBSCRIPTION], 200)
    assert azure.writes() == []


def test_faults_strike_queries_too(azure, rows):
    """A 429 with its Retry-After, once."""
    azure.set_behaviour(faults=[Fault("POST", "Microsoft.ResourceGraph", 429, "RateLimiting", "Slow.", 5)])
    with pytest.raises(HttpResponseError) as refusal:
        rows(VMS)
    assert (refusal.value.status_code, refusal.value.response.headers["Retry-After"]) == (429, "5")
    assert rows(VMS) == []
