"""Links in docs/."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_links_lead_somewhere():
    for page in DOCS.glob("*.md"):
        for link in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text("utf-8")):
            assert (DOCS / link).exists(), link
