"""What every kind of test shares."""

from pathlib import Path

import pytest

pytest_plugins = ["firmware_tests.tiers", "firmware_tests.skips", "pytester"]


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The shared model corpus, which lies next to the checkout where there is one."""
    root = Path(__file__).parents[2] / "shared" / "models"
    if not (root / "MANIFEST.json").is_file():
        pytest.skip("the shared model corpus is not next to the checkout")
    return root
