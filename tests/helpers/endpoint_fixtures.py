"""A server for the tests of a file: imported by name, which is all that a fixture needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpers.endpoint_server import Server, serving


@pytest.fixture(scope="module", name="server")
def one_server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def without_fault(server: Server) -> Iterator[None]:
    """After each test, the server is in order again."""
    yield
    server.fault = None
