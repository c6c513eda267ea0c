import json
import re

import pytest
from pycep import BicepParser

from shared.adapters.keys import TABLE
from shared.core.events import EVENT_TYPES
from shared.core.messages import Queue
from tests.adapters.support import IMAGE
from tests.infra import bicep

MODULES = {path.name: path for path in bicep.FILES if path.parent.name == "modules"}
SECOND = BicepParser()
CALLERS = (bicep.MAIN, bicep.EVENTS)
each_file = pytest.mark.parametrize("path", bicep.FILES, ids=lambda path: path.name)
each_text = pytest.mark.parametrize("path", [*bicep.FILES, *bicep.PARAMETER_FILES], ids=lambda path: path.name)

VERSIONS = {
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Authorization/roleDefinitions": "2022-04-01",
    "Microsoft.Compute/diskEncryptionSets": "2023-04-02",
    "Microsoft.Compute/galleries": "2023-07-03",
    "Microsoft.EventGrid/systemTopics": "2025-02-15",
    "Microsoft.EventGrid/systemTopics/eventSubscriptions": "2025-02-15",
    "Microsoft.EventGrid/topics": "2025-02-15",
    "Microsoft.Insights/components": "2020-02-02",
    "Microsoft.Insights/metricAlerts": "2018-03-01",
    "Microsoft.Insights/scheduledQueryRules": "2023-12-01",
    "Microsoft.Insights/workbooks": "2023-06-01",
    "Microsoft.KeyVault/vaults": "2023-07-01",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2023-01-31",
    "Microsoft.Network/privateDnsZones": "2020-06-01",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks": "2020-06-01",
    "Microsoft.Network/privateEndpoints": "2024-05-01",
    "Microsoft.Network/privateEndpoints/privateDnsZoneGroups": "2024-05-01",
    "Microsoft.Network/virtualNetworks": "2024-05-01",
    "Microsoft.OperationalInsights/workspaces": "2023-09-01",
    "Microsoft.Resources/resourceGroups": "2024-03-01",
    "Microsoft.Storage/storageAccounts": "2023-05-01",
    "Microsoft.Storage/storageAccounts/blobServices": "2023-05-01",
    "Microsoft.Storage/storageAccounts/blobServices/containers": "2023-05-01",
    "Microsoft.Storage/storageAccounts/managementPolicies": "2023-05-01",
    "Microsoft.Storage/storageAccounts/queueServices": "2023-05-01",
    "Microsoft.Storage/storageAccounts/queueServices/queues": "2023-05-01",
    "Microsoft.Storage/storageAccounts/tableServices": "2023-05-01",
    "Microsoft.Storage/storageAccounts/tableServices/tables": "2023-05-01",
    "Microsoft.Web/serverfarms": "2024-04-01",
    "Microsoft.Web/sites": "2024-04-01",
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": "2024-04-01",
    "Microsoft.Web/sites/config": "2024-04-01",
}
"""Each was looked up in Microsoft's reference or in its samples; a new one is to be looked up, too."""


def module(name: str) -> bicep.Template:
    """Read a module."""
    return bicep.read(MODULES[f"{name}.bicep"])


def resource(name: str, symbol: str) -> bicep.Declaration:
    """Find a resource of a module by its symbol."""
    return module(name).of("resource")[symbol]


@each_text
def test_files_are_of_the_language(path):
    """Every file is Bicep to a parser that reads on after a fault, and finds none."""
    assert bicep.faults(path) == []


@each_file
def test_files_are_of_the_language_twice(path):
    """Every template is Bicep to a second parser, with a grammar of its own, that stops at a fault."""
    assert SECOND.parse(text=path.read_text())


@pytest.mark.parametrize("fault", ["param x", "var y = [", "resource r = {}", "output o string ="])
def test_a_fault_is_found(tmp_path, fault):
    """What is no Bicep is found by the first parser, so that silence means something."""
    path = tmp_path / "faulty.bicep"
    path.write_text(f"param before string\n{fault}\n")
    assert bicep.faults(path)


@each_text
def test_names_are_declared(path):
    """Every name that is used is that of a parameter, a variable, a resource, a module, a lambda or a loop."""
    template = bicep.read(path)
    nested = {bicep.name_of(each) for each in bicep.every(template.root, "resource_declaration")}
    declared = {each.name for each in template.declarations} | nested
    assert bicep.used(template.root) - bicep.given(template.root) - declared == set()


@each_file
def test_nothing_is_dead(path):
    """Every parameter and variable is used."""
    template = bicep.read(path)
    uses = bicep.used(template.root)
    assert [name for kind in ("parameter", "variable") for name in template.of(kind) if name not in uses] == []


@each_file
def test_everything_is_described(path):
    """Every parameter and output says in a sentence what it is, and every file begins with why it is there."""
    template = bicep.read(path)
    said = [each for kind in ("parameter", "output") for each in template.of(kind).values()]
    assert [each.name for each in said if not re.search(r"\w\.$", each.description.replace("`", ""))] == []
    assert path.read_text().startswith("// ")


def test_every_module_is_called():
    """There is no module that nobody calls, and none is called that is not there."""
    called = {each.type for caller in CALLERS for each in bicep.read(caller).of("module").values()}
    assert called == {f"modules/{name}" for name in MODULES}


@pytest.mark.parametrize("caller", CALLERS, ids=lambda path: path.name)
def test_modules_get_what_they_ask_for(caller):
    """Each module gets every parameter that has no default, and none that it does not know."""
    for call in bicep.read(caller).of("module").values():
        wanted = bicep.read(bicep.INFRA / call.type).of("parameter")
        given = call.value["params"].keys()
        assert given <= wanted.keys(), call.name
        assert {name for name, each in wanted.items() if each.value is None} <= given, call.name


@pytest.mark.parametrize("caller", CALLERS, ids=lambda path: path.name)
def test_outputs_are_there(caller):
    """Each output of a module that is used is one that it has."""
    template = bicep.read(caller)
    calls = template.of("module")
    used = re.findall(r"\b(\w+)(?:\[[^\n]*\])?!?\.outputs\.(\w+)", caller.read_text())
    assert used
    assert [use for use in used if use[1] not in bicep.read(bicep.INFRA / calls[use[0]].type).of("output")] == []


@pytest.mark.parametrize("caller", CALLERS, ids=lambda path: path.name)
def test_modules_are_of_their_scope(caller):
    """A module of subscriptions is called for a subscription, any other for a resource group."""
    for call in bicep.read(caller).of("module").values():
        wanted = bicep.read(bicep.INFRA / call.type).scope
        scope = call.value["scope"].text
        assert (scope if scope == "group" else scope.partition("(")[0]) in {
            "subscription": ["subscription"],
            "resourceGroup": ["group", "resourceGroup"],
        }[wanted], call.name


@pytest.mark.parametrize("path", bicep.PARAMETER_FILES, ids=lambda path: path.name)
def test_parameter_files_name_parameters(path):
    """A parameter file gives what its template knows, and everything that has no default."""
    wanted = bicep.read(path.with_suffix(".bicep")).of("parameter")
    given = re.findall(r"^param (\w+) =", path.read_text(), re.MULTILINE)
    assert set(given) <= wanted.keys()
    assert {name for name, each in wanted.items() if each.value is None} <= set(given)


def test_versions_of_apis_are_known():
    """Every resource is of an API version that was looked up; previews are not used."""
    found = {each.type for path in bicep.FILES for each in bicep.read(path).of("resource").values()}
    assert found == {f"{name}@{version}" for name, version in VERSIONS.items()}


def test_linter_rules_are_errors():
    """Whoever builds with the compiler is stopped by every rule of its linter that is named."""
    rules = json.loads((bicep.INFRA / "bicepconfig.json").read_text())["analyzers"]["core"]["rules"]
    assert {"no-unused-params", "outputs-should-not-contain-secrets", "no-hardcoded-env-urls"} <= rules.keys()
    assert {rule["level"] for rule in rules.values()} == {"error"}


@each_file
def test_no_template_asks_for_a_key(path):
    """No template asks Azure for a key, a secret or a signature, and none takes or gives one."""
    template = bicep.read(path)
    assert [name for name in bicep.called(template.root) if name.lower().startswith(("list", "getsecret"))] == []
    assert [each.name for each in template.declarations if "secure" in each.decorators] == []


@each_file
def test_outputs_hold_no_secret(path):
    """No output is named like a secret, or made of one."""
    texts = [each.name + str(each.value) for each in bicep.read(path).of("output").values()]
    assert [text for text in texts if re.search(r"key|secret|password|token\b|signature", text, re.IGNORECASE)] == []


@each_text
def test_clouds_are_not_named(path):
    """No address and no name of one cloud is written down: they come from environment()."""
    clouds = r"https://(?!\$)|windows\.net|azure\.com|azure\.net|usgovcloudapi|azure\.cn|chinacloudapi"
    assert re.findall(clouds, path.read_text()) == []


def test_queues_are_the_codes():
    """The queues are those of the code, in its order, each with one for poison."""
    storage = module("storage")
    assert storage.of("variable")["stages"].value == [str(queue) for queue in Queue]
    plain, poison = storage.of("resource")["queues"], storage.of("resource")["poisonQueues"]
    assert (plain.loop, poison.loop) == ("stages", "stages")
    assert (plain.value["name"].text, poison.value["name"].text) == ("stage", "'${stage}-poison'")
    assert [queue.poison for queue in Queue] == [f"{queue}-poison" for queue in Queue]


def test_the_table_is_the_codes():
    """The table is the one of the code."""
    assert module("storage").of("variable")["tableNames"].value == [TABLE]


def test_storage_takes_no_keys():
    """The storage account takes identities only, over TLS 1.2 or better, and shows no blob to strangers."""
    properties = resource("storage", "account").value["properties"]
    assert properties["allowSharedKeyAccess"] is False
    assert properties["allowBlobPublicAccess"] is False
    assert properties["minimumTlsVersion"] == "TLS1_2"
    assert properties["supportsHttpsTrafficOnly"] is True


def test_the_app_is_closed():
    """The app answers https only, has no FTP, no passwords for publishing, and TLS 1.2 or better."""
    properties = resource("app", "app").value["properties"]
    site = properties["siteConfig"]
    assert properties["httpsOnly"] is True
    assert (site["ftpsState"], site["minTlsVersion"], site["scmMinTlsVersion"]) == ("Disabled", "1.2", "1.2")
    assert [resource("app", name).value["properties"]["allow"] for name in ("ftp", "scm")] == [False, False]


def test_the_app_runs_what_is_tested():
    """The app runs on Flex Consumption, with the Python that the project is tested with."""
    runtime = resource("app", "app").value["properties"]["functionAppConfig"]["runtime"]
    assert runtime == {"name": "python", "version": (bicep.INFRA.parent / ".python-version").read_text().strip()}
    assert resource("plan", "plan").value["sku"] == {"tier": "FlexConsumption", "name": "FC1"}


def test_telemetry_takes_identities_only():
    """Application Insights and its workspace take no keys, and the app says who it is."""
    assert resource("monitoring", "insights").value["properties"]["DisableLocalAuth"] is True
    assert resource("monitoring", "workspace").value["properties"]["features"]["disableLocalAuth"] is True
    said = module("app").of("variable")["connections"].value["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"].text
    assert said == "'ClientId=${identityClientId};Authorization=AAD'"


def test_events_are_those_that_the_code_takes():
    """Event Grid sends the event types that the code takes, about image versions that were written or deleted."""
    filtered = resource("event-source", "imageEvent").value["properties"]["filter"]
    versions = "Microsoft.Compute/galleries/images/versions"
    assert set(filtered["includedEventTypes"]) == EVENT_TYPES
    assert filtered["advancedFilters"] == [
        {
            "operatorType": "StringIn",
            "key": "data.operationName",
            "values": [f"{versions}/write", f"{versions}/delete"],
        }
    ]


def test_events_reach_the_function():
    """Events go to the function of that name in the code, one by one; those that cannot, to the dead letters."""
    properties = resource("event-source", "imageEvent").value["properties"]
    destination = properties["destination"]
    assert destination["endpointType"] == "AzureFunction"
    assert destination["properties"]["resourceId"].text == "'${functionAppId}/functions/image_event'"
    assert destination["properties"]["maxEventsPerBatch"] == 1
    assert '@functions.function_name("image_event")' in (bicep.INFRA.parent / "handlers" / "triggers.py").read_text()
    assert properties["deadLetterWithResourceIdentity"]["identity"]["type"] == "UserAssigned"


def test_events_are_tried_again_for_a_day():
    """An event that is not delivered is tried again as often and as long as Azure allows, and the runbook says so."""
    policy = resource("event-source", "imageEvent").value["properties"]["retryPolicy"]
    assert policy == {"eventTimeToLiveInMinutes": 24 * 60, "maxDeliveryAttempts": 30}
    assert "after a day or 30 attempts" in (bicep.INFRA.parent / "docs" / "runbook.md").read_text()


def test_events_are_of_the_scope_that_is_asked_for():
    """One parameter says whether a source is a gallery's resource group or its subscription, and so is the topic."""
    second = bicep.read(bicep.EVENTS)
    asked = second.of("parameter")["eventScope"]
    assert (asked.value, asked.decorators["allowed"]) == ("resource-group", ["resource-group", "subscription"])
    variables, topics = second.of("variable"), second.of("module")["topics"]
    condition, wide, narrow = bicep.choice(variables["depth"].value)
    assert condition == "eventScope == 'subscription'"
    parts = str(IMAGE.gallery).split("/")
    assert "/".join(parts[:wide]) == f"/subscriptions/{parts[2]}"
    assert "/".join(parts[:narrow]) == f"/subscriptions/{parts[2]}/resourceGroups/{parts[4]}"
    kinds = ("Microsoft.Resources.Subscriptions", "Microsoft.Resources.ResourceGroups")
    assert bicep.choice(variables["topicType"].value) == (condition, *kinds)
    assert variables["sources"].value.text == "union(map(galleryIds, id => join(take(split(id, '/'), depth), '/')), [])"
    assert (topics.loop, topics.value["scope"].text) == (
        "sources",
        "resourceGroup(split(source, '/')[2], places[index])",
    )
    given = topics.value["params"]
    assert (given["sourceId"].text, given["topicType"].text) == ("source", "topicType")
    made = resource("event-source", "topic").value["properties"]
    assert (made["source"].text, made["topicType"].text) == ("sourceId", "topicType")


@pytest.mark.parametrize(("name", "symbol"), [("storage", "account"), ("vault", "vault")])
def test_one_parameter_closes_the_public_way(name, symbol):
    """Storage and vault are reached over the public network, or not at all from there, as one parameter says."""
    properties = resource(name, symbol).value["properties"]
    assert bicep.choice(properties["publicNetworkAccess"]) == ("private", "Disabled", "Enabled")
    assert bicep.choice(properties["networkAcls"]["defaultAction"]) == ("private", "Deny", "Allow")
    assert bicep.read(bicep.MAIN).of("module")[name].value["params"]["private"].text == "privateNetwork"


def test_one_parameter_puts_the_app_into_a_network():
    """The same parameter makes the network, and puts the app into its subnet; without it there is neither."""
    main = bicep.read(bicep.MAIN)
    assert main.of("parameter")["privateNetwork"].value is False
    calls = main.of("module")
    assert calls["network"].condition == "(privateNetwork)"
    condition, subnet, none = bicep.choice(calls["app"].value["params"]["subnetId"])
    assert (condition, subnet.text, none) == ("privateNetwork", "network!.outputs.appSubnetId", "")
    found = resource("app", "app").value["properties"]["virtualNetworkSubnetId"]
    assert found.text == "empty(subnetId) ? null : subnetId"


def test_each_service_has_a_private_endpoint():
    """The same parameter gives each service that the app reaches an endpoint of its own, with a zone for its name."""
    main = bicep.read(bicep.MAIN)
    endpoints, call = main.of("variable")["endpoints"].value, main.of("module")["privateEndpoints"]
    assert call.loop == "(privateNetwork ? endpoints : [])"
    assert [each["service"] for each in endpoints] == ["blob", "queue", "table", "vault"]
    zones = [each["zoneName"].text for each in endpoints]
    assert zones[:3] == [
        f"'privatelink.{name}.${{environment().suffixes.storage}}'" for name in ("blob", "queue", "table")
    ]
    assert zones[3] == "'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'"
    given = call.value["params"]
    assert (given["service"].text, given["zoneName"].text) == ("endpoint.service", "endpoint.zoneName")
    assert given["targetId"].text == "endpoint.service == 'vault' ? vault.outputs.id : storage.outputs.id"
    (link,) = resource("private-endpoint", "endpoint").value["properties"]["privateLinkServiceConnections"]
    assert link["properties"]["privateLinkServiceId"].text == "targetId"
    assert [each.text for each in link["properties"]["groupIds"]] == ["service"]


def test_the_second_stage_finds_the_first():
    """events.bicep finds storage, identity and container by the names that the first stage gives them."""
    second = bicep.read(bicep.EVENTS)
    found = {name: each.value["name"] for name, each in second.of("resource").items()}
    assert found["account"] == resource("storage", "account").value["name"]
    assert found["identity"] == resource("identity", "events").value["name"]
    given = second.of("module")["topics"].value["params"]["deadLetterContainerName"]
    assert given == module("storage").of("variable")["deadLetterContainerName"].value
    assert bicep.read(bicep.MAIN).of("variable")["appName"].value.text == "'gallery-fanout-${suffix}'"


def test_azd_runs_the_second_stage():
    """The second stage runs after the code is there, alike on both kinds of system, without a key or logic."""
    text = (bicep.INFRA.parent / "azure.yaml").read_text()
    assert text.index("postdeploy:") < text.index("posix:") < text.index("windows:")
    posix, windows = (line.strip() for line in text.splitlines() if line.strip().startswith("run:"))
    assert posix == windows.replace("$env:", "$")
    assert "az deployment sub create" in posix
    assert "--parameters infra/events.bicepparam" in posix
    assert not re.search(r"[|;&`<>]|\$\(|key", posix, re.IGNORECASE)


def test_stage_two_gets_what_stage_one_gives():
    """What events.bicepparam reads is an output of main.bicep, something of azd's own, or a setting."""
    read = set(re.findall(r"readEnvironmentVariable\('(\w+)'\)", bicep.EVENTS.with_suffix(".bicepparam").read_text()))
    assert read - {"GALLERIES"} <= bicep.read(bicep.MAIN).of("output").keys()
