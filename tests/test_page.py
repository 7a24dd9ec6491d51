"""The page in a real Chromium, before the trained models: drawn on, shown pictures, looked at.

    python -m pytest -m browser

needs `pip install playwright` and a Chromium, the system's or playwright's own. SCREENSHOTS=DIR
keeps what it looked like, at the width of a phone and of a desk, light and dark.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

playwright = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser
playwright.expect.set_options(timeout=20_000)  # of a machine that does other things as well

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",  # root may not have one
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NOTHING = "\N{EN DASH}"  # stands where there is no answer
PHONE, PHONE_ON_ITS_SIDE, DESK = (390, 844), (844, 390), (1280, 900)

# Strokes as fractions of the sheet.
ONE = [(0.5, 0.2), (0.5, 0.8)]
ZERO = [(0.5, 0.2), (0.66, 0.3), (0.7, 0.5), (0.66, 0.7), (0.5, 0.8)]
ZERO += [(0.34, 0.7), (0.3, 0.5), (0.34, 0.3), (0.5, 0.2)]


@pytest.fixture(scope="module")
def url():
    command = [sys.executable, "-m", "deep_mnist.serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().split()[0]
        process.terminate()
        assert process.wait(60) == 143


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        try:
            chromium = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        except playwright.Error:
            pytest.skip("there is no Chromium: apt-get install chromium, or playwright install")
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, url):
    """Opens the page at a width; whatever the browser complains of fails the test."""
    contexts, complaints = [], []

    def open_(size=DESK, before=lambda page: None, **options):
        context = browser.new_context(
            viewport=dict(zip(("width", "height"), size, strict=True)), **options
        )
        contexts.append(context)
        page = context.new_page()
        before(page)
        page.on("console", lambda message: complaints.extend(serious(message.text)))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.extend(elsewhere(request.url)))
        page.goto(url)
        page.wait_for_selector("#models th")
        return page

    def serious(message):  # a browser reports an unreadable picture as a mishap
        return [] if "status of 422" in message else [message]

    def elsewhere(address):
        return [] if address.startswith((url, "data:", "blob:")) else [address]

    yield open_
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(opened):
    return opened()


def draw(page, stroke):
    box = page.locator("#sheet").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["width"]) for x, y in stroke]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=3)
    page.mouse.up()


def wait_for(page, label, column=2):
    """Until the model in that column (the second is the CNN) reads the label."""
    playwright.expect(page.locator(f"#models th:nth-of-type({column}) .label")).to_have_text(label)


def test_a_digit_drawn_with_the_mouse_grows_its_bar(page):
    assert page.locator("#undo").is_disabled()
    draw(page, ZERO)
    wait_for(page, "0")
    sure = page.locator("#models th:nth-of-type(2) .sure").inner_text()
    page.wait_for_timeout(300)  # the bar grows
    bar = page.locator("#bars tr:first-child td:nth-of-type(2) .bar").bounding_box()
    track = page.locator("#bars tr:first-child td:nth-of-type(2) .track").bounding_box()
    grown = (bar["x"] + bar["width"] - track["x"]) / track["width"]
    assert grown == pytest.approx(float(sure.split()[0]) / 100, abs=0.01)
    assert grown > 0.5
    playwright.expect(page.locator("#said")).to_have_text(re.compile(r"^CNN reads 0, "))


def test_a_dot_and_a_bar_are_no_question_and_no_complaint_on_the_console(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    draw(page, [(0.5, 0.5), (0.5, 0.5)])
    playwright.expect(page.locator("#message")).to_have_text("No digit yet: draw it larger.")
    page.click("#clear")
    draw(page, [(0.2, 0.2), (0.8, 0.2)])  # what a 7 begins with
    playwright.expect(page.locator("#message")).to_have_text("No digit yet: draw it larger.")
    assert asked == []
    draw(page, [(0.8, 0.2), (0.5, 0.9)])
    wait_for(page, "7")
    playwright.expect(page.locator("#message")).to_have_text("")


def test_bars_move_while_the_pen_is_down(page):
    box = page.locator("#sheet").bounding_box()
    x, y, side = box["x"] + box["width"] / 2, box["y"], box["width"]
    page.mouse.move(x, y + 0.2 * side)
    page.mouse.down()
    page.mouse.move(x, y + 0.8 * side, steps=10)
    wait_for(page, "1")
    page.mouse.up()


def test_undo_takes_a_stroke_back_and_clear_all(page):
    draw(page, ZERO)
    wait_for(page, "0")
    draw(page, [(0.9, 0.1), (0.9, 0.9)])
    playwright.expect(page.locator(".digit")).to_have_count(2)
    page.keyboard.press("Control+z")
    playwright.expect(page.locator(".digit")).to_have_count(1)
    wait_for(page, "0")
    page.click("#clear")
    wait_for(page, NOTHING)
    playwright.expect(page.locator(".digit")).to_have_count(0)
    playwright.expect(page.locator("#hint")).to_be_visible()


def test_undo_brings_back_what_was_cleared_and_the_drawing_before_a_picture(page, two_digits):
    draw(page, ZERO)
    wait_for(page, "0")
    page.click("#clear")
    wait_for(page, NOTHING)
    playwright.expect(page.locator("#said")).to_have_text("Cleared")
    page.click("#undo")
    wait_for(page, "0")
    page.set_input_files("#file", two_digits)
    playwright.expect(page.locator(".digit")).to_have_count(2)
    draw(page, ONE)  # on a new sheet
    wait_for(page, "1")
    page.click("#undo")
    playwright.expect(page.locator(".digit")).to_have_count(2)
    page.click("#undo")
    playwright.expect(page.locator(".digit")).to_have_count(1)
    wait_for(page, "0")
    page.click("#undo")
    wait_for(page, NOTHING)
    assert page.locator("#undo").is_disabled()


def test_a_digit_drawn_by_touch(opened):
    page = opened(PHONE, has_touch=True, is_mobile=True)
    box = page.locator("#sheet").bounding_box()
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        places = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["width"]} for x, y in points
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", ZERO[0])
    for point in ZERO[1:]:
        touch("touchMove", point)
    touch("touchEnd")
    wait_for(page, "0")
    assert page.evaluate("scrollY") == 0


def test_a_digit_drawn_with_the_keyboard_alone(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "sheet"
    playwright.expect(page.locator("#keys")).to_be_visible()
    for _ in range(8):
        page.keyboard.press("ArrowUp")
    playwright.expect(page.locator("#said")).to_have_text("Top")
    page.keyboard.press("Space")
    playwright.expect(page.locator("#said")).to_have_text("Pen down")
    for _ in range(16):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    wait_for(page, "1")
    page.keyboard.press("Backspace")
    wait_for(page, NOTHING)


@pytest.fixture
def two_digits(page, tmp_path):
    """A picture of a zero and a one, wide."""
    picture = Image.new("RGB", (300, 140), "white")
    pencil = ImageDraw.Draw(picture)
    pencil.ellipse((30, 20, 100, 120), outline="black", width=12)
    pencil.line((220, 20, 220, 120), fill="black", width=12)
    file = tmp_path / "two.png"
    picture.save(file)
    return file


def test_an_opened_picture_shows_each_of_its_digits(page, two_digits):
    page.set_input_files("#file", two_digits)
    digits = page.locator(".digit")
    playwright.expect(digits).to_have_count(2)
    assert digits.all_inner_texts() == ["0", "1"]
    wait_for(page, "0")
    digits.first.press("ArrowRight")
    wait_for(page, "1")
    said = re.compile("^Digit 2 of 2: CNN reads 1, .* Softmax 1, ")
    playwright.expect(page.locator("#said")).to_have_text(said)
    playwright.expect(digits.last).to_be_focused()
    assert digits.last.get_attribute("aria-checked") == "true"
    sheet = page.locator("#sheet").bounding_box()
    page.mouse.click(sheet["x"] + 0.22 * sheet["width"], sheet["y"] + 0.5 * sheet["height"])
    wait_for(page, "0")  # pointed at
    draw(page, ZERO)  # on a new sheet
    playwright.expect(digits).to_have_count(1)
    wait_for(page, "0")


def test_a_picture_is_pasted(page, two_digits):
    page.evaluate(
        """bytes => {
            const clipboardData = new DataTransfer();
            const file = new File([new Uint8Array(bytes)], "x.png", { type: "image/png" });
            clipboardData.items.add(file);
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
        }""",
        list(two_digits.read_bytes()),
    )
    playwright.expect(page.locator(".digit")).to_have_count(2)


def test_a_file_that_is_no_picture_is_complained_about(page, tmp_path):
    file = tmp_path / "x.png"
    file.write_bytes(b"no picture")
    page.set_input_files("#file", file)
    playwright.expect(page.locator("#message")).to_have_text(re.compile("^picture: "))


def test_a_file_that_is_no_picture_leaves_the_drawing_as_it_is(page, tmp_path):
    draw(page, ZERO)
    wait_for(page, "0")
    file = tmp_path / "x.png"
    file.write_bytes(b"no picture")
    page.set_input_files("#file", file)
    playwright.expect(page.locator("#message")).to_have_text(re.compile("^picture: "))
    playwright.expect(page.locator(".digit")).to_have_count(1)


def test_a_text_file_is_told_to_be_no_picture(page, tmp_path):
    file = tmp_path / "x.txt"
    file.write_text("no picture")
    page.set_input_files("#file", file)
    message = re.compile(r"^picture: expected a picture \(PNG, ")
    playwright.expect(page.locator("#message")).to_have_text(message)


def test_of_two_pictures_opened_quickly_the_later_one_stays(page, two_digits, tmp_path):
    page.evaluate(
        """() => {
            const decode = createImageBitmap;
            window.createImageBitmap = async (file) => {
                if (file.name === "slow.png") await new Promise((done) => setTimeout(done, 500));
                return decode(file);
            };
        }"""
    )
    slow = tmp_path / "slow.png"
    slow.write_bytes(two_digits.read_bytes())
    picture = Image.new("L", (140, 140), 255)
    ImageDraw.Draw(picture).line((70, 20, 70, 120), fill=0, width=12)
    quick = tmp_path / "quick.png"
    picture.save(quick)
    page.set_input_files("#file", slow)
    page.set_input_files("#file", quick)
    wait_for(page, "1")
    page.wait_for_timeout(700)
    playwright.expect(page.locator(".digit")).to_have_count(1)


def test_a_model_that_the_page_has_never_heard_of_is_shown_too(opened):
    def fifth(route):
        said = route.fetch().json()
        said["models"].append({**said["models"][0], "title": "Fifth", "summary": "the same again"})
        said["default"] = "mlp"
        route.fulfill(json=said)

    page = opened(before=lambda page: page.route("**/api/models", fifth))
    draw(page, ONE)
    wait_for(page, "1", column=5)
    assert page.locator("#models th").all_inner_texts()[4].startswith("Fifth")
    assert "Fifth: the same again." in page.locator("#summaries").inner_text()
    playwright.expect(page.locator("#said")).to_have_text(re.compile("^MLP reads 1, .*, Fifth 1"))


def test_feature_maps_are_shown_on_demand(page):
    draw(page, ZERO)
    wait_for(page, "0")
    assert page.locator(".grid canvas").count() == 0
    page.click("summary")
    playwright.expect(page.locator(".grid canvas")).to_have_count(96)


def test_the_parts_of_the_page_have_names(page):
    tree = page.locator("body").aria_snapshot()
    for part in (
        'button "Undo"',
        'button "Clear"',
        'button "Open picture"',
        'application "Sheet of paper"',
        'columnheader "Softmax',
        'rowheader "9"',
        "status",
    ):
        assert part in tree, part


@pytest.mark.parametrize(
    ("name", "size"), [("phone", PHONE), ("phone-on-its-side", PHONE_ON_ITS_SIDE), ("desk", DESK)]
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_the_screen(opened, name, size, scheme):
    page = opened(size, color_scheme=scheme, device_scale_factor=2)
    draw(page, ZERO)
    wait_for(page, "0")
    page.click("summary")
    playwright.expect(page.locator(".grid canvas")).to_have_count(96)
    page.evaluate("scrollTo(0, 0)")
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    in_sight = ["#sheet", "#open", "#models th:nth-of-type(2) .label"]
    boxes = [page.locator(part).bounding_box() for part in in_sight]
    for part, box in zip(in_sight, boxes, strict=True):
        assert box["y"] >= 0 and box["y"] + box["height"] <= size[1], part
        assert box["x"] + box["width"] <= size[0], part
    if name != "phone":  # beside each other
        bars = page.locator("table").bounding_box()
        assert max(box["x"] + box["width"] for box in boxes[:2]) <= bars["x"]
    assert overlapping(page) == []
    if directory := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(directory) / f"{name}-{scheme}.png", full_page=True)


def overlapping(page):
    """Heads of columns that run into each other."""
    boxes = [part.bounding_box() for part in page.locator("#models th").all()]
    return [
        (left, right)
        for left, right in itertools.pairwise(boxes)
        if left["x"] + left["width"] > right["x"] + 0.5
    ]


# Of WCAG: the contrast of two colours as the browser paints them.
CONTRAST = """([selector, property, behind]) => {
    const canvas = document.createElement("canvas");
    const paper = canvas.getContext("2d", { willReadFrequently: true });
    const luminance = (colour) => {
        paper.fillStyle = colour;
        paper.fillRect(0, 0, 1, 1);
        const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = [...paper.getImageData(0, 0, 1, 1).data].map((v) => linear(v / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const style = (selector) => getComputedStyle(document.querySelector(selector));
    const [a, b] = [style(selector)[property], style(behind).backgroundColor].map(luminance);
    const seen = style(selector).opacity === "1";
    return seen ? (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) : 1;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_bars_and_words_stand_out(opened, scheme):
    page = opened(color_scheme=scheme)
    draw(page, ZERO)
    wait_for(page, "0")
    for least, *colours in [
        (4.5, "#hint", "color", "#sheet"),
        (4.5, ".note", "color", "body"),
        (3, "td:not(.best) .bar", "backgroundColor", ".track"),
        (3, ".best .bar", "backgroundColor", ".track"),
    ]:
        assert page.evaluate(CONTRAST, colours) >= least, colours


def test_bars_are_seen_in_forced_colours(opened):
    page = opened(forced_colors="active")
    draw(page, ZERO)
    wait_for(page, "0")
    for bar in ("td:not(.best) .bar", ".best .bar"):
        assert page.evaluate(CONTRAST, [bar, "backgroundColor", ".track"]) >= 3
