"""Run by the azure-cli's Python: ``az_update.py ENDPOINT VERSION REGION...`` is `az sig image-version update`.

Only its login is another one: a stand-in credential, sent nowhere, because the simulated Azure is on this machine.
"""

import sys
from unittest.mock import patch

from azure.cli.core import get_default_cli  # type: ignore[import-not-found, import-untyped, unused-ignore]
from azure.cli.core._profile import Profile  # type: ignore[import-not-found, import-untyped, unused-ignore]
from azure.cli.core.aaz._http_policy import AAZBearerTokenCredentialPolicy  # type: ignore[import-not-found, import-untyped, unused-ignore]


class _StandIn:
    """A credential that is never asked."""

    def get_token(self, *_scopes: str, **_options: object) -> None:
        """Refuse."""
        raise NotImplementedError("no token is needed")


def main() -> int:
    """Update the target regions of a version."""
    endpoint, version, *regions = sys.argv[1:]
    parts = version.strip("/").split("/")
    words = ["sig", "image-version", "update", "--no-wait", "--only-show-errors", "--output", "none"]
    named = ["--resource-group", parts[3], "--gallery-name", parts[7]]
    named += ["--gallery-image-definition", parts[9], "--gallery-image-version", parts[11]]
    cli = get_default_cli()
    cli.cloud.endpoints.resource_manager = endpoint
    with (
        patch.object(Profile, "get_login_credentials", lambda *_, **__: (_StandIn(), parts[1], "tenant")),
        patch.object(Profile, "get_subscription_id", lambda *_, **__: parts[1]),
        patch.object(AAZBearerTokenCredentialPolicy, "on_request", lambda *_: None),
    ):
        return int(cli.invoke([*words, *named, "--target-regions", *regions]))


sys.exit(main())
