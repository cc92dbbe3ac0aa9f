"""What every kind of test shares."""

from pathlib import Path

import pytest

pytest_plugins = ["firmware_tests.tiers", "firmware_tests.skips", "pytester"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--whole``."""
    parser.addoption("--whole", action="store_true", help="run every case, not a sample of them")


@pytest.fixture(scope="session")
def whole(request: pytest.FixtureRequest) -> bool:
    """Whether every case is run, as ``make nightly`` does."""
    return bool(request.config.getoption("whole"))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The shared model corpus, which lies next to the checkout where there is one."""
    root = Path(__file__).parents[2] / "shared" / "models"
    if not (root / "MANIFEST.json").is_file():
        pytest.skip("the shared model corpus is not next to the checkout")
    return root
