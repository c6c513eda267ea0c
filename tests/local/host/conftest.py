from functools import partial

import pytest

from local.host.process import HostProcess
from tests.local.host.support import write_app


@pytest.fixture
def serve(tmp_path, storage):
    """Make a host, not yet started, for an app that is given as source; settings and options by keyword."""
    return partial(_host, tmp_path, storage)


@pytest.fixture(scope="module")
def serve_all(tmp_path_factory, accounts):
    """Make a host as `serve` does, for all tests of a module."""
    return partial(_host, tmp_path_factory.mktemp("module"), next(accounts))


def _host(folder, storage, source, queues=None, *, settings=None, **options):
    root = write_app(folder / "app", source, queues)
    everything = {"AzureWebJobsStorage": storage} | (settings or {})
    return HostProcess(root, everything, folder / "host.log", **options)
