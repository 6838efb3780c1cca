"""What the rows show: of which code, how much, what is wrong, and what each promise still lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.stamp import REPO, UNKNOWN, code_of_commit, code_of_tree, commits_since
from rich.console import Console
from rich.table import Table
from tests.evidence.campaigns import CAMPAIGNS, Campaign, Line, Row


@dataclass
class Codes:
    """Whose rows count: those of the code as it lies there, and of every commit since one that somebody names."""

    here: str
    since: str = ""
    allowed: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, since: str = "", repo: Path = REPO) -> Codes:
        """Raises:
        ValueError: `since` is no commit on which this tree stands.
        """
        here = code_of_tree(repo)
        older = {code_of_commit(commit, repo) for commit in commits_since(since, repo)} if since else set()
        return cls(here, since, frozenset({here, *older} - {UNKNOWN}))

    def counts(self, row: Row) -> bool:
        """Whether a row is of them. One that says only its commit is of that commit's code, if it was not changed."""
        return code_of(row) in self.allowed

    def lines(self, rows: Sequence[Row]) -> list[str]:
        """Which code made the rows that are there, and what of it counts."""
        made = Counter(code_of(row) for row in rows if "kind" in row)
        counted = sum(n for code, n in made.items() if code in self.allowed)
        other = {code: n for code, n in made.items() if code not in self.allowed}
        until = f" and of every commit since {self.since}" if self.since else "; --since COMMIT counts older ones too"
        out = [f"counted: {counted:,} rows of code {self.here}, as it lies there{until}"]
        if other:
            named = ", ".join(f"{code} ({n:,})" for code, n in sorted(other.items(), key=lambda one: -one[1])[:6])
            out.append(f"not counted: {sum(other.values()):,} rows of other code: {named}")
        if strangers := sum("kind" not in row for row in rows):
            out.append(f"not looked at: {strangers:,} lines that do not say what they are of")
        return out


def code_of(row: Row) -> str:
    """The code of a row, from its own hash or from that of its commit."""
    if code := row.get("code"):
        return str(code)
    commit = str(row.get("commit", ""))
    return code_of_commit(commit) if commit and not commit.endswith("-dirty") else UNKNOWN


@dataclass
class Shown:
    """What one campaign's rows show."""

    campaign: Campaign
    there: float
    other: float
    wrong: list[str]
    short: list[str]

    @property
    def missing(self) -> float:
        """How much is still to be done."""
        return max(0.0, self.campaign.wanted - self.there)

    @property
    def lacks(self) -> list[str]:
        """In words; empty where the campaign is complete."""
        unit = f"{amount(self.missing)} of {amount(self.campaign.wanted)} {self.campaign.unit} missing"
        return ([unit] if self.missing else []) + self.short


def look(campaign: Campaign, rows: Sequence[Row], codes: Codes) -> Shown:
    """At the rows of one campaign. What is about the same counts once: as it was shown last, by code that counts."""
    mine = [row for row in rows if campaign.is_row(row)]
    counted = list({campaign.key(row): row for row in mine if codes.counts(row)}.values())
    others = list({campaign.key(row): row for row in mine if not codes.counts(row)}.values())
    wrong, short = campaign.wrong(counted), campaign.short(counted)
    return Shown(campaign, campaign.count(counted), campaign.count(others), wrong, short)


def report(console: Console, rows: Sequence[Row], codes: Codes) -> int:
    """Print all of it: 1 where something is wrong, 2 where something is missing, else 0."""
    shown = [look(campaign, rows, codes) for campaign in CAMPAIGNS]
    for line in codes.lines(rows):
        console.print(line, highlight=False)
    console.print(table(shown))
    for one in shown:
        for text in one.wrong:
            console.print(f"[red]wrong: {one.campaign.name}: {text}[/red]", highlight=False)
    for line, lacks in missing(shown).items():
        console.print(f"{line.name}: {line.says}: {'' if lacks else 'shown'}", highlight=False)
        for text in lacks:
            console.print(f"    {text}", highlight=False)
    if any(one.wrong for one in shown):
        return 1
    return 2 if any(one.lacks for one in shown) else 0


def missing(shown: Sequence[Shown]) -> dict[Line, list[str]]:
    """What each promise lacks, in their order."""
    out: dict[Line, list[str]] = {}
    for one in shown:
        out.setdefault(one.campaign.line, []).extend(one.lacks)
    return out


def table(shown: Sequence[Shown]) -> Table:
    """A row a campaign."""
    out = Table(title="evidence")
    for column in ("promise", "campaign", "there", "wanted", "missing", "of other code", "wrong"):
        out.add_column(column, justify="left" if column in ("promise", "campaign") else "right")
    for one in shown:
        numbers = (amount(n) for n in (one.there, one.campaign.wanted, one.missing, one.other))
        name = f"{one.campaign.name}: {one.campaign.unit}"
        out.add_row(one.campaign.line.name, name, *numbers, str(len(one.wrong)))
    return out


def amount(value: float) -> str:
    """For people."""
    return f"{value:,.3g}" if value < 10 else f"{value:,.0f}"
