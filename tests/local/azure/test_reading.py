import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from local.azure import ArmError, Fault, Region
from tests.local.azure.support import API, SUBSCRIPTION, ask


def test_galleries_and_definitions_are_read_with_their_tags(azure, image, client):
    """The SDK reads a gallery and a definition, and lists both."""
    azure.add_gallery("other", group="elsewhere")
    assert client.galleries.get("images", "prodgallery").tags == {"team": "images"}
    assert client.gallery_images.get("images", "prodgallery", "ubuntu-2204").tags == {"os": "linux"}
    assert [gallery.name for gallery in client.galleries.list_by_resource_group("images")] == ["prodgallery"]
    assert [found.id for found in client.gallery_images.list_by_gallery("images", "prodgallery")] == [image]


def test_a_version_shows_its_replication_status_only_when_asked(azure, image, versions, place):
    """GET has replicationStatus with $expand alone; the regions' names are long in one and short in the other."""
    azure.add_version(image, "1.0.1", regions=["westeurope", Region("eastus2", replicas=2)])
    plain = versions.get(*place, "1.0.1").as_dict()["properties"]
    status = versions.get(*place, "1.0.1", expand="ReplicationStatus").as_dict()["properties"]["replicationStatus"]
    assert "replicationStatus" not in plain
    assert [region["name"] for region in plain["publishingProfile"]["targetRegions"]] == ["West Europe", "East US 2"]
    assert status["aggregatedState"] == "Completed"
    assert status["summary"] == [
        {"region": "westeurope", "state": "Completed", "progress": 100},
        {"region": "eastus2", "state": "Completed", "progress": 100},
    ]


def test_lists_come_in_pages_and_never_show_replication(azure, image, versions, place):
    """A list of seven in pages of three takes three requests, by absolute links, and has no replicationStatus."""
    azure.set_behaviour(page_size=3)
    names = [f"1.0.{number}" for number in range(7)]
    for name in names:
        azure.add_version(image, name)
    listed = list(versions.list_by_gallery_image(*place))
    assert [version.name for version in listed] == names
    assert len(azure.requests) == 3
    assert azure.requests[1].query["$skiptoken"]
    assert all("replicationStatus" not in version.as_dict()["properties"] for version in listed)


def test_a_list_has_a_next_link_only_when_more_follows(azure, image):
    """A page that is just full is the last one, and an empty list is a list."""
    url = f"{azure.endpoint}{image}/versions?{API}"
    assert ask("GET", url)[2] == {"value": []}
    azure.set_behaviour(page_size=1)
    azure.add_version(image, "1.0.1")
    assert "nextLink" not in ask("GET", url)[2]


def test_a_list_may_lag_behind(azure, image, versions, place):
    """A version that is left out of lists can be read all the same: lists are eventually consistent."""
    azure.set_behaviour(unlisted=frozenset({"1.0.2"}))
    for name in ("1.0.1", "1.0.2"):
        azure.add_version(image, name)
    assert [version.name for version in versions.list_by_gallery_image(*place)] == ["1.0.1"]
    assert versions.get(*place, "1.0.2").name == "1.0.2"


def test_a_skip_token_of_ones_own_making_is_refused(azure, image):
    """A token that no list has given is 400, not a page."""
    status, _, body = ask("GET", f"{azure.endpoint}{image}/versions?{API}&$skiptoken=%21")
    assert (status, body["error"]["code"]) == (400, "InvalidParameter")


def test_ids_are_found_in_any_casing_and_keep_their_own(azure, image):
    """A path in capitals finds the version, and the answer has the casing of its creation."""
    version = azure.add_version(image, "1.0.1")
    status, _, body = ask("GET", f"{azure.endpoint}{version.upper()}?{API}")
    assert (status, body["id"]) == (200, version)


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("nowhere", "prodgallery", "ubuntu-2204", "1.0.1"), "ResourceGroupNotFound"),
        (("images", "nogallery", "ubuntu-2204", "1.0.1"), "ParentResourceNotFound"),
        (("images", "prodgallery", "noimage", "1.0.1"), "ParentResourceNotFound"),
        (("images", "prodgallery", "ubuntu-2204", "9.9.9"), "ResourceNotFound"),
    ],
)
@pytest.mark.usefixtures("image")
def test_what_is_absent_says_what_is_absent(versions, names, code):
    """404 tells apart a version, what it lies in, and the group."""
    with pytest.raises(ResourceNotFoundError) as refusal:
        versions.get(*names)
    assert refusal.value.error.code == code


def test_the_list_of_an_absent_definition_is_404(client, image):
    """Only what exists has a list, empty or not: an absent parent is never an empty list."""
    assert image
    with pytest.raises(ResourceNotFoundError):
        list(client.gallery_image_versions.list_by_gallery_image("images", "prodgallery", "noimage"))
    with pytest.raises(ResourceNotFoundError):
        list(client.gallery_images.list_by_gallery("images", "nogallery"))


def test_a_request_without_api_version_is_refused(azure, image):
    """ARM wants an api-version of every request."""
    status, _, body = ask("GET", f"{azure.endpoint}{image}")
    assert (status, body["error"]["code"]) == (400, "MissingApiVersionParameter")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"/subscriptions/{SUBSCRIPTION}"),
        ("GET", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Compute/disks/one"),
        ("PUT", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/images/providers/Microsoft.Compute/galleries/new"),
        ("POST", "/providers/Microsoft.ResourceGraph/resourcesHistory"),
        ("GET", "/"),
    ],
)
def test_unknown_routes_are_501(azure, method, path):
    """What is not simulated is never a plausible success."""
    status, _, body = ask(method, f"{azure.endpoint}{path}?{API}")
    assert (status, body["error"]["code"]) == (501, "NotImplemented")


def test_headers_are_those_of_arm(azure, image):
    """Each read takes one from the budgets; there is no ETag and no Retry-After."""
    version = azure.add_version(image, "1.0.1")
    first, second = (ask("GET", f"{azure.endpoint}{version}?{API}")[1] for _ in range(2))
    expected = "Microsoft.Compute/GetGalleryImageVersion3Min;1998,Microsoft.Compute/GetGalleryImageVersion30Min;9998"
    assert second["x-ms-ratelimit-remaining-resource"] == expected
    assert int(first["x-ms-ratelimit-remaining-subscription-reads"]) == 11999
    assert first["x-ms-request-id"] != second["x-ms-request-id"]
    assert not {"etag", "retry-after"} & first.keys()


def test_a_budget_is_whole_again_after_its_window(azure, image, clock):
    """After three minutes the short window counts from its start, and the long one goes on."""
    url = f"{azure.endpoint}{azure.add_version(image, '1.0.1')}?{API}"
    ask("GET", url)
    clock.now += 180
    left = ask("GET", url)[1]["x-ms-ratelimit-remaining-resource"]
    assert [int(part.split(";")[1]) for part in left.split(",")] == [1999, 9998]


def test_faults_strike_as_often_as_told(azure, image, versions, place):
    """A 429 is answered twice, with its Retry-After, and then the request is answered."""
    azure.add_version(image, "1.0.1")
    azure.set_behaviour(faults=[Fault("GET", r"/versions/1\.0\.1$", 429, "TooManyRequests", "Slow.", 17, times=2)])
    for _ in range(2):
        with pytest.raises(HttpResponseError) as refusal:
            versions.get(*place, "1.0.1")
        assert refusal.value.status_code == 429
        assert refusal.value.response.headers["Retry-After"] == "17"
    assert versions.get(*place, "1.0.1").name == "1.0.1"


def test_requests_are_recorded_with_their_outcome(azure, image, versions, place, clock):
    """The journal has method, path, query, error code and headers of each request, and `show` is none."""
    azure.show(f"{image}/versions/9.9.9")
    with pytest.raises(ResourceNotFoundError):
        versions.get(*place, "9.9.9", expand="ReplicationStatus", headers={"X-Who": "me"})
    (request,) = azure.requests
    assert (request.at, request.method, request.path) == (clock.now, "GET", f"{image}/versions/9.9.9")
    assert (request.status, request.error_code, request.body) == (404, "ResourceNotFound", None)
    assert request.query["$expand"] == "ReplicationStatus"
    assert request.headers["x-who"] == "me"


def test_extra_headers_come_with_every_answer(azure, image):
    """A header that is set in the behaviour replaces ours: a 200 may say that nothing remains."""
    name = "x-ms-ratelimit-remaining-resource"
    azure.set_behaviour(extra_headers={name: "Microsoft.Compute/GetGalleryImage3Min;0"})
    status, headers, _ = ask("GET", f"{azure.endpoint}{image}?{API}")
    assert (status, headers[name]) == (200, "Microsoft.Compute/GetGalleryImage3Min;0")


def test_a_definition_needs_its_gallery(azure):
    """Test code cannot put a definition where no gallery is."""
    with pytest.raises(ArmError, match="ResourceGroupNotFound"):
        azure.add_image("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/none", "ubuntu")
