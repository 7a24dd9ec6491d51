"""Image files -> normalized digits: what is found, where, and what is an error."""

import io
import subprocess
import sys

import numpy as np
import pytest

from deep_mnist.data.synthetic import templates
from deep_mnist.vision import image, normalize

pytest.importorskip("PIL", reason="NumPy alone is installed")
from PIL import Image, ImageDraw, ImageFont

from deep_mnist.errors import DeepMnistError, ImageError


def strokes(label):
    """Line segments [(x, y), (x, y)] of a digit in a unit box, as the generated set draws it."""
    styles = templates()
    style = int(np.flatnonzero(styles.digit == label)[0])
    points = styles.curve[style] @ styles.controls[style]
    return [(points[i], points[i + 1]) for i in range(len(points) - 1) if styles.joined[style, i]]


def draw(sheet, label, left, top, height, pen, ink=0):
    pencil = ImageDraw.Draw(sheet)
    for segment in strokes(label):
        ends = [(left + height * x, top + height * y) for x, y in segment]
        pencil.line(ends, fill=ink, width=pen)
        for x, y in ends:
            pencil.ellipse([x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2], fill=ink)


def sheet(label=5, side=280, height=160, pen=14):
    """A digit in black on white, its box from (80, 60) on."""
    paper = Image.new("L", (side, side), 255)
    draw(paper, label, 80, 60, height, pen)
    return paper


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def read(picture, kind="PNG", **options):
    return image.digits(image.read(encoded(picture, kind, **options)))


def only(picture, kind="PNG", **options):
    (digit,) = read(picture, kind, **options)
    return digit


def difference(a, b):
    return np.abs(a.pixels - b.pixels).mean()


def test_a_digit_is_normalized_as_in_mnist():
    pixels = only(sheet()).pixels
    assert (pixels.shape, pixels.dtype) == ((784,), np.float32)
    assert (pixels.min(), pixels.max()) == (0.0, 1.0)
    square = pixels.reshape(28, 28)
    rows, columns = np.flatnonzero(square.any(axis=1)), np.flatnonzero(square.any(axis=0))
    assert max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 == 20
    assert square.sum(axis=1) @ np.arange(28) / square.sum() == pytest.approx(14, abs=0.5)
    assert square.sum(axis=0) @ np.arange(28) / square.sum() == pytest.approx(14, abs=0.5)


def test_the_box_is_where_the_digit_is():
    x, y, width, height = only(sheet()).box
    assert (x, y, height) == pytest.approx((80, 54, 172), abs=6)
    assert 90 <= width <= 130
    larger = only(sheet().resize((2800, 2800)))
    assert larger.box == pytest.approx((10 * x, 10 * y, 10 * width, 10 * height), abs=30)


@pytest.mark.parametrize(
    ("kind", "changed"),
    [
        ("PNG", lambda picture: picture.convert("1", dither=Image.Dither.NONE)),
        ("PNG", lambda picture: picture.convert("LA")),
        ("PNG", lambda picture: picture.convert("P")),
        ("PNG", lambda picture: picture.convert("RGB")),
        ("PNG", lambda picture: picture.convert("RGBA")),
        ("PNG", lambda picture: Image.fromarray(np.asarray(picture, np.uint16) * 257)),
        ("PNG", lambda picture: Image.fromarray(np.asarray(picture, np.uint16) * 16)),
        ("TIFF", lambda picture: picture.convert("F")),
        ("TIFF", lambda picture: picture.convert("I")),
        ("TIFF", lambda picture: picture.convert("CMYK")),
        ("JPEG", lambda picture: picture.convert("CMYK")),
        ("JPEG", lambda picture: picture),
        ("WEBP", lambda picture: picture.convert("RGB")),
        ("BMP", lambda picture: picture),
        ("GIF", lambda picture: picture),
        ("PNG", lambda picture: Image.eval(picture, lambda gray: 255 - gray)),
        ("PNG", lambda picture: Image.eval(picture, lambda gray: 100 + gray // 4)),
    ],
)
def test_every_mode_and_format_gives_the_same_digit(kind, changed):
    assert difference(only(changed(sheet()), kind), only(sheet())) < 0.01


@pytest.mark.parametrize("ink", [(0, 0, 0), (255, 255, 255), (200, 30, 30)])
def test_strokes_on_a_transparent_background_are_found(ink):
    coverage = Image.eval(sheet(), lambda gray: 255 - gray)
    picture = Image.new("RGBA", coverage.size, (*ink, 0))
    picture.putalpha(coverage)
    assert difference(only(picture), only(sheet())) < 0.01


@pytest.mark.parametrize(("paper", "pen"), [(0, 255), (200, 90), (40, 130)])
def test_a_drawing_in_any_two_grays_gives_the_same_digit(paper, pen):
    drawing = Image.new("L", (280, 280), paper)
    draw(drawing, 5, 80, 60, 160, 14, pen)
    assert difference(only(drawing), only(sheet())) < 0.01
    assert only(drawing).box == only(sheet()).box


def test_the_digit_on_a_small_light_note_is_found():
    note = np.full((140, 140), 0.4, np.float32)
    note[40:100, 40:100] = 1
    note[60:80, 68:72] = 0
    (digit,) = image.digits(image.Picture(note, 140, 140))
    assert digit.box == pytest.approx((68, 60, 4, 20), abs=3)


def test_yellow_on_white_and_red_on_green_are_found():
    mask = Image.eval(sheet(), lambda gray: 255 - gray)
    for ink, paper in (((250, 235, 60), (255, 255, 255)), ((220, 60, 60), (60, 140, 60))):
        picture = Image.new("RGB", mask.size, paper)
        picture.paste(ink, mask=mask)
        assert difference(only(picture), only(sheet())) < 0.01


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_as_its_camera_says(orientation):
    stored = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: np.transpose,
        6: np.rot90,
        7: lambda a: np.rot90(a, 2).T,
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    upright = Image.new("L", (400, 280), 255)
    draw(upright, 7, 80, 60, 160, 14)
    tag = Image.Exif()
    tag[0x0112] = orientation
    picture = Image.fromarray(np.ascontiguousarray(stored(np.asarray(upright))))
    turned = only(picture, "JPEG", exif=tag)
    assert difference(turned, only(upright)) < 0.01
    assert turned.box == pytest.approx(only(upright).box, abs=3)


@pytest.mark.parametrize("pen", [2, 6, 14, 30])
def test_thin_and_thick_pens_end_as_strokes_of_a_like_width(pen):
    square = only(sheet(pen=pen)).pixels
    assert 60 < square.sum() < 150  # the middle 90 % of MNIST
    assert np.mean(square[square > 0] > 0.9) > 0.3  # dark cores


def test_shadows_noise_and_ruled_paper_leave_nothing():
    random = np.random.default_rng(0)
    paper = Image.new("L", (600, 400), 235)
    lines = ImageDraw.Draw(paper)
    for y in range(20, 400, 40):
        lines.line([(0, y), (600, y + 4)], fill=190, width=2)
    draw(paper, 3, 300, 150, 120, 7, ink=40)
    light = np.linspace(1, 0.45, 600)[None, :] * np.linspace(1, 0.8, 400)[:, None]
    photo = np.asarray(paper) * light + random.normal(0, 4, (400, 600))
    found = only(Image.fromarray(photo.clip(0, 255).astype(np.uint8)), "JPEG", quality=70)
    assert difference(found, only(sheet(3, pen=10))) < 0.06
    assert found.box == pytest.approx((300, 146, 84, 128), abs=10)


def test_a_frame_around_the_digit_and_dust_are_ignored():
    picture = sheet()
    pencil = ImageDraw.Draw(picture)
    pencil.rectangle([4, 4, 275, 275], outline=0, width=3)
    pencil.ellipse([20, 20, 25, 25], fill=0)
    assert difference(only(picture), only(sheet())) < 0.01


def test_digits_are_read_line_by_line_from_left_to_right():
    paper = Image.new("L", (700, 420), 255)
    places = [(30, 30, 4), (180, 40, 1), (330, 20, 8), (500, 35, 5), (60, 230, 7), (260, 240, 2)]
    for left, top, label in places:
        draw(paper, label, left, top, 130, 10)
    found = read(paper)
    assert len(found) == 6
    for digit, (left, top, label) in zip(found, places, strict=True):
        assert digit.box[1] == pytest.approx(top - 5, abs=14)
        assert abs(digit.box[0] - left) < 80
        alone = Image.new("L", (280, 280), 255)
        draw(alone, label, 60, 60, 130, 10)
        assert difference(digit, only(alone)) < 0.06  # shifted by a pixel at most


def test_strokes_that_belong_together_are_one_digit():
    paper = Image.new("L", (280, 280), 255)
    pencil = ImageDraw.Draw(paper)
    # A 5 whose bar is apart, and a 4 in two strokes that do not meet.
    pencil.line([(110, 60), (180, 60)], fill=0, width=10)
    pencil.line([(105, 76), (105, 130), (150, 120), (175, 160), (150, 210), (95, 205)], 0, 10)
    assert len(read(paper)) == 1
    paper = Image.new("L", (280, 280), 255)
    pencil = ImageDraw.Draw(paper)
    pencil.line([(100, 70), (90, 150), (146, 150)], fill=0, width=10)
    pencil.line([(165, 60), (160, 230)], fill=0, width=10)
    assert len(read(paper)) == 1


@pytest.mark.parametrize("side", [20, 28, 40])
def test_a_small_image_is_one_digit_although_its_strokes_have_gaps(side):
    pixels = np.full((side, side), 255, np.uint8)
    row, column = side // 5, side // 3
    pixels[row, column : 2 * column] = 0
    pixels[row + 3 : 4 * row, 2 * column] = 0
    pixels[4 * row, column : 2 * column - 1] = 0
    assert len(read(Image.fromarray(pixels))) == 1


def test_the_digit_in_a_window_of_a_screenshot_is_found_and_text_is_not():
    screen = Image.new("L", (1366, 768), 255)
    pencil = ImageDraw.Draw(screen)
    for y in range(20, 740, 30):
        pencil.text((700, y), "expected output of the training step", 0, ImageFont.load_default(18))
    with pytest.raises(ImageError, match=r"expected digits, found \d+ other shapes"):
        read(screen)
    pencil.rectangle([120, 160, 460, 500], fill=255, outline=90, width=3)
    draw(screen, 3, 220, 220, 200, 12)
    assert only(screen).box == pytest.approx((220, 214, 136, 212), abs=14)


def test_digits_that_touch_are_cut_apart():
    paper = Image.new("L", (500, 280), 255)
    draw(paper, 0, 60, 60, 150, 12)
    draw(paper, 0, 172, 60, 150, 12)
    assert len(read(paper)) == 2


@pytest.mark.parametrize("size", [(28, 28), (16, 16), (8, 8)])
def test_tiny_pictures_are_read(size):
    close = sheet(0, 280, 200, 24).crop((50, 40, 260, 280))
    tiny = only(close.resize(size, Image.Resampling.BOX))
    assert difference(tiny, only(close)) < 0.14


@pytest.mark.parametrize("size", [(3, 88), (5, 60), (90, 400)])
def test_a_sliver_is_a_one(size):
    width, height = size
    grays = np.full((height, width), 250, np.uint8)
    grays[:, width // 3 : width - width // 3] = 20
    square = only(Image.fromarray(grays)).pixels.reshape(28, 28)
    assert np.flatnonzero(square.any(axis=1)).size == 20
    assert 2 <= np.flatnonzero(square.any(axis=0)).size <= 7


@pytest.mark.parametrize("size", [(30, 20_000), (20_000, 30)])
def test_a_strip_in_which_a_page_would_have_no_width_is_reported(size):
    strip = Image.new("L", size, 255)
    draw(strip, 3, 8, 2, 24, 3)
    with pytest.raises(ImageError, match="expected digits, found 1 other shapes: crop the image"):
        read(strip)


def test_an_mnist_digit_is_nearly_unchanged():
    once = only(sheet()).pixels.reshape(28, 28)
    again = only(Image.fromarray(np.round(255 * once).astype(np.uint8)))
    assert np.abs(again.pixels.reshape(28, 28) - once).mean() < 0.02


def test_a_sheet_on_a_table_is_read_and_the_table_is_not():
    random = np.random.default_rng(3)
    for turned, (dark, light) in ((0, (60, 225)), (12, (110, 235)), (-30, (235, 150))):
        page = Image.new("L", (420, 300), light)
        draw(page, 5, 120, 80, 130, 9, ink=30)
        cover = Image.new("L", page.size, 255).rotate(turned, expand=True)
        page = page.rotate(turned, expand=True)
        table = np.repeat(dark + random.normal(0, 5, (640, 40)), 20, axis=1)
        photo = Image.fromarray(table.clip(0, 255).astype(np.uint8))
        photo.paste(page, (120, 40), cover)
        x, y, width, height = only(photo, "JPEG").box
        assert max(width, height) == pytest.approx(140, abs=35)
        assert 120 < x < 120 + page.width - width and 40 < y < 40 + page.height - height


def test_a_line_of_digits_may_climb_and_its_digits_differ_in_height():
    paper = Image.new("L", (800, 500), 255)
    places = [(40, 300, 9, 140), (200, 280, 1, 90), (330, 200, 7, 150), (520, 170, 3, 90)]
    for left, top, label, height in places:
        draw(paper, label, left, top, height, 9)
    for digit, (left, _, _, height) in zip(read(paper), places, strict=True):
        assert abs(digit.box[0] - left) < 70
        assert digit.box[3] == pytest.approx(height + 9, abs=20)


def test_a_wide_zero_is_one_digit_and_two_that_touch_are_two():
    paper = Image.new("L", (400, 280), 255)
    ImageDraw.Draw(paper).ellipse([60, 80, 300, 200], outline=0, width=12)
    assert len(read(paper)) == 1
    for x in (120, 172):
        paper = Image.new("L", (400, 280), 255)
        pencil = ImageDraw.Draw(paper)
        for left in (60, x):
            pencil.ellipse([left, 60, left + 70, 170], outline=0, width=12)
        assert len(read(paper)) == 2


IN_A_PROCESS = """
import resource, sys
from deep_mnist.vision import image
unit = 1024 if sys.platform == "linux" else 1024**2
used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
image.digits(image.read(open(sys.argv[1], "rb").read()))
before = used()
image.digits(image.read(open(sys.argv[2], "rb").read()))
print(used() - before)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no resource module")
def test_the_largest_picture_takes_little_memory(tmp_path):
    small = sheet().convert("RGBA")
    small.save(tmp_path / "small.png")
    large = small.resize((5_400, 5_400), Image.Resampling.NEAREST)
    large.putpixel((0, 0), (0, 0, 0, 0))  # so that its transparency counts
    large.save(tmp_path / "large.png", compress_level=1)
    files = [str(tmp_path / name) for name in ("small.png", "large.png")]
    command = [sys.executable, "-c", IN_A_PROCESS, *files]
    megabytes = float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert megabytes < 200


def bomb():
    return encoded(Image.new("1", (10_000, 10_000)))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "expected an image, found no data"),
        (b"hello", "expected an image (PNG, JPEG, WEBP, BMP, TIFF, GIF), found another type"),
        (encoded(sheet())[:200], "the image is damaged"),
        (encoded(sheet(), "JPEG")[:900], "the image is damaged"),
        (encoded(Image.new("L", (280, 280), 255)), "the image is blank"),
        (encoded(Image.new("RGBA", (9, 9))), "the image is blank"),
        (bomb(), "expected at most 89478485 pixels, found more"),
        (encoded(sheet(), "PPM"), "found another type"),
    ],
    ids=["empty", "text", "cut PNG", "cut JPEG", "white", "transparent", "bomb", "other format"],
)
def test_unreadable_images_are_reported_on_one_line(content, expected):
    with pytest.raises(ImageError) as caught:
        image.digits(image.read(content))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_more_bytes_than_the_limit_are_not_decoded(monkeypatch, tmp_path):
    monkeypatch.setattr(image, "MAX_BYTES", 100)
    (tmp_path / "large.png").write_bytes(bytes(101))
    with pytest.raises(ImageError, match="expected at most 100 bytes"):
        image.read(tmp_path / "large.png")


def test_a_jpeg_of_many_scans_is_not_decoded():
    file = io.BytesIO()
    Image.new("L", (40, 30), 255).save(file, "JPEG", progressive=True)
    image.read(file.getvalue())
    start = file.getvalue().rindex(b"\xff\xda")
    scans = file.getvalue()[:start] + 200 * file.getvalue()[start:-2] + b"\xff\xd9"
    with pytest.raises(ImageError, match="expected at most 100 scans, found 2"):
        image.read(scans)


def test_a_missing_file_and_a_missing_library_are_errors(monkeypatch, tmp_path):
    with pytest.raises(ImageError, match="cannot be read: No such file"):
        image.read(tmp_path / "none.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(DeepMnistError, match=r'pip install "deep_mnist\[predict\]"') as raised:
        image.read(b"")
    assert raised.type is DeepMnistError


def test_a_flat_0_next_to_higher_digits_is_one_digit():
    paper = Image.new("L", (600, 200), 255)
    for left, label in ((230, 1), (330, 2), (460, 4)):
        draw(paper, label, left, 30, 120, 10)
    ImageDraw.Draw(paper).arc([40, 70, 170, 150], -60, 240, fill=0, width=10)  # open at its top
    boxes = [digit.box for digit in read(paper)]
    assert len(boxes) == 4
    assert boxes[0][0] == pytest.approx(40, abs=3)
    assert boxes[0][2] == pytest.approx(130, abs=6)


def test_distances_are_euclidean():
    inside = np.zeros((9, 12), np.bool_)
    inside[4, 3] = True
    distance = normalize.signed_distance(inside)
    assert distance[4, 3] == 0.5
    assert distance[7, 7] == pytest.approx(0.5 - 5.0)  # 3 down, 4 to the right


def test_noise_that_would_be_thousands_of_digits_is_refused(monkeypatch):
    gray = np.ones((64, 64), np.float32)
    for row in range(8):
        gray[4 + row :: 16, 6::16] = gray[4 + row :: 16, 7::16] = 0
    picture = image.Picture(gray, 64, 64)
    assert len(image.digits(picture)) == 16
    monkeypatch.setattr(image, "MAX_DIGITS", 15)
    with pytest.raises(ImageError, match="expected at most 15 digits, found 16: crop"):
        image.digits(picture)


def test_a_faint_line_is_normalized():
    ink = np.zeros((190, 5), np.float32)
    ink[:, 2] = 0.51
    pixels = normalize.normalize(ink).reshape(28, 28)
    assert np.argwhere(pixels.max(axis=1) > 0.5).size == 20
    assert 1 <= np.argwhere(pixels.max(axis=0) > 0.5).size <= 3
