"""Labels predicted for small images with gaps, screenshots, images without digits, and pens.

    python benchmarks/unusual_images.py [--data-dir DIR] [--each 10] [--seed 0] [--save DIR]

20 kinds of image, drawn from MNIST's test digits, from the strokes of the synthetic digits and from
shapes. An image with digits is correct if exactly they are predicted. One without digits is correct
if no label is printed: an error, or "not sure". A screenshot is correct in both ways, because its
digit is small. Writes results/unusual_images.json.
"""

from __future__ import annotations

import argparse
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import report
import scenes
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from deep_mnist import data, inference, predict
from deep_mnist.data.synthetic import templates
from deep_mnist.errors import ImageError
from deep_mnist.lazy_tensorflow import import_quietly
from deep_mnist.vision import image

PilImage = Image.Image
Random = np.random.Generator
WORDS = (
    "the quick model learns a weight for each pixel and prints every loss while it trains "
    "File Edit View Insert Tools Help Search settings Documents Monday report final draft"
).split()


class Drawing:
    """An image that a kind draws, with its digits."""

    def __init__(self, random: Random, images: Any, labels: Any) -> None:
        self.random = random
        self._images, self._labels = images, labels
        self.digits: list[int] = []

    def integer(self, low: int, high: int) -> int:
        return int(self.random.integers(low, high + 1))

    def mnist(self) -> npt.NDArray[np.uint8]:
        """Return a test digit, [28, 28], and note its label."""
        number = int(self.random.integers(len(self._labels)))
        self.digits.append(int(self._labels[number]))
        pixels: npt.NDArray[np.uint8] = self._images[number].reshape(28, 28)
        return pixels

    def strokes(self, canvas: PilImage, box: tuple[int, int, int], pen: int, fill: Any) -> None:
        """Draw a digit of pen strokes at (left, top, height), and note its label."""
        styles = templates()
        style = int(self.random.integers(len(styles.digit)))
        controls = styles.controls[style] + self.random.normal(0, 0.015, (1, 2))
        points = styles.curve[style] @ controls
        left, top, height = box
        draw = ImageDraw.Draw(canvas)
        for i, joined in enumerate(styles.joined[style]):
            if joined:
                ends = [(left + height * x, top + height * y) for x, y in points[i : i + 2]]
                draw.line(ends, fill=fill, width=pen)
                for x, y in ends if pen > 2 else ():
                    r = pen / 2
                    draw.ellipse([x - r, y - r, x + r, y + r], fill=fill)
        self.digits.append(int(styles.digit[style]))

    def words(self, count: int) -> str:
        return " ".join(self.random.choice(WORDS, count))

    def color(self, low: int = 0, high: int = 255) -> tuple[int, int, int]:
        red, green, blue = self.random.integers(low, high + 1, 3).tolist()
        return red, green, blue


# Small images -----------------------------------------------------------------


def thin_pen_without_smoothing(drawing: Drawing) -> PilImage:
    """Shrink a drawing of 280x280 by leaving out pixels."""
    canvas = Image.new("L", (280, 280), 255)
    drawing.strokes(canvas, (60, 40, 200), drawing.integer(5, 9), 0)
    return canvas.resize((28, 28), Image.Resampling.NEAREST)


def thin_pen_between_28_and_40(drawing: Drawing) -> PilImage:
    side = drawing.integer(28, 40)
    canvas = Image.new("L", (400, 400), 255)
    drawing.strokes(canvas, (90, 60, 280), drawing.integer(6, 12), 0)
    return canvas.resize((side, side), Image.Resampling.NEAREST)


def mnist_digit_with_a_high_threshold(drawing: Drawing) -> PilImage:
    """Keep the cores of the strokes only, white on black."""
    pixels = drawing.mnist()
    return Image.fromarray(((pixels > drawing.integer(180, 235)) * 255).astype(np.uint8))


def mnist_digit_eroded_and_shrunk(drawing: Drawing) -> PilImage:
    large = Image.fromarray(255 - drawing.mnist()).resize((280, 280), Image.Resampling.BICUBIC)
    thin = large.filter(ImageFilter.MaxFilter(drawing.integer(3, 6) * 2 + 1))
    return thin.resize((28, 28), Image.Resampling.NEAREST)


def small_jpeg(drawing: Drawing) -> PilImage:
    side = drawing.integer(28, 40)
    canvas = Image.new("L", (side, side), 0)
    margin = drawing.integer(0, side - 28)
    canvas.paste(Image.fromarray(drawing.mnist()), (margin, side - 28))
    return canvas


# Screenshots ------------------------------------------------------------------


def desktop(drawing: Drawing, dark: bool, size: tuple[int, int] = (1920, 1080)) -> PilImage:
    """Draw a wallpaper with icons, two windows of text and a task bar."""
    top, bottom = (np.array(drawing.color(20, 120)), np.array(drawing.color(100, 200)))
    ramp = np.linspace(0, 1, size[1])[:, None, None]
    rows = (top * (1 - ramp) + bottom * ramp).repeat(size[0], axis=1)
    screen = Image.fromarray(rows.astype(np.uint8))
    for number in range(drawing.integer(4, 8)):
        icon(drawing, screen, 40, 30 + 110 * number, 56)
        label = drawing.words(1)
        ImageDraw.Draw(screen).text(
            (40, 90 + 110 * number), label, (255,) * 3, ImageFont.load_default(14)
        )
    for _ in range(drawing.integer(1, 2)):
        left, up = drawing.integer(150, size[0] // 2), drawing.integer(20, size[1] // 3)
        window(drawing, screen, (left, up, left + drawing.integer(500, 800), up + 560), dark, True)
    draw = ImageDraw.Draw(screen)
    bar = size[1] - 44
    draw.rectangle([0, bar, *size], fill=(30, 32, 36) if dark else (225, 228, 232))
    for number in range(drawing.integer(5, 9)):
        icon(drawing, screen, 20 + 60 * number, bar + 6, 32)
    draw.text((size[0] - 80, bar + 12), "16:42", (160,) * 3, ImageFont.load_default(16))
    return screen


def icon(drawing: Drawing, screen: PilImage, x: int, y: int, side: int) -> None:
    draw = ImageDraw.Draw(screen)
    box = [x, y, x + side, y + side]
    shape = drawing.integer(0, 3)
    if shape == 0:
        draw.rounded_rectangle(box, side // 6, fill=drawing.color())
        draw.text((x + side // 4, y), drawing.words(1)[0], (255,) * 3, ImageFont.load_default(side))
    elif shape == 1:
        draw.ellipse(box, fill=drawing.color(), outline=(240,) * 3, width=2)
        draw.polygon([(x + side // 3, y + side // 4), (x + side // 3, y + 3 * side // 4),
                      (x + 3 * side // 4, y + side // 2)], fill=(250,) * 3)  # fmt: skip
    elif shape == 2:
        draw.rectangle([x, y + side // 5, x + side, y + side], fill=(235, 190, 80))
        draw.rectangle([x, y + side // 10, x + side // 2, y + side // 4], fill=(220, 170, 60))
    else:
        draw.rectangle(box, fill=(250,) * 3, outline=(90,) * 3, width=2)
        for line in range(y + side // 5, y + side - 4, max(4, side // 6)):
            draw.line([x + 5, line, x + side - 6, line], fill=(120,) * 3, width=2)


def window(
    drawing: Drawing, screen: PilImage, box: tuple[int, int, int, int], dark: bool, text: bool
) -> None:
    """Draw a window with a title bar, and with text or empty."""
    left, top, right, bottom = box
    draw = ImageDraw.Draw(screen)
    paper, pen = ((32, 34, 40), (200, 205, 210)) if dark else ((255,) * 3, (30, 30, 34))
    draw.rectangle([left, top, right, bottom], fill=paper, outline=(120,) * 3)
    draw.rectangle([left, top, right, top + 30], fill=(60, 63, 70) if dark else (215, 220, 228))
    draw.text((left + 12, top + 5), drawing.words(2), pen, ImageFont.load_default(15))
    for number in range(3):
        x = right - 24 - 36 * number
        draw.line([x, top + 10, x + 10, top + 20], fill=pen, width=2)
        draw.line([x + 10, top + 10, x, top + 20], fill=pen, width=2)
    if text:
        for y in range(top + 50, bottom - 20, 24):
            line = drawing.words(drawing.integer(2, 9))
            draw.text((left + 20, y), line, pen, ImageFont.load_default(15))


def drawing_window(drawing: Drawing, screen: PilImage, dark: bool, side: int) -> None:
    """Draw a paint program with a tool bar, whose canvas has one digit."""
    width, height = screen.size
    left, top = drawing.integer(140, width - side - 40), drawing.integer(10, height - side - 130)
    window(drawing, screen, (left, top, left + side, top + side + 70), dark, False)
    for number in range(side // 50):
        icon(drawing, screen, left + 8 + 40 * number, top + 36, 26)
    black = bool(drawing.integer(0, 1))
    canvas = Image.new("RGB", (side - 2, side), (0, 0, 0) if black else (255,) * 3)
    height = int(side * drawing.random.uniform(0.5, 0.8))
    pen = max(3, int(side * drawing.random.uniform(0.02, 0.07)))
    fill = (255,) * 3 if black else (0, 0, 0)
    drawing.strokes(canvas, (side // 4, (side - height) // 2, height), pen, fill)
    screen.paste(canvas, (left + 1, top + 69))


def desktop_with_a_light_drawing_window(drawing: Drawing) -> PilImage:
    screen = desktop(drawing, dark=False)
    drawing_window(drawing, screen, False, drawing.integer(240, 420))
    return screen


def desktop_with_a_dark_drawing_window(drawing: Drawing) -> PilImage:
    screen = desktop(drawing, dark=True)
    drawing_window(drawing, screen, True, drawing.integer(240, 420))
    return screen


def web_page_with_a_canvas(drawing: Drawing) -> PilImage:
    """Draw a white page with a heading, text, a framed canvas and a button."""
    page = Image.new("RGB", (1366, 768), (255,) * 3)
    draw = ImageDraw.Draw(page)
    draw.rectangle([0, 0, 1366, 60], fill=(222, 225, 230))
    draw.rounded_rectangle([120, 16, 1100, 46], 14, fill=(255,) * 3)
    draw.text((140, 20), "localhost/draw", (60,) * 3, ImageFont.load_default(17))
    draw.text((200, 90), drawing.words(3), (20,) * 3, ImageFont.load_default(36))
    for line in range(4):
        draw.text((200, 150 + 26 * line), drawing.words(9), (40,) * 3, ImageFont.load_default(17))
    side = drawing.integer(200, 300)
    canvas = Image.new("RGB", (side, side), (255,) * 3)
    drawing.strokes(canvas, (side // 4, side // 6, side * 2 // 3), drawing.integer(4, 18), (0,) * 3)
    page.paste(canvas, (200, 280))
    draw.rectangle([199, 279, 200 + side, 280 + side], outline=(130,) * 3, width=2)
    draw.rounded_rectangle([200, 300 + side, 330, 340 + side], 6, fill=(30, 100, 220))
    draw.text((230, 308 + side), "Predict", (255,) * 3, ImageFont.load_default(18))
    for line in range(10):
        draw.text(
            (700, 290 + 30 * line), f"{line}  {'=' * drawing.integer(1, 20)}", (60,) * 3,
            ImageFont.load_default(17),
        )  # fmt: skip
    return page


def phone_screenshot_of_a_notes_app(drawing: Drawing) -> PilImage:
    """Draw one large digit between a status bar and a tool bar."""
    screen = Image.new("RGB", (1080, 2160), (252, 250, 244))
    draw = ImageDraw.Draw(screen)
    draw.text((60, 24), "16:42", (40,) * 3, ImageFont.load_default(40))
    draw.rectangle([960, 30, 1020, 60], outline=(40,) * 3, width=4)
    draw.text((60, 120), drawing.words(2), (30,) * 3, ImageFont.load_default(64))
    draw.rectangle([0, 1980, 1080, 2160], fill=(235, 235, 235))
    for number in range(5):
        icon(drawing, screen, 90 + 200 * number, 2020, 90)
    height = drawing.integer(500, 1000)
    drawing.strokes(screen, (250, 500, height), drawing.integer(12, 50), drawing.color(0, 80))
    return screen


# Without digits ---------------------------------------------------------------


def page_of_text(drawing: Drawing) -> PilImage:
    page = scenes.paper(drawing.random, 1000, 760)

    def write(draw: ImageDraw.ImageDraw) -> None:
        draw.text((80, 70), drawing.words(2), (30,) * 3, ImageFont.load_default(44))
        for y in range(150, 900, 34):
            draw.text((80, y), drawing.words(8), (40,) * 3, ImageFont.load_default(20))

    return _photo(scenes.shade(scenes.draw_over(page, write), drawing.random, 0.3, 1))


def handwritten_word(drawing: Drawing) -> PilImage:
    """Write letters that resemble no digit, in straight strokes."""
    page = scenes.paper(drawing.random, 420, 900)
    letters = "AEFHKMNRWX"

    def write(draw: ImageDraw.ImageDraw) -> None:
        for x in range(60, 700, 160):
            letter = letters[drawing.integer(0, len(letters) - 1)]
            draw.text((x, 90), letter, (30, 40, 120), ImageFont.load_default(200))

    return _photo(scenes.shade(scenes.draw_over(page, write), drawing.random, 0.25, 1))


def icons(drawing: Drawing) -> PilImage:
    canvas = Image.new("RGB", (512, 512), drawing.color(230, 255))
    for x, y in ((40, 40), (200, 40), (360, 40), (40, 220), (200, 220), (360, 220)):
        icon(drawing, canvas, x, y, 112)
    return canvas


def face(drawing: Drawing) -> PilImage:
    """Draw a head with hair, eyes, nose and mouth in front of a wall."""
    canvas = Image.new("RGB", (480, 600), drawing.color(130, 230))
    draw = ImageDraw.Draw(canvas)
    skin = (drawing.integer(120, 240), drawing.integer(90, 190), drawing.integer(70, 150))
    hair = drawing.color(10, 110)
    draw.ellipse([100, 80, 380, 420], fill=hair)
    draw.rectangle([190, 420, 290, 600], fill=skin)
    draw.ellipse([120, 140, 360, 480], fill=skin)
    for x in (180, 270):
        draw.ellipse([x, 260, x + 44, 286], fill=(250,) * 3)
        draw.ellipse([x + 12, 262, x + 32, 284], fill=drawing.color(10, 100))
        draw.arc([x - 8, 225, x + 52, 275], 200, 340, fill=hair, width=7)
    draw.line([(240, 290), (226, 350), (252, 354)], fill=tuple(c * 3 // 4 for c in skin), width=5)
    draw.arc([190, 350, 290, 430], 20, 160, fill=(170, 60, 60), width=9)
    return canvas.filter(ImageFilter.GaussianBlur(1.5))


def blank_paper(drawing: Drawing) -> PilImage:
    """Photograph a sheet with a shadow, a crease and dust."""
    page = scenes.paper(drawing.random)

    def crease(draw: ImageDraw.ImageDraw) -> None:
        y = drawing.integer(200, 400)
        draw.line([(0, y), (800, y + drawing.integer(-30, 30))], fill=(205, 203, 198), width=3)
        for _ in range(drawing.integer(0, 12)):
            x, y = drawing.integer(0, 790), drawing.integer(0, 630)
            draw.ellipse([x, y, x + 3, y + 3], fill=(150,) * 3)

    return _photo(scenes.shade(scenes.draw_over(page, crease), drawing.random, 0.45, 0.7))


def blank_ruled_paper(drawing: Drawing) -> PilImage:
    page, pitch = scenes.paper(drawing.random), drawing.integer(30, 70)
    checked = bool(drawing.integer(0, 1))

    def rule(draw: ImageDraw.ImageDraw) -> None:
        for y in range(pitch, 640, pitch):
            draw.line([(0, y), (800, y + 5)], fill=(150, 175, 215), width=2)
        for x in range(pitch, 800, pitch) if checked else ():
            draw.line([(x, 0), (x - 4, 640)], fill=(150, 175, 215), width=2)

    return _photo(scenes.shade(scenes.draw_over(page, rule), drawing.random, 0.3, 1))


def shapes(drawing: Drawing) -> PilImage:
    """Draw an outlined triangle, star, heart, arrow or envelope."""
    canvas = Image.new("L", (300, 300), 255)
    draw, width = ImageDraw.Draw(canvas), drawing.integer(5, 14)
    around = np.linspace(0, 2 * np.pi, 40)
    radii = [*[110, 45] * 5, 110]
    star = [(150 + r * np.sin(a), 150 - r * np.cos(a))
            for a, r in zip(np.linspace(0, 2 * np.pi, 11), radii, strict=True)]  # fmt: skip
    heart = [(150 + 7 * 16 * np.sin(a) ** 3, 140 - 7 * (13 * np.cos(a) - 5 * np.cos(2 * a)
              - 2 * np.cos(3 * a) - np.cos(4 * a))) for a in around]  # fmt: skip
    outlines = [
        [(150, 50), (250, 230), (50, 230), (150, 50)],
        star,
        heart,
        [(40, 150), (250, 150), (190, 90), (250, 150), (190, 210)],
        [(60, 250), (60, 130), (150, 50), (240, 130), (240, 250), (60, 250), (240, 130)],
    ]
    draw.line(outlines[drawing.integer(0, 4)], fill=0, width=width, joint="curve")
    return canvas


# Pens -------------------------------------------------------------------------


def felt_pen_in_color(drawing: Drawing) -> PilImage:
    page = scenes.paper(drawing.random)
    pen = ((250, 210, 40), (240, 120, 30), (60, 170, 80), (30, 110, 220), (230, 60, 120))

    def write(draw: ImageDraw.ImageDraw) -> None:
        canvas = draw._image
        height = drawing.integer(200, 420)
        box = (drawing.integer(60, 350), drawing.integer(60, 160), height)
        drawing.strokes(canvas, box, drawing.integer(10, 26), pen[drawing.integer(0, 4)])

    return _photo(scenes.shade(scenes.draw_over(page, write), drawing.random, 0.3, 1))


def thin_pen_on_a_large_transparent_image(drawing: Drawing) -> PilImage:
    side = drawing.integer(900, 2400)
    canvas = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    fill = ((0, 0, 0, 255), (255, 255, 255, 255), (20, 60, 200, 255))[drawing.integer(0, 2)]
    height = int(side * drawing.random.uniform(0.4, 0.75))
    drawing.strokes(canvas, (side // 5, side // 8, height), drawing.integer(3, 9), fill)
    return canvas


def number_on_ruled_paper_with_a_margin(drawing: Drawing) -> PilImage:
    page, pitch = scenes.paper(drawing.random, 500, 1200), drawing.integer(45, 60)

    def write(draw: ImageDraw.ImageDraw) -> None:
        for y in range(pitch, 500, pitch):
            draw.line([(0, y), (1200, y + 8)], fill=(160, 185, 220), width=2)
        draw.line([(110, 0), (104, 500)], fill=(220, 120, 130), width=3)
        canvas, height = draw._image, 2 * pitch - 12
        pen, top = drawing.integer(4, 8), 3 * pitch - height
        for number in range(drawing.integer(5, 8)):
            drawing.strokes(canvas, (160 + 120 * number, top, height), pen, (35, 45, 130))

    return _photo(scenes.shade(scenes.draw_over(page, write), drawing.random, 0.3, 1))


def whiteboard_with_glare(drawing: Drawing) -> PilImage:
    """Photograph a digit in marker pen on a glossy board, with a bright spot."""
    height, width = 900, 1200
    y, x = np.mgrid[:height, :width]
    up, left = drawing.integer(0, height), drawing.integer(0, width)
    spot = np.exp(-((y - up) ** 2 + (x - left) ** 2) / (2 * 160.0**2))
    board = Image.new("RGB", (width, height), (190, 195, 198))
    box = (drawing.integer(100, 600), drawing.integer(60, 260), drawing.integer(300, 560))
    drawing.strokes(board, box, drawing.integer(9, 18), drawing.color(10, 90))
    light = np.asarray(board) * (0.75 + 0.25 * x / width)[:, :, None] + 60 * spot[:, :, None]
    return _photo(
        scenes.Scene(light + drawing.random.normal(0, 3, light.shape), np.zeros((1, 1), np.uint8))
    )


def _photo(scene: scenes.Scene) -> PilImage:
    return Image.open(io.BytesIO(scene.file()))


WITH_DIGITS = (
    thin_pen_without_smoothing,
    thin_pen_between_28_and_40,
    mnist_digit_with_a_high_threshold,
    mnist_digit_eroded_and_shrunk,
    small_jpeg,
    phone_screenshot_of_a_notes_app,
    felt_pen_in_color,
    thin_pen_on_a_large_transparent_image,
    number_on_ruled_paper_with_a_margin,
    whiteboard_with_glare,
)
SCREENSHOTS = (
    desktop_with_a_light_drawing_window,
    desktop_with_a_dark_drawing_window,
    web_page_with_a_canvas,
)
WITHOUT_DIGITS = (
    page_of_text,
    handwritten_word,
    icons,
    face,
    blank_paper,
    blank_ruled_paper,
    shapes,
)
KINDS: tuple[Callable[[Drawing], PilImage], ...] = (*WITH_DIGITS, *SCREENSHOTS, *WITHOUT_DIGITS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data-dir", help="directory with MNIST")
    parser.add_argument("--each", type=int, default=10, help="images per kind (default: 10)")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    parser.add_argument("--min-confidence", type=float, default=predict.MIN_CONFIDENCE)
    parser.add_argument("--save", type=Path, metavar="DIR", help="directory to save the images in")
    options = parser.parse_args()
    import_quietly()
    test = data.load_data("mnist", options.data_dir).test
    correct, labels_printed = {}, {}
    with inference.load_model("cnn") as cnn:
        for kind in KINDS:
            name = kind.__name__
            correct[name] = labels_printed[name] = 0
            for number in range(options.each):
                random = np.random.default_rng([options.seed, number, zlib.crc32(name.encode())])
                drawing = Drawing(random, test.images, test.labels)
                file = _encode(kind(drawing), "JPEG" if kind is small_jpeg else "PNG")
                if options.save:
                    (options.save / f"{name}-{number}.png").write_bytes(file)
                labels = predicted(cnn, file, options.min_confidence)
                expected = [] if kind in WITHOUT_DIGITS else drawing.digits
                known = [label for label in labels if label is not None]
                correct[name] += labels == expected or (kind not in WITH_DIGITS and known == [])
                labels_printed[name] += len(known)
                if labels != expected:
                    print(f"  {name}-{number}: expected {expected}, predicted {labels}")
            print(f"{name}: {correct[name]} of {options.each}", flush=True)
    report.write(
        "unusual_images",
        {
            "images_per_kind": options.each,
            "seed": options.seed,
            "min_confidence": options.min_confidence,
            "correct": correct,
            "labels_printed_without_digits": sum(
                labels_printed[kind.__name__] for kind in WITHOUT_DIGITS
            ),
            "total_correct": sum(correct.values()),
        },
    )


def predicted(cnn: inference.Classifier, file: bytes, min_confidence: float) -> list[int | None]:
    """Return the labels that `predict` prints, None for "not sure"; none where it is an error."""
    try:
        digits = image.digits(image.read(file))
    except ImageError:
        return []
    probabilities = cnn.predict_proba(np.stack([digit.pixels for digit in digits]))
    return [int(row.argmax()) if row.max() >= min_confidence else None for row in probabilities]


def _encode(pil_image: PilImage, kind: str) -> bytes:
    file = io.BytesIO()
    pil_image.save(file, kind)
    return file.getvalue()


if __name__ == "__main__":
    main()
