"""The documents agree with the sources, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

from formats import DOCUMENT, document
from openbell.exchange.fault_desk import BY_NAME
from openbell.types import Reason

REPO = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*REPO.glob("*.md"), *REPO.glob("docs/*.md"), *REPO.glob("bench/*.md")])


def test_formats_are_those_of_the_sources():
    assert DOCUMENT.read_text() == document(), "run: python tests/formats.py"


def test_every_reason_is_explained():
    text = (REPO / "docs/refusals.md").read_text()
    assert [reason.name for reason in Reason if f"| {reason.name} |" not in text] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


@pytest.mark.parametrize("name", BY_NAME)
def test_every_fault_is_explained_as_its_class_says(name: str):
    text = (REPO / "docs/exchange-operations.md").read_text()
    kind = BY_NAME[name]
    row = next(line for line in text.splitlines() if line.startswith((f"| `{name} ", f"| `{name}`")))
    assert " ".join((kind.__doc__ or "").split()) in row
    assert set(row.split("|")[2].split()) == set(kind.model_fields) - {"on", "seed"}
