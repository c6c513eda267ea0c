import inspect
import re

import pytest

from local.azure import SimulatedAzure
from shared.adapters.gallery import Gallery
from shared.adapters.usage import ResourceGraph
from shared.core.plan import Action, Line, Role, VersionPlan
from shared.core.policy import InUse
from shared.settings.table import POLICY_SETTINGS
from tests.adapters.support import IMAGE, version_id
from tests.infra import bicep
from tests.infra.arm_actions import ACTIONS, action_of
from tests.infra.roles import GALLERY_ROLE, NAMED_IN_WRITES, READ_BY_QUERIES, USAGE_ROLE, actions, custom

BUILT_IN = {
    "storage.bicep": {
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
        "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    },
    "monitoring.bicep": {"3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher"},
    "vault.bicep": {
        "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
        "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    },
    "topic-access.bicep": {"d5a91429-5739-47e2-a06b-3470a27159e7": "EventGrid Data Sender"},
}
"""Documented ids, by the only modules that may assign them."""

SCOPES = {
    "storage.bicep": {"account", "deadLetterContainer"},
    "monitoring.bicep": {"insights"},
    "vault.bicep": {"vault"},
    "gallery-access.bicep": {"gallery"},
    "encryption-access.bicep": {"encryptionSet"},
    "topic-access.bicep": {"topic"},
    "usage-access.bicep": {""},
}
"""On what each module assigns a role; empty for the subscription of the module."""


def granted(path) -> set[str]:
    """Give the actions of the role in one file."""
    (role,) = bicep.read(path).resources("Microsoft.Authorization/roleDefinitions")
    return set(role.value["properties"]["permissions"][0]["actions"])


def public(kind: type) -> set[str]:
    """Name the methods that others call."""
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


@pytest.fixture
def calls() -> set[tuple[str, str]]:
    """Method and path of every call that the adapters make of Azure Resource Manager when each method is called."""
    with SimulatedAzure() as azure:
        gallery_id = azure.add_gallery("prodgallery")
        azure.add_image(gallery_id, "ubuntu-2204")
        for number in ("1.0.3", "1.0.4"):
            azure.add_version(str(IMAGE), number, regions=("westeurope", "eastus2"))
        gallery, graph = Gallery(azure.endpoint, None), ResourceGraph(azure.endpoint, None)
        version = gallery.version(version_id())
        done = {
            "images": lambda: gallery.images(IMAGE.gallery),
            "tags": lambda: (gallery.tags(IMAGE.gallery), gallery.tags(IMAGE)),
            "recent_tags": lambda: gallery.recent_tags(IMAGE.gallery),
            "versions": lambda: gallery.versions(IMAGE),
            "version": lambda: gallery.version(version_id()),
            "may_write": lambda: gallery.may_write(version_id()),
            "write": lambda: gallery.write(
                VersionPlan(version, Role.KEPT, (Line("uksouth", Action.ADD, "", 1, "Standard_LRS"),))
            ),
            "unlock": lambda: gallery.unlock(gallery.version(version_id("1.0.4"))),
            "usage": lambda: graph.usage(IMAGE, InUse.ALL),
        }
        assert done.keys() == public(Gallery) | public(ResourceGraph)
        for call in done.values():
            call()
        return {(each.method, each.path) for each in azure.requests}


def test_the_roles_allow_what_the_code_does(calls):
    """What the roles allow is what the code calls, what its queries read, what its writes name, and nothing else."""
    needed = {action_of(method, path) for method, path in calls}
    assert actions() == needed | READ_BY_QUERIES | NAMED_IN_WRITES


def test_the_gallery_role_is_for_galleries(calls):
    """On a gallery the app may do what it does with galleries: read, and write image versions."""
    assert granted(GALLERY_ROLE) == {action_of(*call) for call in calls if "/galleries/" in call[1]}
    assert [action for action in granted(GALLERY_ROLE) if not action.endswith("/read")] == [
        "Microsoft.Compute/galleries/images/versions/write"
    ]


def test_the_usage_role_reads_what_is_asked_for():
    """Who is asked about in the queries may be read, and nothing can be changed."""
    types = re.findall(r"'(microsoft\.compute/[a-z/]+)'", inspect.getsource(inspect.getmodule(ResourceGraph)))
    assert {f"{each}/read" for each in types} <= {action.lower() for action in granted(USAGE_ROLE)}
    assert {action.rpartition("/")[2] for action in granted(USAGE_ROLE)} == {"read"}


def test_no_role_has_wildcards():
    """No role names more than it says: no wildcard, and it can be assigned in its own subscription only."""
    assert not [action for action in actions() if "*" in action]
    for role in custom():
        assert "".join(each.text for each in role.value["properties"]["assignableScopes"]) == "subscription().id"


@pytest.mark.parametrize("path", bicep.FILES, ids=lambda path: path.name)
def test_built_in_roles_are_few(path):
    """A module assigns the built-in roles that are listed for it, and names each in a comment or a variable."""
    text = path.read_text()
    found = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text))
    named = BUILT_IN.get(path.name, {})
    assert found == named.keys()
    plain = re.sub(r"\W", "", text).lower()
    assert [name for name in named.values() if name.replace(" ", "").lower() not in plain] == []


@pytest.mark.parametrize("path", bicep.FILES, ids=lambda path: path.name)
def test_roles_are_assigned_where_they_are_needed(path):
    """A role is assigned on the one thing that it is for, by a name that stays the same."""
    assignments = bicep.read(path).resources("Microsoft.Authorization/roleAssignments")
    scopes = {each.value["scope"].text if "scope" in each.value else "" for each in assignments}
    assert scopes == SCOPES.get(path.name, set())
    assert [each.name for each in assignments if not each.value["name"].text.startswith("guid(")] == []


def test_each_gallery_has_its_role_where_it_is():
    """The role is made once in each subscription that has a gallery, and assigned on every gallery where that is."""
    main = bicep.read(bicep.MAIN)
    variables, calls = main.of("variable"), main.of("module")
    assert variables["galleryIds"].value.text == "union(map(galleries, id => toLower(id)), [])"
    assert variables["gallerySubscriptionIds"].value.text == "union(map(galleryIds, id => split(id, '/')[2]), [])"
    roles, access = calls["galleryRoles"], calls["galleryAccess"]
    assert (roles.loop, roles.value["scope"].text) == ("gallerySubscriptionIds", "subscription(id)")
    assert (access.loop, access.value["scope"].text) == (
        "galleryIds",
        "resourceGroup(split(id, '/')[2], split(id, '/')[4])",
    )
    parts = str(IMAGE.gallery).split("/")
    assert (parts[1], parts[3], parts[-2]) == ("subscriptions", "resourceGroups", "galleries")
    given = access.value["params"]
    assert given["galleryName"].text == "last(split(id, '/'))"
    assert given["roleId"].text == "galleryRoles[indexOf(gallerySubscriptionIds, split(id, '/')[2])].outputs.id"


def test_the_usage_role_is_for_protection_only():
    """Resource Graph may be read where what is in use is protected, by the setting or an override, and else nowhere."""
    main = bicep.read(bicep.MAIN)
    variables, call = main.of("variable"), main.of("module")["usageAccess"]
    found = re.fullmatch(
        r"protectInUse != '(.+)' \|\| contains\(string\(policyOverrides\), '(.+)'\)",
        variables["looksAtUsage"].value.text,
    )
    assert found
    assert (found[1], found[2]) == (InUse.OFF, "protect_in_use")
    assert found[2].upper() in POLICY_SETTINGS
    assert (call.loop, call.value["scope"].text) == ("(looksAtUsage ? watchedSubscriptionIds : [])", "subscription(id)")
    condition, default, given = bicep.choice(variables["watchedSubscriptionIds"].value)
    assert (condition, default.text, given.text) == (
        "empty(usageSubscriptionIds)",
        "defaultUsageSubscriptionIds",
        "givenUsageSubscriptionIds",
    )


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "POST", "DELETE"])
@pytest.mark.parametrize("path", [f"{IMAGE}/versions/1.0.3/secrets", "/subscriptions/x/providers/Microsoft.Web/sites"])
def test_an_unknown_call_has_no_action(method, path):
    """A call that no role was thought of for is told, and taken for no other."""
    with pytest.raises(LookupError, match="no action is known"):
        action_of(method, path)


@pytest.mark.parametrize("form", [str.upper, str.lower])
def test_letter_case_and_query_do_not_matter(form):
    """Azure's ids have no letter case, and an action does not depend on the query."""
    path = form(f"{IMAGE}/versions/1.0.3") + "?api-version=2025-03-03&$expand=ReplicationStatus"
    assert action_of("patch", path) == "Microsoft.Compute/galleries/images/versions/write"


def test_actions_are_spelled_alike():
    """An action of a role and one of the table that differ in letter case only would never be the same."""
    known = {action.lower(): action for _, _, action in ACTIONS}
    assert [action for action in actions() if known.get(action.lower(), action) != action] == []
