"""What went wrong, in words that say what to do."""

from http import HTTPStatus

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from local.host.errors import BadApp
from plan.listing import NotFound
from plan.options import BadOptions
from shared.core.errors import Malformed, Refused, Retry
from shared.core.text import plain
from shared.settings import BadSettings

NO_LOGIN = "Azure does not know who you are: run `az login`, and try again."
_ROLES = "Wanted: the role Reader on the gallery, and Storage Table Data Reader where the app's table is to be read."
_LONGEST = 300

EXPECTED = (AzureError, BadApp, BadOptions, BadSettings, Malformed, NotFound, Refused, Retry)
"""What may go wrong outside. Anything else is a fault of this program, and is shown as one."""


def in_words(fault: Exception) -> str:
    """Say what went wrong, and what helps."""
    match fault:
        case ClientAuthenticationError():  # its own text names a dozen ways to log in, over a page
            return NO_LOGIN
        case HttpResponseError(status_code=HTTPStatus.FORBIDDEN):
            return f"You may not read this: {_first(fault)}\n{_ROLES}"
        case Retry():
            return f"Not now, and not soon: {fault}. The app itself would wait {round(fault.after.total_seconds())} s."
        case AzureError():
            return f"Azure: {_first(fault)}"
        case _:
            return str(fault)


def _first(fault: Exception) -> str:
    """Give the first line of what an SDK says, which may be pages."""
    lines = plain(str(fault).strip().splitlines()[0]) if str(fault).strip() else type(fault).__name__
    return lines[:_LONGEST]
