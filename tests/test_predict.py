"""`python -m deep_mnist.predict` as people type it: what it prints, and what when it fails."""

import csv
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from deep_mnist import data, inference, predict
from deep_mnist.data.synthetic import templates
from deep_mnist.vision import image


@pytest.fixture(scope="module", autouse=True)
def _one_shelf():
    """The models are loaded once: closing and loading them again takes a second each time."""
    opened = {}

    def load(names, checkpoint):
        for name in names:
            if (name, checkpoint) not in opened:
                opened[name, checkpoint] = inference.load(name, checkpoint)
        return [opened[name, checkpoint] for name in names]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict, "_load", load)
        patch.setattr(inference.Classifier, "close", lambda self: None)
        yield


def picture(*labels, pen=12):
    """Digits side by side, black on white."""
    styles = templates()
    sheet = Image.new("L", (60 + 150 * len(labels), 240), 255)
    pencil = ImageDraw.Draw(sheet)
    for place, label in enumerate(labels):
        style = int(np.flatnonzero(styles.digit == label)[0])
        points = styles.curve[style] @ styles.controls[style]
        for i, joined in enumerate(styles.joined[style]):
            if joined:
                ends = [(50 + 150 * place + 150 * x, 40 + 150 * y) for x, y in points[i : i + 2]]
                pencil.line(ends, fill=0, width=pen)
    return sheet


def save(name, *labels):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    picture(*labels).save(name)
    return name


def test_a_line_for_each_picture(capsys):
    save("five.png", 5)
    save("two.jpg", 2)
    assert predict.main(["five.png", "two.jpg"]) == 0
    printed = capsys.readouterr()
    first, second = printed.out.splitlines()
    assert first.startswith("five.png: 5   (5 ")
    assert first.count("%") == 3
    assert second.startswith("two.jpg: 2   (2 ")
    assert printed.err == ""


def test_json_is_an_object_for_each_picture(capsys):
    save("fine.png", 7, 0)
    Path("broken.png").write_bytes(b"no picture")
    assert predict.main(["--json", "broken.png", "fine.png"]) == 2
    printed = capsys.readouterr()
    broken, fine = map(json.loads, printed.out.splitlines())
    assert set(broken) == {"file", "error"}
    assert broken["file"] == "broken.png"
    assert broken["error"].startswith("expected a picture (PNG, JPEG")
    assert set(fine) == {"file", "digits"}
    assert [digit["label"] for digit in fine["digits"]] == [7, 0]
    for digit in fine["digits"]:
        assert list(digit) == ["label", "probability", "top", "box"]
        assert digit["top"][0] == [digit["label"], digit["probability"]]
        assert len(digit["top"]) == 3
        assert len(digit["box"]) == 4
    assert fine["digits"][0]["box"][0] < fine["digits"][1]["box"][0]
    assert printed.err.count("\n") == 1


def test_csv_is_a_table_of_digits(capsys):
    save("a.png", 7, 0)
    Path("b.png").write_bytes(b"")
    assert predict.main(["--csv", "a.png", "b.png"]) == 2
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["file"], row["digit"], row["label"]) for row in rows] == [
        ("a.png", "0", "7"),
        ("a.png", "1", "0"),
        ("b.png", "", ""),
    ]
    assert rows[2]["error"] == "expected a picture, found no bytes"


def test_all_models_read_side_by_side(capsys):
    save("nought.png", 0)
    assert predict.main(["--model", "all", "nought.png"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["softmax", "mlp", "cnn", "fnn"]
    assert lines[2].split()[2] == "0"


def test_folders_patterns_and_standard_input(capsys, monkeypatch):
    save("scans/b.png", 5)
    save("scans/more/a.PNG", 2)
    Path("scans/notes.txt").write_text("no picture")
    assert predict.main(["scans"]) == 0
    files = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert [Path(file).name for file in files] == ["b.png", "a.PNG"]
    Path("scans/phone.HEIC").write_bytes(b"ftypheic")
    assert predict.main(["scans"]) == 2
    assert "phone.HEIC: expected a picture (PNG, JPEG" in capsys.readouterr().err
    assert predict.main(["scans/*.png"]) == 0
    assert capsys.readouterr().out.startswith(str(Path("scans/b.png")))
    stream = io.TextIOWrapper(io.BytesIO(Path("scans/b.png").read_bytes()))
    monkeypatch.setattr(sys, "stdin", stream)
    assert predict.main(["-"]) == 0
    assert capsys.readouterr().out.startswith("-: 5")


def test_what_the_network_sees_is_shown_and_saved(capsys):
    save("five.png", 5)
    assert predict.main(["five.png", "--show", "--save-input", "seen"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 29
    assert all(len(line) == 56 for line in lines[1:])
    seen = np.asarray(Image.open("seen/001-five-1.png"))
    assert (seen.shape, seen.dtype) == ((28, 28), np.uint8)
    assert "\n".join(lines[1:]) == data.ascii_art(seen.reshape(-1))
    assert predict.main(["five.png", "--save-input", "seen"]) == 2
    assert "seen exists and is not empty" in capsys.readouterr().err


def test_every_mistake_has_a_line_and_the_others_are_done(capsys, monkeypatch):
    save("five.png", 5)
    Path("empty").mkdir()
    Image.new("L", (50, 50), 255).save("white.png")
    Image.new("1", (8_000, 8_000)).save("bomb.png")
    wrong = ["none.png", "empty", "white.png", "bomb.png", "no*.png"]
    assert predict.main([*wrong, "five.png"]) == 2
    printed = capsys.readouterr()
    assert printed.out.startswith("five.png: 5")
    lines = printed.err.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [["predict", place] for place in wrong]
    assert "can't be read: No such file" in lines[0]
    assert "expected pictures in this folder" in lines[1]
    assert "blank" in lines[2]
    assert "expected at most" in lines[3]
    assert "expected a pattern that fits some file" in lines[4]

    for arguments, expected in (
        ([], "PICTURE"),
        ([""], "PICTURE: expected a file or a folder, found an empty word"),
        (["five.png", "--model", "rnn"], "rnn"),
        (["five.png", "--model", "all", "--restore", "x"], "--restore is of one model"),
        (["five.png", "--csv", "--json"], "not allowed with"),
    ):
        assert predict.main(arguments) == 2
        printed = capsys.readouterr()
        assert expected in printed.err
        assert printed.err.count("\n") == 1
    monkeypatch.setattr(image, "check_installed", _missing)
    assert predict.main(["five.png"]) == 2
    assert capsys.readouterr().err == f"predict: {image.NOT_INSTALLED}\n"


def _missing():
    raise image.PillowMissingError(image.NOT_INSTALLED)


@pytest.mark.mnist
def test_digits_of_mnist_keep_their_label(mnist_dir):
    """The light form of benchmarks/pictures.py, which takes 200 and then 10,000 of them."""
    digits = data.load_data("mnist", mnist_dir).test
    (cnn,) = predict._load(["cnn"], None)
    direct = cnn.probabilities(digits.images[:6]).argmax(axis=1)
    for change in (
        lambda grey: grey,
        lambda grey: 255 - grey,
        lambda grey: np.roll(grey, (8, -8), (0, 1)),
        lambda grey: np.asarray(Image.fromarray(grey).resize((560, 560))),
        lambda grey: np.asarray(Image.fromarray(grey).resize((56, 56), Image.Resampling.BOX)),
        lambda grey: (grey * np.linspace(1, 0.4, grey.shape[1])).astype(np.uint8),
    ):
        found = []
        for pixels in digits.images[:6]:
            large = Image.fromarray(255 - pixels.reshape(28, 28)).resize((280, 280))
            file = io.BytesIO()
            Image.fromarray(change(np.asarray(large))).save(file, "PNG")
            (digit,) = image.digits(image.read(file.getvalue()))
            found.append(digit.pixels)
        assert (cnn.probabilities(np.stack(found)).argmax(axis=1) == direct).all()
