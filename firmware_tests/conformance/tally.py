"""What a run of the conformance tests counts, and how it is told."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from firmware_tests.conformance.checking import Finding, Verdict
from tinygen.ir import Numerics

HOST = "host"


@dataclass
class Tally:
    """Counts for one operator and type. ``ran`` counts the cases by place: those that ran there
    and that an interpreter had numbers for; all others are counted apart."""

    ran: Counter[str] = field(default_factory=Counter)
    compared: Counter[Numerics] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    crashed: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    unchecked: int = 0
    findings: list[Finding] = field(default_factory=list)

    def note(self, verdict: Verdict) -> None:
        """Count what the interpreters said."""
        for numerics, answer in verdict.answers:
            if answer.is_given:
                self.compared[numerics] += 1
            elif answer.crash:
                self.crashed[f"{numerics.value}: {answer.crash}"] += 1
            else:
                self.refused[f"{numerics.value}: {answer.refusal}"] += 1
        self.known.update(verdict.known)
        self.unchecked += not verdict.is_compared
        self.findings += verdict.findings

    def join(self, other: "Tally") -> None:
        """Add what another part of the run counted."""
        self.ran += other.ran
        self.compared += other.compared
        self.refused += other.refused
        self.crashed += other.crashed
        self.known += other.known
        self.unchecked += other.unchecked
        self.findings += other.findings


def line(kind: str, dtype: str, tally: Tally) -> str:
    """One operator and type on one line."""
    parts = [", ".join(f"{place} {n}" for place, n in sorted(tally.ran.items())) or "none ran"]
    parts += [f"{numerics.value} agreed on {n}" for numerics, n in sorted_counts(tally.compared)]
    if tally.unchecked:
        parts.append(f"{tally.unchecked} without any reference")
    parts += [f"{n} known: {reason}" for reason, n in tally.known.items()]
    parts += [f"{sum(tally.refused.values())} refused"] if tally.refused else []
    parts += [f"{sum(tally.crashed.values())} CRASHED"] if tally.crashed else []
    return f"{kind} {dtype}: {'; '.join(parts)}; {len(tally.findings)} differences"


def details(tally: Tally, most: int = 5) -> Iterable[str]:
    """What is worth telling below the line: findings, crashes, refusals."""
    for found in tally.findings[:most]:
        yield f"    DIFFERENCE {found.name} on {found.place}: {found.message}"
    for what, counts in (("crash", tally.crashed), ("refusal", tally.refused)):
        for message, count in counts.most_common(most):
            yield f"    {what} x{count}: {message}"


def sorted_counts(counts: Counter[Numerics]) -> list[tuple[Numerics, int]]:
    """By the references' names."""
    return sorted(counts.items(), key=lambda item: item[0].value)
