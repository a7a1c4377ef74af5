"""Score the parser on a file of cases: exact matches, false orders and missed orders, per pack and class."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from livecommerce.comments.catalogue import Axis, CatalogueIndex, ItemWords
from livecommerce.comments.parser import parse
from livecommerce.comments.verdict import Verdict


def item_words(listed: Iterable[Mapping[str, Any]]) -> list[ItemWords]:
    """Items of the catalogue file: {"code", "names", "options": [{"axis", "values": {value: [short]}}]}."""
    return [
        ItemWords(
            str(item["code"]),
            tuple(item.get("names", ())),
            tuple(
                Axis(str(axis.get("axis", "")), tuple((value, tuple(short)) for value, short in axis["values"].items()))
                for axis in item.get("options", ())
            ),
        )
        for item in listed
    ]


def indexes(catalogs: Mapping[str, Any]) -> dict[str, CatalogueIndex]:
    """A compiled catalogue for every name in the file, with the prices it tells."""
    found = {name: CatalogueIndex.build(item_words(listed)) for name, listed in catalogs.items()}
    for name, listed in catalogs.items():
        found[name].reprice({str(item["code"]): int(item.get("price", 0)) for item in listed})
    return found


def answer(verdict: Verdict) -> dict[str, Any]:
    """The JSON shape of the contract: {"verdict", "intents", "reason"}."""
    return {
        "verdict": verdict.verdict,
        "intents": [msgspec.to_builtins(intent) for intent in verdict.intents],
        "reason": verdict.reason.value,
    }


class Tally(msgspec.Struct):
    """Counts of one group. A false order reserves what was not asked for; a missed one is an order not taken."""

    cases: int = 0
    exact: int = 0
    false_orders: int = 0
    missed_orders: int = 0

    def line(self, name: str) -> str:
        """One row of the report, rates in percent of the group's cases."""
        return (
            f"{name:<28}{self.cases:>6}{100 * self.exact / self.cases:>9.2f}"
            f"{100 * self.false_orders / self.cases:>9.2f}{100 * self.missed_orders / self.cases:>9.2f}"
        )


class Score(msgspec.Struct):
    """Result over a file: tallies by group name ("all", "pack en", "class plain") and the failures as text."""

    groups: dict[str, Tally]
    failures: list[str]

    def report(self) -> str:
        """The printed page."""
        head = f"{'group':<28}{'cases':>6}{'exact %':>9}{'false %':>9}{'missed %':>9}"
        rows = [tally.line(name) for name, tally in self.groups.items()]
        return "\n".join([head, *rows, "", f"{len(self.failures)} failures", *self.failures])


def _acting(intents: list[dict[str, Any]]) -> list[str]:
    return [json.dumps(intent, sort_keys=True) for intent in intents if intent["do"] == "reserve"]


def score(cases: Iterable[Mapping[str, Any]], catalogs: Mapping[str, CatalogueIndex]) -> Score:
    """Parse all cases and compare with their answers; `or` lists further right answers."""
    groups: dict[str, Tally] = {"all": Tally()}
    failures: list[str] = []
    for case in cases:
        got = answer(parse(case["text"], catalogs[case["catalog"]], case["packs"], case["pinned"]))
        wanted = [{"verdict": case["verdict"], "intents": case["intents"]}, *case.get("or", ())]
        reading = {"verdict": got["verdict"], "intents": got["intents"]}
        exact = any(json.dumps(reading, sort_keys=True) == json.dumps(right, sort_keys=True) for right in wanted)
        allowed = {intent for right in wanted for intent in _acting(right["intents"])}
        taken = _acting(got["intents"])
        false = any(intent not in allowed for intent in taken) and not exact
        missed = not exact and bool(_acting(case["intents"])) and not taken
        for name in ("all", "pack " + "+".join(case["packs"]), "class " + str(case.get("class", ""))):
            tally = groups.setdefault(name, Tally())
            tally.cases += 1
            tally.exact += exact
            tally.false_orders += false
            tally.missed_orders += missed
        if not exact:
            mark = "FALSE ORDER" if false else "missed" if missed else "wrong"
            failures.append(
                f"{mark}: {case['text']!r} {case['packs']} pinned={case['pinned']}\n"
                f"    wanted {json.dumps(wanted, ensure_ascii=False)}\n    got    {json.dumps(got, ensure_ascii=False)}"
            )
    ordered = dict(sorted(groups.items(), key=lambda pair: (pair[0] != "all", not pair[0].startswith("pack"), pair[0])))
    return Score(ordered, failures)
