"""In CI a test may only skip for what nobody can install there."""

import pytest

SUITE = """
import pytest

def test_passes():
    pass

def test_skips():
    pytest.skip({reason!r})
"""


@pytest.mark.parametrize(
    ("reason", "in_ci", "fails"),
    [
        ("arm-none-eabi-gcc is not installed", True, True),
        ("arm-none-eabi-gcc is not installed", False, False),
        ("renode is not installed", True, False),
        ("there is no compiler for Xtensa LX7 here", True, False),
        ("there is no compiler for Xtensa LX106 here", True, True),
    ],
)
def test_a_skip_for_want_of_a_tool_fails_in_ci(
    reason: str,
    in_ci: bool,
    fails: bool,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if in_ci:
        monkeypatch.setenv("CI", "true")
    else:
        monkeypatch.delenv("CI", raising=False)
    pytester.makeconftest("pytest_plugins = ['firmware_tests.skips']")
    pytester.makepyfile(SUITE.format(reason=reason))
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, skipped=1)
    assert (result.ret != 0) is fails
    assert ("skipped without need" in result.stdout.str()) is fails
