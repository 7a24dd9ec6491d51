"""Code of the programs as cells of the tutorials, on the site and in notebooks/.

    python docs/notebooks.py        write notebooks/*.ipynb from docs/tutorials/*.md

A tutorial includes code by `literalinclude`. What it includes from deep_mnist/ becomes a code cell,
so that a page is executed as the notebook that a learner runs; other files become listings. As a
Sphinx extension, this does the same for the pages of the site.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from sphinx.directives.code import LiteralIncludeReader

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "tutorials"
NOTEBOOKS = ROOT / "notebooks"
INCLUDE = re.compile(
    r"^```\{literalinclude\} (?P<path>\S+)\n(?P<options>(?::.*\n)*)```$", re.MULTILINE
)
OPTION = re.compile(r"^:([\w-]+): *(.*)$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)\.md(#[^)]*)?\)")
INSTALL = """\
# Install what this notebook needs. The kernel does not have to be restarted.
%pip install --quiet "deep_mnist[plots]"\
"""


def with_code(text: str, page: Path) -> str:
    """Return a page's text with the code that it includes.

    Args:
      text: MyST Markdown.
      page: its file, from which the paths of included files start.
    """

    def code(match: re.Match[str]) -> str:
        path = (page.parent / match["path"]).resolve()
        options = {name: yaml.safe_load(text) for name, text in OPTION.findall(match["options"])}
        config: Any = SimpleNamespace(source_encoding="utf-8")
        source, _ = LiteralIncludeReader(str(path), options, config).read()
        is_cell = path.is_relative_to(ROOT / "deep_mnist")
        return f"```{'{code-cell} ipython3' if is_cell else 'python'}\n{source.strip()}\n```"

    return INCLUDE.sub(code, text)


def notebook(page: Path) -> str:
    """Return the .ipynb file of a page: without outputs, and with a first cell that installs."""
    import jupytext
    import nbformat

    text = LINK.sub(_link, with_code(page.read_text("utf-8"), page))
    book = jupytext.reads(text, "md:myst")
    book.cells.insert(1, nbformat.v4.new_code_cell(INSTALL))
    for number, cell in enumerate(book.cells):
        cell["id"] = f"cell-{number}"
        cell["metadata"] = {}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book["metadata"] = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return str(nbformat.writes(nbformat.from_dict(book), version=nbformat.NO_CONVERT)) + "\n"


def pages() -> list[Path]:
    """Return the pages that are notebooks, those whose header names a kernel."""
    return [
        page for page in sorted(PAGES.glob("*.md")) if "\nkernelspec:" in page.read_text("utf-8")
    ]


def setup(app: Any) -> dict[str, bool]:
    """Include the code before Sphinx parses a page."""

    def read(app: Any, name: str, content: list[str]) -> None:
        page = Path(app.env.doc2path(name))
        if page.parent == PAGES:
            content[0] = with_code(content[0], page)

    app.connect("source-read", read)
    return {"parallel_read_safe": True}


def _link(match: re.Match[str]) -> str:
    """Return a link to another tutorial's notebook, or from notebooks/ to a page of docs/."""
    name, anchor = match[1], match[2] or ""
    if (PAGES / f"{name}.md") in pages():
        return f"]({name}.ipynb{anchor})"
    target = (PAGES / f"{name}.md").resolve().relative_to(ROOT)
    return f"](../{target}{anchor})"


def main() -> None:
    """Write the notebooks."""
    NOTEBOOKS.mkdir(exist_ok=True)
    for page in pages():
        (NOTEBOOKS / f"{page.stem}.ipynb").write_text(notebook(page), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
