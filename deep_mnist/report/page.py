"""One self-contained page: nothing on it is fetched, and it reads in the dark, and on a phone."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape

from deep_mnist import __version__
from deep_mnist.report import published
from deep_mnist.report.figure import Picture, png, svg
from deep_mnist.report.runs import Run, by_kind

STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --muted: #59636e; --line: #d1d9e0;
  --paper: #fff; --ground: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --muted: #9ea7b3;
  --line: #3d444d; --paper: #151b23; --ground: #0d1117; } }
body { margin: 0 auto; padding: 1rem; max-width: 84rem; color: var(--ink);
  background: var(--ground); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0.5rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.75rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--line);
  text-align: right; white-space: nowrap; }
th { color: var(--muted); font-weight: 500; }
th:first-child, td:first-child { text-align: left; }
.pictures { display: grid; gap: 1rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); }
.pictures img { display: block; width: 100%; height: auto; border-radius: 0.5rem;
  background: var(--paper); border: 1px solid var(--line); box-sizing: border-box; }
details { margin: 1rem 0; }
summary { cursor: pointer; }
footer { margin-top: 2rem; color: var(--muted); font-size: 0.85rem; }
"""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
PIXELS = 96  # a CSS inch
FEW = 8  # runs, whose table is open


def write(runs: list[Run], pictures: Iterable[Picture], image_format: str) -> str:
    """The page as HTML, its pictures in `image_format`, svg or png."""
    drawn = list(pictures)
    sections = [_section("All runs", [p for p in drawn if p.name == "accuracies"], image_format)]
    for kind, group in by_kind(runs).items():
        of_kind = [p for p in drawn if p.name.endswith(f"-{kind}")]
        sections.append(_section(kind, of_kind, image_format) + _published(group))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<title>deep_mnist: {_counted(runs)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<h1>{_counted(runs)}</h1>
{_table(runs)}{"".join(sections)}</main>
<footer>Made by python -m deep_mnist.report, deep_mnist {__version__}. What looks into a model
is of the first finished run of its kind.</footer>
</body>
</html>
"""


def _counted(runs: list[Run]) -> str:
    number = f"{len(runs)} runs" if len(runs) > 1 else "A run"
    return f"{number} of {', '.join(by_kind(runs))}"


def _section(title: str, pictures: list[Picture], image_format: str) -> str:
    if not pictures:
        return ""
    images = "\n".join(_image(picture, image_format) for picture in pictures)
    return f'<h2>{escape(title)}</h2>\n<div class="pictures">\n{images}\n</div>\n'


def _image(picture: Picture, image_format: str) -> str:
    kind, content = {"svg": ("svg+xml", svg), "png": ("png", png)}[image_format]
    width, height = (round(PIXELS * side) for side in picture.figure.get_size_inches())
    source = f"data:image/{kind};base64,{base64.b64encode(content(picture)).decode('ascii')}"
    alt = f"{picture.title}. {picture.alt}"
    return f'<img width="{width}" height="{height}" alt="{escape(alt)}" src="{source}">'


def _table(runs: list[Run]) -> str:
    rows = []
    for run in runs:
        result = run.result
        if result is None:
            last = f"step {run.reports[-1].step:,}" if run.reports else "nothing reported"
            figures = ["unfinished", last, ""]
        else:
            figures = [
                f"{100 * result['test_accuracy']:.2f} %",
                f"{result['steps']:,}",
                _seconds(result["seconds"]) if "seconds" in result else "",
            ]
        rows.append([run.directory.name, run.model, run.digits, *figures])
    head = ["run", "model", "examples", "test accuracy", "steps", "training"]
    table = _html_table("The runs", head, rows)
    shown = " open" if len(runs) <= FEW else ""
    return f"<details{shown}><summary>The runs</summary>\n{table}</details>\n"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def _published(runs: list[Run]) -> str:
    comparison = published.compare(runs)
    if comparison is None:
        return ""
    head = ["", "document", "ours" if len(comparison.runs) == 1 else "ours, mean"]
    if len(comparison.runs) > 1:
        head += ["lowest", "highest"]
    rows = []
    for row in comparison.rows:
        figures = [row.published, row.mean]
        if len(comparison.runs) > 1:
            figures += [min(row.ours), max(row.ours)]
        rows.append([row.place, *(f"{figure:.4f}" for figure in figures)])
    caption = (
        f"{comparison.figure} of {comparison.model}, as its document prints it and as measured here"
    )
    return (
        f"<details><summary>The table: {escape(caption)}</summary>\n"
        f"{_html_table(caption, head, rows)}</details>\n"
    )


def _html_table(label: str, head: list[str], rows: list[list[str]]) -> str:
    def line(cells: list[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>\n"

    body = "".join(line(row, "td") for row in rows)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}">'
        f"<table>\n<thead>{line(head, 'th')}</thead>\n<tbody>{body}</tbody></table></div>\n"
    )
