"""Links and numbers in docs/."""

import re
import runpy
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_links_lead_somewhere():
    for page in DOCS.glob("*.md"):
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text("utf-8")):
            assert (DOCS / link).exists(), link


def test_the_faults_shown_are_those_of_the_campaigns():
    made = runpy.run_path(str(DOCS.parent / "benchmarks" / "readme_tables.py"))
    page = (DOCS / "reliability.md").read_text("utf-8")
    assert made["stops"]() in page
    assert sum(made["read"]("faults")["runs_as_uninterrupted"].values()) == 100
    assert made["damage"]() in page
    assert all(line.endswith("| 0 |") for line in made["damage"]().splitlines()[2:])
