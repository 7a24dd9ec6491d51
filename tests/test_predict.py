"""`python -m deep_mnist.predict`: its output in each format, and its errors."""

import csv
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from deep_mnist import data, inference, predict
from deep_mnist.checkpoints import pretrained
from deep_mnist.data.synthetic import templates
from deep_mnist.vision import image


@pytest.fixture(scope="module", autouse=True)
def _load_once():
    """Load each model once for all tests, instead of a second for each test."""
    loaded = {}

    def load(names, checkpoint):
        for name in names:
            if (name, checkpoint) not in loaded:
                loaded[name, checkpoint] = inference.load_model(name, checkpoint)
        return [loaded[name, checkpoint] for name in names]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict, "_load_classifiers", load)
        for kind in (inference._GraphClassifier, inference._NumpyClassifier):
            patch.setattr(kind, "close", lambda self: None)
        yield


def drawing(*labels, pen=12):
    """Return an image of digits next to each other, black on white."""
    styles = templates()
    canvas = Image.new("L", (60 + 150 * len(labels), 240), 255)
    draw = ImageDraw.Draw(canvas)
    for position, label in enumerate(labels):
        style = int(np.flatnonzero(styles.digit == label)[0])
        points = styles.curve[style] @ styles.controls[style]
        for i, joined in enumerate(styles.joined[style]):
            if joined:
                ends = [(50 + 150 * (position + x), 40 + 150 * y) for x, y in points[i : i + 2]]
                draw.line(ends, fill=0, width=pen)
    return canvas


def save(name, *labels):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    drawing(*labels).save(name)
    return name


def test_one_line_is_printed_for_each_image(capsys):
    save("five.png", 5)
    save("two.jpg", 2)
    assert predict.main(["five.png", "two.jpg"]) == 0
    printed = capsys.readouterr()
    first, second = printed.out.splitlines()
    assert re.fullmatch(r"five\.png: 5   \(5 \d+\.\d%, \d \d+\.\d%, \d \d+\.\d%\)", first)
    assert second.startswith("two.jpg: 2   (2 ")
    assert printed.err == ""


def test_json_has_one_object_for_each_image(capsys):
    save("fine.png", 7, 0)
    Path("broken.png").write_bytes(b"no image")
    assert predict.main(["--json", "broken.png", "fine.png"]) == 2
    printed = capsys.readouterr()
    broken, fine = map(json.loads, printed.out.splitlines())
    assert set(broken) == {"file", "error"}
    assert broken["file"] == "broken.png"
    assert broken["error"].startswith("expected an image (PNG, JPEG")
    assert set(fine) == {"file", "digits"}
    assert [digit["label"] for digit in fine["digits"]] == [7, 0]
    for digit in fine["digits"]:
        assert list(digit) == ["label", "probability", "top", "box"]
        assert digit["top"][0] == [digit["label"], digit["probability"]]
        assert len(digit["top"]) == 3
        assert len(digit["box"]) == 4
    assert fine["digits"][0]["box"][0] < fine["digits"][1]["box"][0]
    assert printed.err.count("\n") == 1


def test_csv_has_one_row_for_each_digit(capsys):
    save("a.png", 7, 0)
    Path("b.png").write_bytes(b"")
    assert predict.main(["--csv", "a.png", "b.png"]) == 2
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["file"], row["digit"], row["label"]) for row in rows] == [
        ("a.png", "0", "7"),
        ("a.png", "1", "0"),
        ("b.png", "", ""),
    ]
    assert rows[2]["error"] == "expected an image, found no data"


@pytest.mark.parametrize("model", ["softmax", "mlp", "fnn"])
def test_a_restored_checkpoint_decides_the_model(capsys, model):
    save("five.png", 5)
    assert predict.main(["five.png", "--csv", "--restore", str(pretrained.directory(model))]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith(f"five.png,{model},")


def test_below_the_minimum_confidence_the_label_is_not_sure(capsys):
    save("two.png", 7, 0)
    strict = ["two.png", "--model", "softmax", "--min-confidence", "1"]
    assert predict.main(strict) == 0
    assert capsys.readouterr().out.startswith("two.png: not sure not sure   (7 ")
    assert predict.main([*strict, "--json"]) == 0
    for digit, label in zip(json.loads(capsys.readouterr().out)["digits"], (7, 0), strict=True):
        assert digit["label"] is None
        assert digit["top"][0] == [label, digit["probability"]]
    assert predict.main([*strict, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["label"] for row in rows] == ["", ""]
    assert all(0 < float(row["probability"]) < 1 for row in rows)
    assert predict.main(["two.png", "--model", "softmax", "--min-confidence", "0"]) == 0
    assert capsys.readouterr().out.startswith("two.png: 7 0   (7 ")


def test_the_cnn_is_not_sure_below_a_confidence_of_90_percent(capsys):
    save("two.png", 7, 0)
    digits = image.digits(image.read(Path("two.png")))
    probabilities = np.full((2, 10), 0.01)
    probabilities[0, 7], probabilities[1, 0] = 0.91, 0.89

    class Classifier:
        program = inference.PROGRAMS["cnn"]
        path = Path("run", "model.ckpt-1")

        def predict_proba(self, images):
            return probabilities

    assert predict._predict(Classifier(), digits, None).labels() == [7, None]
    Path("run").mkdir()
    Path("run", "config.json").write_text('{"label_smoothing": 0.1}')
    assert predict._predict(Classifier(), digits, None).labels() == [7, 0]
    Classifier.program = inference.PROGRAMS["fnn"]
    assert predict._predict(Classifier(), digits, None).labels() == [7, 0]


def test_a_screenshot_full_of_text_is_an_error(capsys):
    page = Image.new("L", (900, 600), 255)
    for y in range(20, 560, 30):
        text = "the quick brown fox jumps over the lazy dog and runs"
        ImageDraw.Draw(page).text((20, y), text, 0, ImageFont.load_default(20))
    page.save("page.png")
    assert predict.main(["page.png"]) == 2
    assert re.fullmatch(
        r"error: predict: page\.png: expected digits, found \d+ other shapes: crop the image\n",
        capsys.readouterr().err,
    )


def test_all_models_predict_with_one_line_each(capsys):
    save("zero.png", 0)
    assert predict.main(["--model", "all", "zero.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["softmax", "cnn", "mlp", "fnn"]
    assert lines[1].split()[2] == "0"


def test_directories_patterns_and_standard_input(capsys, monkeypatch):
    save("scans/b.png", 5)
    save("scans/more/a.PNG", 2)
    Path("scans/notes.txt").write_text("no image")
    assert predict.main(["scans"]) == 0
    files = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert [Path(file).name for file in files] == ["b.png", "a.PNG"]
    Path("scans/phone.HEIC").write_bytes(b"ftypheic")
    assert predict.main(["scans"]) == 2
    assert "phone.HEIC: expected an image (PNG, JPEG" in capsys.readouterr().err
    assert predict.main(["scans/*.png"]) == 0
    assert capsys.readouterr().out.startswith(str(Path("scans/b.png")))
    stream = io.TextIOWrapper(io.BytesIO(Path("scans/b.png").read_bytes()))
    monkeypatch.setattr(sys, "stdin", stream)
    assert predict.main(["-"]) == 0
    assert capsys.readouterr().out.startswith("-: 5")


def test_the_image_that_the_model_gets_is_printed_and_saved(capsys):
    save("five.png", 5)
    assert predict.main(["five.png", "--show", "--save-input", "seen"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("five.png: 5   (5 ")
    seen = np.asarray(Image.open("seen/001-five-1.png"))
    assert (seen.shape, seen.dtype) == ((28, 28), np.uint8)
    assert "\n".join(lines[1:29]) == data.ascii_art(seen.reshape(-1))
    assert re.fullmatch(r"outputs: 0:0\.\d{3}( \d:[01]\.\d{3}){9}", lines[29])
    assert lines[30:] == ["predicted label 5"]
    assert predict.main(["five.png", "--show", "--min-confidence", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[30:] == ["not sure"]
    assert predict.main(["five.png", "--save-input", "seen"]) == 2
    assert capsys.readouterr().err == (
        "error: predict: --save-input: seen is not empty\nhint: choose a new directory\n"
    )


def test_each_digit_is_printed_with_its_number_for_each_model(capsys):
    save("two.png", 7, 0)
    assert predict.main(["two.png", "--show", "--model", "all"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 * (1 + 2 * (1 + 28 + 2))
    assert [line.split()[1] for line in lines if line.startswith("two.png: ")] == [
        "softmax",
        "cnn",
        "mlp",
        "fnn",
    ]
    assert [line for line in lines if line.startswith("digit")] == 4 * [
        "digit 1 of 2:",
        "digit 2 of 2:",
    ]


def test_an_unreadable_image_is_an_error_and_the_others_are_classified(capsys):
    save("five.png", 5)
    Path("empty").mkdir()
    Image.new("L", (50, 50), 255).save("white.png")
    Image.new("1", (10_000, 10_000)).save("bomb.png")
    wrong = ["none.png", "empty", "white.png", "bomb.png", "no*.png"]
    assert predict.main([*wrong, "five.png"]) == 2
    printed = capsys.readouterr()
    assert printed.out.startswith("five.png: 5")
    lines = printed.err.splitlines()
    assert [line.split(": ")[:3] for line in lines] == [
        ["error", "predict", file] for file in wrong
    ]
    assert "No such file" in lines[0]
    assert "no images in this directory" in lines[1]
    assert "blank" in lines[2]
    assert "expected at most" in lines[3]
    assert "no file matches this pattern" in lines[4]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "IMAGE"),
        ([""], "IMAGE: expected a file or a directory, found an empty argument"),
        (["five.png", "--model", "rnn"], "rnn"),
        (["five.png", "--model", "all", "--restore", "x"], "--restore needs one model"),
        (["five.png", "--csv", "--json"], "not allowed with"),
        (
            ["five.png", "--min-confidence", "90%"],
            "--min-confidence: expected a number from 0 to 1, found 90%",
        ),
    ],
)
def test_wrong_arguments_are_an_error(capsys, arguments, expected):
    assert predict.main(arguments) == 2
    printed = capsys.readouterr()
    assert expected in printed.err
    assert re.fullmatch(r"error: predict: [^\n]+\n(hint: [^\n]+\n)?", printed.err)
    assert printed.out == ""


@pytest.mark.parametrize("library", ["PIL", "cv2"])
def test_without_a_library_the_error_names_the_extra(capsys, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    assert predict.main(["five.png"]) == 2
    assert capsys.readouterr().err == (
        "error: predict: images need Pillow and OpenCV\n"
        'hint: install them with: pip install "deep_mnist[predict]"\n'
    )


@pytest.mark.mnist
def test_mnist_digits_in_image_files_keep_their_predicted_label(mnist_dir):
    """A short form of benchmarks/image_files.py, which uses 10,000 digits."""
    digits = data.load_data("mnist", mnist_dir).test
    (cnn,) = predict._load_classifiers(["cnn"], None)
    direct = cnn.predict(digits.images[:6])
    for change in (
        lambda gray: gray,
        lambda gray: 255 - gray,
        lambda gray: np.roll(gray, (8, -8), (0, 1)),
        lambda gray: np.asarray(Image.fromarray(gray).resize((560, 560))),
        lambda gray: np.asarray(Image.fromarray(gray).resize((56, 56), Image.Resampling.BOX)),
        lambda gray: (gray * np.linspace(1, 0.4, gray.shape[1])).astype(np.uint8),
    ):
        found = []
        for pixels in digits.images[:6]:
            large = Image.fromarray(255 - pixels.reshape(28, 28)).resize((280, 280))
            file = io.BytesIO()
            Image.fromarray(change(np.asarray(large))).save(file, "PNG")
            (digit,) = image.digits(image.read(file.getvalue()))
            found.append(digit.pixels)
        assert (cnn.predict(np.stack(found)) == direct).all()
