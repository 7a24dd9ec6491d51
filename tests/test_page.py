"""The web page in Chromium with the trained models: drawing, opening images, layout, contrast.

    python -m pytest -m browser

needs `pip install -e ".[browser]"` and a Chromium, the system's or playwright's own.
SCREENSHOTS=DIR saves screenshots for the sizes of a phone and of a desktop screen, light and dark.
"""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

playwright = pytest.importorskip("playwright.sync_api")

pytestmark = pytest.mark.browser
playwright.expect.set_options(timeout=20_000)  # on a busy machine

NOTHING = "\N{EN DASH}"  # without a prediction
PHONE, PHONE_LANDSCAPE, DESKTOP = (390, 844), (844, 390), (1280, 900)

# Strokes as fractions of the drawing area.
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


@pytest.fixture
def opened(browser, url):
    """A function that opens the page; messages on the browser's console fail the test."""
    contexts, problems = [], []

    def open_(size=DESKTOP, before=lambda page: None, **options):
        context = browser.new_context(
            viewport=dict(zip(("width", "height"), size, strict=True)), **options
        )
        contexts.append(context)
        page = context.new_page()
        before(page)
        page.on("console", lambda message: problems.extend(serious(message.text)))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: problems.extend(external(request.url)))
        page.goto(url)
        page.wait_for_selector("#models th")
        return page

    def serious(message):  # a browser reports every response with an error status
        return [] if "status of 422" in message else [message]

    def external(address):
        return [] if address.startswith((url, "data:", "blob:")) else [address]

    yield open_
    for context in contexts:
        context.close()
    assert problems == []


@pytest.fixture
def page(opened):
    return opened()


def draw(page, stroke):
    box = page.locator("#drawing").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["width"]) for x, y in stroke]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=3)
    page.mouse.up()


def wait_for(page, label, column=2):
    """Wait until the model in that column (the second is the CNN) predicts the label."""
    playwright.expect(page.locator(f"#models th:nth-of-type({column}) .label")).to_have_text(label)


def test_a_digit_drawn_with_the_mouse_grows_its_bar(page):
    assert page.locator("#undo").is_disabled()
    draw(page, ZERO)
    wait_for(page, "0")
    confidence = page.locator("#models th:nth-of-type(2) .confidence").inner_text()
    page.wait_for_timeout(300)  # the bar grows
    bar = page.locator("#bars tr:first-child td:nth-of-type(2) .bar").bounding_box()
    track = page.locator("#bars tr:first-child td:nth-of-type(2) .track").bounding_box()
    grown = (bar["x"] + bar["width"] - track["x"]) / track["width"]
    assert grown == pytest.approx(float(confidence.rstrip("%")) / 100, abs=0.01)
    assert grown > 0.5
    playwright.expect(page.locator("#status")).to_have_text(re.compile(r"^CNN predicts 0, "))


def test_a_dot_and_a_horizontal_bar_are_not_sent_to_the_server(page):
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    draw(page, [(0.5, 0.5), (0.5, 0.5)])
    playwright.expect(page.locator("#message")).to_have_text("No digit yet: draw it larger.")
    page.click("#clear")
    draw(page, [(0.2, 0.2), (0.8, 0.2)])  # the beginning of a 7
    playwright.expect(page.locator("#message")).to_have_text("No digit yet: draw it larger.")
    assert requests == []
    draw(page, [(0.8, 0.2), (0.5, 0.9)])
    wait_for(page, "7")
    playwright.expect(page.locator("#message")).to_have_text("")


def test_bars_move_while_the_pen_is_down(page):
    box = page.locator("#drawing").bounding_box()
    x, y, side = box["x"] + box["width"] / 2, box["y"], box["width"]
    page.mouse.move(x, y + 0.2 * side)
    page.mouse.down()
    page.mouse.move(x, y + 0.8 * side, steps=10)
    wait_for(page, "1")
    page.mouse.up()


def test_undo_removes_a_stroke_and_clear_all_of_them(page):
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


def test_undo_restores_a_cleared_drawing_and_the_drawing_before_an_image(page, two_digits):
    draw(page, ZERO)
    wait_for(page, "0")
    page.click("#clear")
    wait_for(page, NOTHING)
    playwright.expect(page.locator("#status")).to_have_text("Cleared")
    page.click("#undo")
    wait_for(page, "0")
    page.set_input_files("#file", two_digits)
    playwright.expect(page.locator(".digit")).to_have_count(2)
    draw(page, ONE)  # replaces the image
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
    box = page.locator("#drawing").bounding_box()
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        touches = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["width"]} for x, y in points
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    touch("touchStart", ZERO[0])
    for point in ZERO[1:]:
        touch("touchMove", point)
    touch("touchEnd")
    wait_for(page, "0")
    assert page.evaluate("scrollY") == 0


def test_a_digit_drawn_with_the_keyboard_alone(page):
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "drawing"
    playwright.expect(page.locator("#keys")).to_be_visible()
    for _ in range(8):
        page.keyboard.press("ArrowUp")
    playwright.expect(page.locator("#status")).to_have_text("Top")
    page.keyboard.press("Space")
    playwright.expect(page.locator("#status")).to_have_text("Pen down")
    for _ in range(16):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    wait_for(page, "1")
    page.keyboard.press("Backspace")
    wait_for(page, NOTHING)


@pytest.fixture
def two_digits(page, tmp_path):
    """A wide image of a zero and a one."""
    picture = Image.new("RGB", (300, 140), "white")
    pencil = ImageDraw.Draw(picture)
    pencil.ellipse((30, 20, 100, 120), outline="black", width=12)
    pencil.line((220, 20, 220, 120), fill="black", width=12)
    file = tmp_path / "two.png"
    picture.save(file)
    return file


def test_each_digit_of_an_opened_image_is_shown(page, two_digits):
    page.set_input_files("#file", two_digits)
    digits = page.locator(".digit")
    playwright.expect(digits).to_have_count(2)
    assert digits.all_inner_texts() == ["0", "1"]
    wait_for(page, "0")
    digits.first.press("ArrowRight")
    wait_for(page, "1")
    announced = re.compile("^Digit 2 of 2: CNN predicts 1, .* Softmax 1, ")
    playwright.expect(page.locator("#status")).to_have_text(announced)
    playwright.expect(digits.last).to_be_focused()
    assert digits.last.get_attribute("aria-checked") == "true"
    area = page.locator("#drawing").bounding_box()
    page.mouse.click(area["x"] + 0.22 * area["width"], area["y"] + 0.5 * area["height"])
    wait_for(page, "0")  # clicked
    draw(page, ZERO)  # replaces the image
    playwright.expect(digits).to_have_count(1)
    wait_for(page, "0")


def test_an_image_is_pasted(page, two_digits):
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


def test_a_file_that_is_not_an_image_is_reported(page, tmp_path):
    file = tmp_path / "x.png"
    file.write_bytes(b"not an image")
    page.set_input_files("#file", file)
    playwright.expect(page.locator("#message")).to_have_text(re.compile("^expected "))


def test_a_file_that_is_not_an_image_leaves_the_drawing(page, tmp_path):
    draw(page, ZERO)
    wait_for(page, "0")
    file = tmp_path / "x.png"
    file.write_bytes(b"not an image")
    page.set_input_files("#file", file)
    playwright.expect(page.locator("#message")).to_have_text(re.compile("^expected "))
    playwright.expect(page.locator(".digit")).to_have_count(1)


def test_a_text_file_is_reported(page, tmp_path):
    file = tmp_path / "x.txt"
    file.write_text("not an image")
    page.set_input_files("#file", file)
    message = re.compile(r"^expected an? \w+ \(PNG, ")
    playwright.expect(page.locator("#message")).to_have_text(message)


def test_of_two_images_opened_quickly_the_later_one_stays(page, two_digits, tmp_path):
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


def test_an_unknown_model_is_shown_too(opened):
    def fifth(route):
        listed = route.fetch().json()
        listed["models"].append(
            {**listed["models"][0], "title": "Fifth", "summary": "the same again"}
        )
        listed["default"] = "mlp"
        route.fulfill(json=listed)

    page = opened(before=lambda page: page.route("**/api/models", fifth))
    draw(page, ONE)
    wait_for(page, "1", column=5)
    assert page.locator("#models th").all_inner_texts()[4].startswith("Fifth")
    assert "Fifth: the same again." in page.locator("#summaries").inner_text()
    playwright.expect(page.locator("#status")).to_have_text(
        re.compile("^MLP predicts 1, .*, Fifth 1")
    )


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
        'button "Open image"',
        'application "Drawing area"',
        'columnheader "Softmax',
        'rowheader "9"',
        "status",
    ):
        assert part in tree, part


@pytest.mark.parametrize(
    ("name", "size"), [("phone", PHONE), ("phone-landscape", PHONE_LANDSCAPE), ("desktop", DESKTOP)]
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
    in_sight = ["#drawing", "#open", "#models th:nth-of-type(2) .label"]
    boxes = [page.locator(part).bounding_box() for part in in_sight]
    for part, box in zip(in_sight, boxes, strict=True):
        assert box["y"] >= 0 and box["y"] + box["height"] <= size[1], part
        assert box["x"] + box["width"] <= size[0], part
    if name != "phone":  # two columns
        bars = page.locator("table").bounding_box()
        assert max(box["x"] + box["width"] for box in boxes[:2]) <= bars["x"]
    assert overlapping(page) == []
    if directory := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(directory) / f"{name}-{scheme}.png", full_page=True)


def overlapping(page):
    """Return pairs of column heads that overlap."""
    boxes = [part.bounding_box() for part in page.locator("#models th").all()]
    return [
        (left, right)
        for left, right in itertools.pairwise(boxes)
        if left["x"] + left["width"] > right["x"] + 0.5
    ]


# The contrast ratio of WCAG of two colors as the browser paints them.
CONTRAST = """([selector, property, behind]) => {
    const canvas = document.createElement("canvas");
    const paper = canvas.getContext("2d", { willReadFrequently: true });
    const luminance = (color) => {
        paper.fillStyle = color;
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
def test_bars_and_text_have_enough_contrast(opened, scheme):
    page = opened(color_scheme=scheme)
    draw(page, ZERO)
    wait_for(page, "0")
    for least, *colors in [
        (4.5, "#hint", "color", "#drawing"),
        (4.5, ".note", "color", "body"),
        (3, "td:not(.best) .bar", "backgroundColor", ".track"),
        (3, ".best .bar", "backgroundColor", ".track"),
    ]:
        assert page.evaluate(CONTRAST, colors) >= least, colors


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(opened, axe_violations, size, scheme):
    page = opened(size, color_scheme=scheme)
    assert axe_violations(page) == []
    draw(page, ZERO)
    wait_for(page, "0")
    page.click("summary")
    playwright.expect(page.locator(".grid canvas")).to_have_count(96)
    assert axe_violations(page) == []


def test_bars_have_enough_contrast_in_forced_colors(opened):
    page = opened(forced_colors="active")
    draw(page, ZERO)
    wait_for(page, "0")
    for bar in ("td:not(.best) .bar", ".best .bar"):
        assert page.evaluate(CONTRAST, [bar, "backgroundColor", ".track"]) >= 3
