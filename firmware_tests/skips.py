"""What may be skipped where everything that `make test` installs is here: a plug-in of pytest.

On a developer's computer a test skips for want of a tool, and says so. In CI nothing may be missing
that apt or pip could have brought: a skip for another reason than those below is a failure there.
"""

import os
import re

import pytest

# Renode and Espressif's compilers come from elsewhere, and so do the shared models.
_ABSENT = re.compile(
    r"\brenode(-test)? is not installed|Renode .* lacks Helium"
    r"|there is no compiler for Xtensa LX[67]\b|dfu-util is not installed"
    r"|model corpus is not next to|no \.\./shared/models beside"
    r"|got empty parameter set"  # of the models' tests, without the models
)


class SkipGuard:
    """Collects the reasons that are not known, in the process that sees all reports."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and isinstance(report.longrepr, tuple):
            self._note(report.longrepr[2])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped and isinstance(report.longrepr, tuple):
            self._note(report.longrepr[2])

    def _note(self, reason: str) -> None:
        if not _ABSENT.search(reason):
            self.unknown.add(reason.removeprefix("Skipped: "))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.unknown and "CI" in os.environ and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.unknown and "CI" in os.environ:
            terminalreporter.section("skipped without need")
            for reason in sorted(self.unknown):
                terminalreporter.write_line(reason)


def pytest_configure(config: pytest.Config) -> None:
    """Guard where the reports of all workers arrive."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(SkipGuard(), "skips")
