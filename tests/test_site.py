"""The documentation site in Chromium: accessibility, layout, search; no requests elsewhere.

pip install -e ".[docs]" && sphinx-build -W docs docs/_build
python -m pytest -m browser tests/test_site.py
"""

from pathlib import Path

import pytest

SITE = Path(__file__).parents[1] / "docs" / "_build"
PAGES = sorted(
    str(path.relative_to(SITE)) for path in SITE.rglob("*.html") if "_static" not in path.parts
)
PHONE, DESKTOP = (390, 844), (1280, 900)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not PAGES, reason="build it: sphinx-build -W docs docs/_build"),
]


@pytest.fixture(scope="module", params=[(PHONE, "light"), (DESKTOP, "light"), (DESKTOP, "dark")])
def page(browser, request):
    (width, height), scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = context.new_page()
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    yield page
    context.close()
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_and_fits_the_screen(page, axe_violations, name):
    page.goto((SITE / name).as_uri())
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_search_finds_a_page(page):
    page.goto((SITE / "search.html").as_uri() + "?q=checkpoint")
    page.get_by_role("link", name="Checkpoints", exact=True).first.wait_for()
