"""Good inputs of every kind, which the tests spoil."""

from typing import Any

from shared.adapters.gallery_json import Json
from shared.core.messages import Notify, Prune, Queue, Reconcile, Replicate, Watch, ticketed, write
from tests.adapters.test_gallery_json import RESOURCE
from tests.core.build import GALLERY_ID, HOME, HOUR, IMAGE, IMAGE_ID, NOW, VERSION_ID, version_id
from tests.formats.events import EVENTS, NEW_FACTS
from tests.settings.environment import GOOD, TUNED

_VERSION = version_id("1.0.3")
STATUSES: list[dict[str, Any]] = [*EVENTS.values(), *NEW_FACTS.values()]

MESSAGES: dict[Queue, list[str]] = {
    Queue.RECONCILE: [
        write(Reconcile(IMAGE, "ResourceWriteSuccess 1.0.3")),
        write(Reconcile(IMAGE, "ResourceWriteFailure 1.0.3", failed="1.0.3", gathered=True)),
    ],
    Queue.REPLICATE: [write(Replicate(_VERSION, HOME, NOW, NOW + HOUR, again=True))],
    Queue.WATCH: [write(Watch(_VERSION, 3, NOW, NOW + HOUR))],
    Queue.PRUNE: [write(Prune(_VERSION, NOW, NOW + HOUR))],
    Queue.NOTIFY: [write(Notify("1-teams", status, NOW, NOW + HOUR, attempt=2)) for status in STATUSES],
}
TICKET = "0f5e0ad4-6c2e-4bb5-8f0e-3f0f2e9b7a11"
for _texts in MESSAGES.values():  # each also as it is when it was put back
    _texts.append(ticketed(_texts[0], TICKET))

EVENT = {
    "id": "5f6a",
    "topic": "/subscriptions/12345678-9abc-def0-1234-56789abcdef0",
    "subject": VERSION_ID,
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "eventTime": "2025-03-01T12:00:00.1234567Z",
    "dataVersion": "2",
    "data": {
        "authorization": {"scope": VERSION_ID, "action": "Microsoft.Compute/galleries/images/versions/write"},
        "claims": {"aud": "https://management.core.windows.net/", "name": "somebody"},
        "httpRequest": {"clientRequestId": "1", "method": "PUT"},
        "operationName": "Microsoft.Compute/galleries/images/versions/write",
        "resourceProvider": "Microsoft.Compute",
        "resourceUri": VERSION_ID,
        "status": "Succeeded",
        "subscriptionId": "12345678-9abc-def0-1234-56789abcdef0",
    },
}
EVENTS_IN = [
    EVENT,
    {**EVENT, "eventType": "Microsoft.Resources.ResourceDeleteSuccess", "data": {}},
    {**EVENT, "data": {**EVENT["data"], "claims": "", "httpRequest": ""}},
]

CLOUD_EVENT = {
    "specversion": "1.0",
    "id": "5f6a",
    "source": EVENT["topic"],
    "type": EVENT["eventType"],
    "subject": VERSION_ID,
    "time": EVENT["eventTime"],
    "data": EVENT["data"],
}
EVENTS_IN.append(CLOUD_EVENT)

VERSION: Json = RESOURCE
ERROR = {
    "error": {
        "code": "BadRequest",
        "message": "Please try after 120 seconds.",
        "target": "targetRegions",
        "details": [{"code": "InvalidParameter", "message": "no such region", "details": []}],
        "innererror": {"exceptiontype": "x", "innererror": {"code": "y"}},
        "additionalInfo": [{"type": "PolicyViolation", "info": {"policy": "z"}}],
    }
}
_COLUMNS = {"id": IMAGE_ID, "type": "microsoft.compute/virtualmachinescalesets", "location": HOME, "exactVersion": ""}
ROWS: dict[str, Any] = {
    "totalRecords": 2,
    "count": 2,
    "resultTruncated": "false",
    "facets": [],
    "data": [
        {**_COLUMNS, "imageId": VERSION_ID, "scaleSet": ""},
        {
            **_COLUMNS,
            "imageId": IMAGE_ID,
            "exactVersion": "1.0.2",
            "scaleSet": f"{GALLERY_ID}/virtualMachineScaleSets/w",
        },
    ],
}

ENVIRONMENT = {
    **GOOD,
    **TUNED,
    "WATCH_INTERVAL": "PT15S..PT10M",
    "ROLLOUT_DEADLINE": "PT24H",
    "STATUS_WEBHOOKS": "teams=https://example.org/a?sig=b slack=https://example.org/c json=http://127.0.0.1:80/",
    "STATUS_WEBHOOK_SECRET": "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0 whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV1",
    "STATUS_TOPIC_ENDPOINT": "https://topic.westeurope-1.eventgrid.azure.net/api/events",
    "STATUS_EVENTS": "completed, rollout.stalled",
    "STORAGE_PRICE_PER_GIB_MONTH": "0.05",
    "POLICY_OVERRIDES": '{"prodgallery/win2022-*": {"keep_latest": 2, "target_regions": "westeurope; eastus2"}}',
    "SWEEP_SCHEDULE": "0 */5 1-3 * jan,feb mon",
    "ARM_ENDPOINT": "https://management.azure.com",
}
"""Every setting that may be given, none with its default."""
