"""Storage that is not there for a while, turned into the error that stages understand."""

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

from shared.adapters.retry_after import NOT_NOW, UNHURRIED
from shared.core.errors import Retry


@contextmanager
def translated() -> Iterator[None]:
    """Turn trouble that passes into Retry; anything else (no permission, a bug) is unknown, and propagates."""
    try:
        yield
    except (ServiceRequestError, ServiceResponseError) as fault:
        raise Retry(f"no answer from storage: {type(fault).__name__}", after=UNHURRIED) from fault
    except HttpResponseError as fault:
        if fault.status_code not in NOT_NOW:
            raise
        raise Retry(f"storage answered {fault.status_code}", after=UNHURRIED) from fault
