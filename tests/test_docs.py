"""The documents agree with the sources, and their links lead somewhere."""

import re
from pathlib import Path

import pytest

from formats import DOCUMENT, document
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
