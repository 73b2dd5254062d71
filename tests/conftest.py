"""What all tests share: no hub, one thread (two get in each other's way on a core), little garbage collection."""

import gc
import os
import sys

import pytest
from helpers import IMPORTED
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
# processes that tests start find the package compiled, be it that the environment asks for no bytecode
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
settings.register_profile("suite", max_examples=40, deadline=None)
settings.load_profile("suite")
gc.set_threshold(20_000, 20, 20)  # each full collection walks all that was imported


def pytest_collection_finish(session: pytest.Session) -> None:
    """For tests/test_structure.py: what was imported to collect the tests."""
    session.config.stash[IMPORTED] = frozenset(sys.modules)


@pytest.fixture(scope="session", autouse=True)
def _checks(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where models' self-checks and unpacked weights are kept: one folder for all processes of a test run."""
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    os.environ["AUDIOCONTRIB_CHECKS"] = str(shared / "checks")
    os.environ["AUDIOCONTRIB_UNPACKED"] = str(shared / "unpacked")
