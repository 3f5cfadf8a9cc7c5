"""What a check found, in plain words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Grade = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: ``topic`` in a word or two, what is the case, and what to ``change``.

    A ``problem`` makes a server unfit; a ``warning`` costs time or comfort.
    """

    topic: str
    grade: Grade
    text: str
    change: str = ""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """Everything found about one URL; ``holds`` are facts of its content, as JSON values."""

    url: str
    requests: int
    findings: tuple[Finding, ...]
    holds: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of a check: the URL asked for first, then those it led to."""

    inquiries: tuple[Inquiry, ...]

    @property
    def fit(self) -> bool:
        """Whether nothing found is a problem."""
        return not self.count("problem")

    def count(self, grade: Grade) -> int:
        """How many findings have a grade."""
        return sum(one.grade == grade for each in self.inquiries for one in each.findings)

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {"fit": self.fit, "inquiries": [asdict(inquiry) for inquiry in self.inquiries]}


def ok(topic: str, text: str) -> Finding:
    """As it should be."""
    return Finding(topic, "ok", text)


def warning(topic: str, text: str, change: str = "") -> Finding:
    """It works, but costs time or comfort."""
    return Finding(topic, "warning", text, change)


def problem(topic: str, text: str, change: str = "") -> Finding:
    """Progressive loading does not work with this."""
    return Finding(topic, "problem", text, change)
