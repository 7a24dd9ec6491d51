"""Pictures of runs: the figures in them, the files they are written to, and mistakes."""

import html.parser
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deep_mnist import softmax
from deep_mnist.report import __main__ as report
from deep_mnist.report import (
    accuracy,
    charts,
    confusion,
    curves,
    documents,
    figure,
    misclassified,
    page,
    predictions,
    published,
    runs,
)

QUICK = ["--dataset", "generated", "--steps", "40", "--batch-size", "20", "--log-every", "4"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of softmax, trained on a few generated digits."""
    directory = tmp_path_factory.mktemp("runs") / "first"
    assert softmax.main([*QUICK, "--run-dir", str(directory), "--quiet"]) == 0
    return directory


@pytest.fixture
def fails(capsys):
    """Calls the command, which must fail with exit code 2 and print an error and nothing else."""

    def call(*arguments):
        assert report.main([str(argument) for argument in arguments]) == 2
        printed = capsys.readouterr()
        assert re.fullmatch(r"error: report: [^\n]+\n(hint: [^\n]+\n)?", printed.err)
        assert printed.out == ""
        return printed.err

    return call


def made_up(directory, config, reports, result=None):
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps(config))
    lines = [json.dumps({"step": s, "training_accuracy": a, "loss": x}) for s, a, x in reports]
    (directory / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines))
    if result is not None:
        (directory / "result.json").write_text(json.dumps(result))
    return str(directory)


# What is drawn ----------------------------------------------------------------


def test_a_run_gets_its_pictures_and_a_page(run, capsys):
    assert report.main([str(run), "--out", "out", "--html", "page.html"]) == 0
    kinds = ("curves", "confusion", "misread", "weights")
    names = [f"{kind}-softmax-generated" for kind in kinds]
    assert sorted(path.name for path in Path("out").iterdir()) == sorted(
        f"{name}.svg" for name in names
    )
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [*(f"out/{name}.svg" for name in names), "page.html"]
    assert printed.err == ""

    class Page(html.parser.HTMLParser):
        images, other = [], []

        def handle_starttag(self, tag, attributes):
            values = dict(attributes)
            if tag == "img":
                self.images.append(values)
            self.other += [name for name in values if name in ("href", "srcset", "action")]
            assert tag not in ("script", "link", "iframe", "object")

    text = Path("page.html").read_text("utf-8")
    Page().feed(text)
    assert len(Page.images) == 4
    assert Page.other == []
    for image in Page.images:
        assert image["src"].startswith("data:image/svg+xml;base64,")
        assert len(image["alt"]) > 80
    assert "http:" not in text
    assert "https:" not in text
    assert 'name="viewport" content="width=device-width' in text
    assert "prefers-color-scheme: dark" in text
    assert "SYNTHETIC digits" in text


def test_the_same_runs_give_the_same_bytes_and_leave_matplotlib_as_it_was(run):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    first, second = (list(charts.draw(runs.read_all([str(run)]), None)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert figure.svg(one) == figure.svg(other)
    assert figure.png(first[0]) == figure.png(second[0])
    assert figure.png(first[0]).startswith(b"\x89PNG")
    assert dict(mpl.rcParams) == before


def test_answers_add_up_to_the_result_of_the_run(run, digits):
    (finished,) = runs.read_all([str(run)])
    read = predictions.read(finished, digits.test)
    table = predictions.confusion(read)
    assert table.sum(axis=1).tolist() == np.bincount(digits.test.labels).tolist()
    assert np.trace(table) / table.sum() == finished.result["test_accuracy"]
    assert read.first_weights.shape == (784, 10)
    with figure.settings():
        picture = confusion.draw(finished, read)
    assert f"{np.trace(table):,} of 2,000 right" in picture.alt


def test_a_misread_digit_is_told_with_what_was_said():
    images = np.zeros((3, 784), np.uint8)
    labels = np.array([4, 7, 1], np.uint8)
    probabilities = np.full((3, 10), 0.0)
    probabilities[0, 9], probabilities[1, 7], probabilities[2, 7] = 0.8, 0.9, 0.99996
    read = predictions.Answers(images, labels, probabilities, np.zeros((784, 10)), ())
    one = runs.Run(Path("run"), "run", "softmax", {}, [], None)
    with figure.settings():
        picture = misclassified.draw(one, read)
    assert picture.alt == "2 of 2 misread digits: 1 read as 7, 99.9 % sure; 4 read as 9, 80 % sure."
    assert misclassified.draw(one, read._replace(labels=np.array([9, 7, 7], np.uint8))) is None


def test_an_unfinished_run_shows_its_curves(run, tmp_path, monkeypatch, capsys):
    shutil.copytree(run, tmp_path / "second")
    (tmp_path / "second" / "result.json").unlink()
    with (tmp_path / "second" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 40, "trai')
    assert report.main([str(tmp_path / "second"), "--html", "page.html"]) == 0
    assert "softmax, unfinished: reported up to step 36 of 40" in Path("page.html").read_text()
    assert capsys.readouterr().out == "page.html\n"


def test_without_the_test_digits_the_rest_is_drawn(tmp_path, capsys):
    config = {"steps": 8, "batch_size": 50, "dataset": "mnist"}
    result = {"model": "softmax", "test_accuracy": 0.9, "test_examples": 10_000, "steps": 8}
    run = made_up(tmp_path / "run", config, [(0, 0.1, 115.0), (4, 0.5, 60.0)], result)
    assert report.main([run, "--format", "png"]) == 0
    assert [path.name for path in Path("report").iterdir()] == ["curves-softmax.png"]
    assert "report: left out what needs the test digits: " in capsys.readouterr().err


def test_a_smoothed_line_is_a_mean_of_the_points_around():
    values = np.array([0.0, 3.0, 6.0, 6.0, 12.0, 0.0])
    assert curves.smooth(values, 1).tolist() == values.tolist()
    assert curves.smooth(values, 3).tolist() == [0, 3, 5, 8, 6, 6]


@pytest.mark.parametrize(
    ("settings", "model"),
    [
        ("steps batch_size learning_rate optimizer loss seed dataset", "softmax"),
        ("steps batch_size learning_rate keep_prob optimizer loss seed dataset", "cnn"),
        ("steps batch_size learning_rate variant seed dataset picture", "mlp"),
        ("steps batch_size learning_rate dtype seed dataset", "fnn"),
    ],
)
def test_an_unfinished_run_of_an_older_version_is_known_by_its_settings(settings, model, tmp_path):
    directory = made_up(tmp_path / "run", dict.fromkeys(settings.split(), 1), [])
    assert runs.read_all([directory])[0].model == model


def test_figures_as_the_document_prints_them_are_no_distance_away(tmp_path):
    config = {"dataset": "mnist", "batch_size": 128, "learning_rate": 1e-3, "variant": "scaled"}
    rows = [(469 * epoch + step, 0.1, loss) for epoch, step, loss in documents.MLP_ROWS]
    doubled = [(step, accuracy, 2 * loss) for step, accuracy, loss in rows]
    directories = [made_up(tmp_path / "a", config, rows), made_up(tmp_path / "b", config, doubled)]
    same, both = runs.read_all(directories[:1]), runs.read_all(directories)
    with figure.settings():
        assert "ours is within 0.0 % of" in published.draw(published.compare(same)).title
        assert "mean of ours is within 50.0 %" in published.draw(published.compare(both)).title
    assert "<td>epoch 9, step 400</td><td>0.0878</td>" not in page.write(same, [], "svg")
    assert published.compare([same[0]._replace(config={**config, "batch_size": 64})]) is None
    assert published.compare([same[0]._replace(model="softmax")]) is None


def test_runs_on_other_digits_are_not_put_together(tmp_path):
    result = {"model": "cnn", "test_examples": 2_000, "steps": 8}
    directories = [
        made_up(
            tmp_path / dataset,
            {"dataset": dataset, "seed": 0},
            [(0, 0.1, 100.0)],
            {**result, "test_accuracy": accuracy},
        )
        for dataset, accuracy in (("mnist", 0.75), ("generated", 0.5))
    ]
    both = runs.read_all(directories)
    assert list(runs.by_kind(both)) == ["cnn", "cnn-generated"]
    with figure.settings():
        compared = accuracy.draw(both)
        curve = curves.draw(both[1:])
    assert "cnn 75.00 % (1 run); cnn-generated 50.00 % (1 run)" in compared.alt
    assert curve.name == "curves-cnn-generated"
    assert curve.title == "cnn learns to read 50.00 % of the test SYNTHETIC digits"


# Mistakes ---------------------------------------------------------------------


def test_what_is_no_run_is_told(fails, tmp_path):
    assert "expected the directory of a run, found none there" in fails("nowhere")
    assert "is not the directory of a run: config.json is missing" in fails(tmp_path)
    run = made_up(tmp_path / "run", {"steps": 1}, [], {"model": "elephant"})
    assert "expected a model of softmax, cnn, mlp, fnn, found 'elephant'" in fails(run)
    Path(run, "result.json").write_text('{"model": "cnn", "test_accuracy": "high"}')
    assert "expected a number as test_accuracy, found 'high'" in fails(run)
    Path(run, "result.json").write_text("[]")
    assert "expected an object, found a list" in fails(run)
    Path(run, "result.json").unlink()
    assert "there is nothing to draw yet" in fails(run)
    Path(run, "config.json").write_text("{")
    assert "config.json is not valid JSON" in fails(run)


def test_nothing_existing_is_written_over(fails, run):
    Path("full").mkdir()
    Path("full/mine.txt").touch()
    Path("mine.html").touch()
    assert "--out full exists and is not an empty directory" in fails(run, "--out", "full")
    assert "--html mine.html exists: name a new file" in fails(run, "--html", "mine.html")
    assert "there is no directory nowhere" in fails(run, "--html", "nowhere/page.html")


def test_without_matplotlib_one_line_says_how_to_install_it(fails, run, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "matplotlib" else find(name)
    )
    assert (
        fails(run) == 'error: report: drawing needs matplotlib: pip install "deep_mnist[plots]"\n'
    )


def test_a_folder_without_the_data_set_is_the_users_mistake(run, fails, tmp_path):
    config = json.loads((run / "config.json").read_text())
    shutil.copytree(run, tmp_path / "mnist")
    (tmp_path / "mnist" / "config.json").write_text(json.dumps({**config, "dataset": "mnist"}))
    assert report.main([str(tmp_path / "mnist"), "--data-dir", str(tmp_path)]) == 2


def test_help_loads_neither_matplotlib_nor_tensorflow():
    code = (
        "import runpy, sys; sys.argv = ['x', '--help']; heavy = {'matplotlib', 'tensorflow'}\n"
        "try: runpy.run_module('deep_mnist.report', run_name='__main__')\n"
        "except SystemExit as done: print(done.code, *(heavy & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\n0\n")


def test_a_run_with_one_report_is_drawn_without_a_warning(tmp_path):
    one = made_up(tmp_path / "one", {"batch_size": 2, "steps": 9}, [(0, 0.5, 4.0471896)])
    lost = made_up(tmp_path / "none", {"batch_size": 2, "steps": 9}, [(0, 0.5, 0.0)])
    for directory in (one, lost):
        (run,) = runs.read_all([directory])
        assert curves.draw([run._replace(model="softmax")]) is not None


def test_weights_that_come_without_reports_are_no_damaged_run(tmp_path):
    result = {"test_accuracy": 0.5, "test_examples": 10, "steps": 9, "model": "softmax"}
    begun = made_up(tmp_path / "begun", {"steps": 9}, [])
    shipped = made_up(tmp_path / "shipped", {"steps": 9}, [], result)
    for directory in (begun, shipped):
        Path(directory, "metrics.jsonl").unlink()
    lost = [run.lost for run in runs.read_all([begun, shipped])]
    assert lost == ["", "is not there: the training itself is not drawn"]
