import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.core.errors import Malformed
from shared.core.events import EVENT_TYPES, version_of
from shared.core.names import VersionId
from tests.core import strategies
from tests.core.build import GALLERY_ID, IMAGE_ID, VERSION_ID, version_id

WRITTEN = "Microsoft.Resources.ResourceWriteSuccess"
VERSION = version_id("1.0.3")
OPERATION = {"operationName": "Microsoft.Compute/galleries/images/versions/write", "status": "Succeeded"}


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_event_types(event_type):
    """A version that was written, failed to be or was deleted is found."""
    assert version_of(event_type, VERSION_ID, {"resourceUri": VERSION_ID, **OPERATION}) == VERSION


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"httpRequest": {}},
        {"httpRequest": ""},
        {"httpRequest": {"method": "PUT", "url": "https://management.azure.com/x?api-version=1"}},
        {"httpRequest": "{'method': 'PUT'}"},
        {"claims": {}, "authorization": {}},
        {"claims": "", "authorization": ""},
        {"claims": ["a"], "authorization": [{"scope": IMAGE_ID}]},
        {"authorization": {"scope": IMAGE_ID, "action": "Microsoft.Compute/galleries/write"}},
        {"claims": None, "correlationId": None, "resourceProvider": "MICROSOFT.COMPUTE"},
        {"operationName": "Microsoft.Compute/galleries/images/versions/delete"},
        {"operationName": None, "status": 7},
    ],
)
def test_shapes_of_data(more):
    """Nothing but the resource id of an event is looked at, in whatever shapes the rest comes."""
    assert version_of(WRITTEN, "/somewhere/else", {**OPERATION, **more, "resourceUri": VERSION_ID}) == VERSION


@pytest.mark.parametrize(
    "uri",
    [
        VERSION_ID.replace("resourceGroups", "resourcegroups"),
        VERSION_ID.replace("Microsoft.Compute", "microsoft.compute"),
        VERSION_ID.upper(),
        VERSION_ID.lower(),
    ],
)
def test_casing_of_ids(uri):
    """An id is understood in every letter case that Azure uses."""
    assert version_of(WRITTEN, uri, {"resourceUri": uri}) == VERSION


@pytest.mark.parametrize("data", [{}, None, "", "text", [], 7, {"resourceUri": None}, {"resourceUri": ["x"]}])
def test_subject_stands_in(data):
    """Without a resource id in its data an event is about its subject."""
    assert version_of(WRITTEN, VERSION_ID, data) == VERSION


@pytest.mark.parametrize(
    "event_type",
    [
        "Microsoft.Resources.ResourceActionSuccess",
        "Microsoft.Resources.ResourceWriteCancel",
        "Microsoft.Resources.ResourceDeleteFailure",
        "Microsoft.EventGrid.SubscriptionValidationEvent",
        "microsoft.resources.resourcewritesuccess",
        "",
        None,
        7,
        [],
        {},
    ],
)
def test_other_event_types(event_type):
    """An event of any other type is none of our business."""
    with pytest.raises(Malformed, match="not an event of a resource that was written or deleted"):
        version_of(event_type, VERSION_ID, {"resourceUri": VERSION_ID})


@pytest.mark.parametrize(
    "uri",
    [
        IMAGE_ID,
        GALLERY_ID,
        VERSION_ID.replace("/images/", "/applications/"),
        GALLERY_ID.replace("galleries", "virtualMachines"),
        f"{VERSION_ID}/../1.0.4",
        "",
    ],
)
def test_other_resources(uri):
    """An event about another resource is none of our business, whatever its subject says."""
    with pytest.raises(Malformed, match="is not the resource id of an image version"):
        version_of(WRITTEN, VERSION_ID, {"resourceUri": uri})


@pytest.mark.parametrize("subject", [None, 7, [], {}])
def test_no_resource(subject):
    """An event that names no resource is none of our business."""
    with pytest.raises(Malformed, match="names no resource"):
        version_of(WRITTEN, subject, {})


@given(
    st.sampled_from(sorted(EVENT_TYPES)) | strategies.json_values,
    strategies.json_values,
    strategies.json_values | st.dictionaries(st.just("resourceUri"), strategies.json_values),
)
def test_any_event(event_type, subject, data):
    """Any JSON is an event about a version or Malformed, and nothing else is raised."""
    try:
        assert isinstance(version_of(event_type, subject, data), VersionId)
    except Malformed:
        return
