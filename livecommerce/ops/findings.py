"""What `doctor` finds: one line each, good or not, with what to do about it."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Level(StrEnum):
    ok = "ok"
    warn = "warn"  # works, but somebody will be unhappy
    fail = "fail"  # does not work, or could lose or oversell


class Finding(msgspec.Struct, frozen=True):
    check: str
    level: Level
    found: str
    advice: str = ""


def ok(check: str, found: str) -> Finding:
    return Finding(check, Level.ok, found)


def warn(check: str, found: str, advice: str) -> Finding:
    return Finding(check, Level.warn, found, advice)


def fail(check: str, found: str, advice: str) -> Finding:
    return Finding(check, Level.fail, found, advice)


_MARKS = {Level.ok: "ok  ", Level.warn: "WARN", Level.fail: "FAIL"}


def as_text(findings: list[Finding]) -> str:
    """One line a finding, the advice indented below it, a summary last."""
    width = max((len(finding.check) for finding in findings), default=0)
    lines: list[str] = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.level]}  {finding.check:<{width}}  {finding.found}")
        if finding.advice:
            lines.append(f"{'':<{width + 8}}→ {finding.advice}")
    counts = {level: sum(finding.level == level for finding in findings) for level in Level}
    lines.append("")
    lines.append(f"{counts[Level.ok]} ok, {counts[Level.warn]} to look at, {counts[Level.fail]} to mend")
    return "\n".join(lines)


def exit_code(findings: list[Finding]) -> int:
    return 1 if any(finding.level == Level.fail for finding in findings) else 0
