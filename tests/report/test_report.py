"""Charts of runs: their numbers, the files they are written to, and errors."""

import base64
import html.parser
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from deep_mnist import softmax
from deep_mnist.report import __main__ as report
from deep_mnist.report import (
    accuracy,
    charts,
    confusion,
    curves,
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
    """A finished run of softmax, trained on a few synthetic digits."""
    directory = tmp_path_factory.mktemp("runs") / "first"
    assert softmax.main([*QUICK, "--run-dir", str(directory), "--quiet"]) == 0
    return directory


@pytest.fixture(autouse=True)
def style():
    """Draws in the style of the report."""
    with figure.style():
        yield


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


def write_run(directory, config, reports, result=None):
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps(config))
    lines = [json.dumps({"step": s, "training_accuracy": a, "loss": x}) for s, a, x in reports]
    (directory / "metrics.jsonl").write_text("".join(f"{line}\n" for line in lines))
    if result is not None:
        (directory / "result.json").write_text(json.dumps(result))
    return str(directory)


class Page(html.parser.HTMLParser):
    """The images of a page, and the names of its tags and attributes."""

    def __init__(self, text):
        super().__init__()
        self.images, self.names = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.names |= {tag, *dict(attributes)}
        if tag == "img":
            self.images.append(dict(attributes))


# Charts -----------------------------------------------------------------------


def test_a_run_gets_its_charts_and_a_page(run, capsys):
    assert report.main([str(run), "--out", "out", "--html", "page.html"]) == 0
    names = [
        f"{chart}-softmax-generated.svg"
        for chart in ("curves", "confusion", "misclassified", "weights")
    ]
    assert sorted(path.name for path in Path("out").iterdir()) == sorted(names)
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [*(f"out/{name}" for name in names), "page.html"]
    assert printed.err == ""

    text = Path("page.html").read_text("utf-8")
    page = Page(text)
    assert len(page.images) == 4
    for image, name in zip(page.images, names, strict=True):
        kind, _, content = image["src"].partition("base64,")
        assert kind == "data:image/svg+xml;"
        assert base64.b64decode(content) == Path("out", name).read_bytes()
        assert len(image["alt"]) > 80
    assert page.names.isdisjoint({"script", "link", "iframe", "href", "srcset", "action"})
    assert not re.search("https?:", text)  # nothing is fetched
    assert 'name="viewport" content="width=device-width' in text
    assert "color-scheme: light dark" in text
    assert "SYNTHETIC digits" in text


def test_names_of_directories_are_escaped_on_the_page(tmp_path):
    config = {"model": "cnn", "steps": 9, "batch_size": 5}
    directory = write_run(tmp_path / "<b>&", config, [(0, 0.5, 1.0)])
    assert report.main([directory, "--html", "page.html"]) == 0
    assert "<td>&lt;b&gt;&amp;</td>" in Path("page.html").read_text("utf-8")


def test_the_same_runs_give_the_same_bytes(run):
    first, second = (list(charts.draw(runs.read_all([str(run)]), None)) for _ in range(2))
    assert [one.content("svg") for one in first] == [other.content("svg") for other in second]
    assert first[0].content("png") == second[0].content("png")
    assert first[0].content("png").startswith(b"\x89PNG")
    assert b"<dc:date>" not in first[0].content("svg")


def test_matplotlibs_settings_do_not_matter_and_are_restored(run):
    both = []
    for size in (8, 20):
        with mpl.rc_context({"font.size": size, "lines.linewidth": size}):
            with figure.style():
                both.append(curves.draw(runs.read_all([str(run)])).content("svg"))
            assert mpl.rcParams["font.size"] == size
    assert both[0] == both[1]


def test_predictions_agree_with_the_result_of_the_run(run, digits):
    (finished,) = runs.read_all([str(run)])
    predicted = predictions.predict(finished, digits.test)
    matrix = predicted.confusion_matrix()
    assert matrix.sum(axis=1).tolist() == np.bincount(digits.test.labels).tolist()
    assert np.trace(matrix) / matrix.sum() == finished.result["test_accuracy"]
    assert predicted.first_weights.shape == (784, 10)


def four_predictions():
    """A 4 predicted as 9, a 7 and a 3 classified correctly, a 1 predicted as 7."""
    probabilities = np.zeros((4, 10))
    probabilities[[0, 1, 2, 3], [9, 7, 3, 7]] = 0.8, 0.9, 0.7, 0.99996
    images, labels = np.zeros((4, 784), np.uint8), np.array([4, 7, 3, 1], np.uint8)
    return predictions.Predictions(images, labels, probabilities, np.zeros((784, 10)), ())


def test_the_confusion_matrix_has_true_labels_in_rows():
    one = runs.Run(Path("run"), "run", "softmax", {}, [], None)
    chart = confusion.draw(one, four_predictions())
    assert chart.title == "softmax classifies 2 of 4 test digits correctly"
    assert "Most frequent errors: 1 predicted as 7 (1), 4 predicted as 9 (1)." in chart.alt
    assert "3 100.0%, 4 0.0%" in chart.alt
    axes = chart.figure.axes[0]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("true label", "predicted label")
    assert {text.get_position() for text in axes.texts} == {(9, 4), (7, 7), (3, 3), (7, 1)}


def test_misclassified_images_are_listed_with_their_confidence():
    one = runs.Run(Path("run"), "run", "softmax", {}, [], None)
    predicted = four_predictions()
    chart = misclassified.draw(one, predicted)
    assert chart.title == "softmax misclassifies 2 digits"
    assert chart.alt == (
        "True label, predicted label and confidence of 2 images: "
        "1 predicted as 7, 99.9%; 4 predicted as 9, 80%."
    )
    assert misclassified.draw(one, predicted._replace(labels=predicted.predicted)) is None


def test_an_unfinished_run_shows_its_curves(run, tmp_path, capsys):
    shutil.copytree(run, tmp_path / "second")
    (tmp_path / "second" / "result.json").unlink()
    with (tmp_path / "second" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 40, "trai')
    assert report.main([str(tmp_path / "second"), "--html", "page.html"]) == 0
    assert "softmax, unfinished: step 36 of 40" in Path("page.html").read_text()
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("page.html\n", "")


def test_a_smoothed_curve_is_a_moving_mean():
    values = np.array([0.0, 3.0, 6.0, 6.0, 12.0, 0.0])
    assert curves.smooth(values, 1).tolist() == values.tolist()
    assert curves.smooth(values, 3) == pytest.approx([3, 5, 8, 6])


@pytest.mark.parametrize("loss", [4.0471896, 0.0])
def test_a_run_with_one_report_is_drawn_without_a_warning(tmp_path, loss):
    config = {"model": "softmax", "batch_size": 2, "steps": 9}
    one = write_run(tmp_path / "run", config, [(0, 0.5, loss)])
    assert curves.draw(runs.read_all([one])).content("png").startswith(b"\x89PNG")


def test_runs_on_different_datasets_are_separate(tmp_path):
    result = {"model": "cnn", "test_examples": 2_000, "steps": 8}
    directories = [
        write_run(
            tmp_path / dataset,
            {"dataset": dataset, "seed": 0, "steps": 8, "batch_size": 50},
            [(0, 0.1, 100.0)],
            {**result, "test_accuracy": accuracy},
        )
        for dataset, accuracy in (("mnist", 0.75), ("generated", 0.5))
    ]
    both = runs.read_all(directories)
    assert list(runs.by_kind(both)) == ["cnn", "cnn-generated"]
    assert "cnn 75.00%; cnn-generated 50.00%." in accuracy.draw(both).alt
    curve = curves.draw(both[1:])
    assert curve.name == "curves-cnn-generated"
    assert curve.title == "cnn classifies 50.00% of the test SYNTHETIC digits correctly"


# Published values -------------------------------------------------------------


def mlp_runs(tmp_path):
    """Two runs: one with the losses that the document prints, one with twice these."""
    config = {"model": "mlp", "steps": 4_690, **published.TABLES["mlp"]["config"]}
    rows = [
        (469 * row["epoch"] + row["step"], 0.1, row["loss"])
        for row in published.TABLES["mlp"]["rows"]
    ]
    doubled = [(step, accuracy, 2 * loss) for step, accuracy, loss in rows]
    return runs.read_all(
        [write_run(tmp_path / "a", config, rows), write_run(tmp_path / "b", config, doubled)]
    )


def test_the_published_tables():
    mlp, fnn = published.TABLES["mlp"], published.TABLES["fnn"]
    assert (len(mlp["rows"]), len(fnn["rows"])) == (50, 50)
    assert mlp["rows"][-1] == {"epoch": 9, "step": 400, "loss": 0.08842341601848602}
    assert fnn["rows"][-1] == {"epoch": 49, "loss": 3.779043032271536, "accuracy": 0.80545}
    assert fnn["test_accuracy"] == 0.819


def test_the_distance_from_the_published_losses(tmp_path):
    both = mlp_runs(tmp_path)
    same = published.draw(published.compare(both[:1]))
    assert same.title == "mlp: after the first row, the loss is within 0.0% of the published"
    mean = published.draw(published.compare(both))
    assert mean.title == "mlp: after the first row, the mean loss is within 50.0% of the published"
    assert "epoch 9, step 400: 0.08842 and 0.1326." in mean.alt
    text = page.render(both, [(mean, b"")], "svg")
    assert "<td>epoch 9, step 400</td><td>0.0884</td><td>0.0884</td><td>0.1768</td>" in text


def test_only_runs_with_the_documents_settings_are_compared(tmp_path):
    run = mlp_runs(tmp_path)[0]
    assert published.compare([run._replace(config={**run.config, "batch_size": 64})]) is None
    assert published.compare([run._replace(model="softmax")]) is None
    assert published.compare([run._replace(reports=run.reports[:-1])]) is None


# Warnings ---------------------------------------------------------------------


def test_damaged_reports_are_a_warning(run, tmp_path, capsys):
    directory = tmp_path / "run"
    shutil.copytree(run, directory)
    (directory / "result.json").unlink()
    metrics = directory / "metrics.jsonl"
    metrics.write_bytes(metrics.read_bytes().replace(b'"loss"', b'"lass"', 2))
    assert report.main([str(directory), "--out", "out"]) == 0
    assert capsys.readouterr().err == f"warning: report: skipped 2 damaged lines of {metrics}\n"


def test_missing_reports_of_a_finished_run_are_a_warning(run, tmp_path):
    directory = tmp_path / "run"
    shutil.copytree(run, directory)
    metrics = directory / "metrics.jsonl"

    def warnings():
        return [run.warning for run in runs.read_all([str(run), str(directory)])]

    metrics.write_text("".join(metrics.read_text().splitlines(keepends=True)[:-3]))
    assert warnings() == ["", f"{metrics} lacks reports"]
    metrics.unlink()
    assert warnings() == ["", f"{metrics} not found: no training curves"]
    (directory / "result.json").unlink()  # it may not have reported yet
    assert warnings() == ["", ""]


def test_another_accuracy_than_in_the_result_is_a_warning(run, tmp_path, capsys):
    directory = tmp_path / "run"
    shutil.copytree(run, directory)
    result = json.loads((directory / "result.json").read_text())
    del result["sha256"]
    correct = round(2000 * result["test_accuracy"])
    (directory / "result.json").write_text(json.dumps({**result, "test_accuracy": 0.25}))
    assert report.main([str(directory), "--out", "out"]) == 0
    assert capsys.readouterr().err == (
        f"warning: report: {directory}: the weights classify {correct} of 2000 test images "
        "correctly, result.json has 500 of 2000\n"
    )


def test_without_the_test_images_the_rest_is_drawn(tmp_path, capsys):
    config = {"steps": 8, "batch_size": 50, "dataset": "mnist"}
    result = {"model": "softmax", "test_accuracy": 0.9, "test_examples": 10_000, "steps": 8}
    run = write_run(tmp_path / "run", config, [(0, 0.1, 115.0), (4, 0.5, 60.0)], result)
    assert report.main([run, "--format", "png"]) == 0
    assert [path.name for path in Path("report").iterdir()] == ["curves-softmax.png"]
    warning, hint = capsys.readouterr().err.splitlines()[-2:]
    assert warning.startswith("warning: report: skipped the charts of predictions and weights: ")
    assert hint.startswith("hint: ")


# Errors -----------------------------------------------------------------------


def test_directories_that_are_no_run(fails, tmp_path):
    assert "nowhere is not a run directory: no config.json" in fails("nowhere")
    assert "is not a run directory: no config.json" in fails(tmp_path)
    run = write_run(tmp_path / "run", {"steps": 1, "batch_size": 1}, [], {"model": "elephant"})
    assert "expected model to be one of softmax, cnn, mlp, fnn, found 'elephant'" in fails(run)
    Path(run, "result.json").write_text('{"model": "cnn", "steps": 9, "test_accuracy": "high"}')
    assert "expected test_accuracy to be a number from 0 to 1, found 'high'" in fails(run)
    Path(run, "result.json").write_text("[]")
    assert "expected an object, found a list" in fails(run)
    Path(run, "result.json").unlink()
    Path(run, "config.json").write_text('{"model": "cnn", "steps": 9}')
    assert "config.json: expected batch_size to be an integer of at least 1, found" in fails(run)
    Path(run, "config.json").write_text("{")
    assert "config.json is not valid JSON" in fails(run)


@pytest.mark.parametrize(
    ("file", "key", "value", "message"),
    [
        ("config", "model", ["cnn"], "expected model to be one of softmax, cnn, mlp, fnn, found ["),
        ("config", "batch_size", 0, "expected batch_size to be an integer of at least 1, found 0"),
        ("config", "steps", 100.5, "expected steps to be an integer of at least 1, found 100.5"),
        ("config", "steps", True, "expected steps to be an integer of at least 1, found True"),
        ("config", "seed", [1], "expected seed to be an integer, found [1]"),
        ("config", "log_every", 0, "expected log_every to be an integer of at least 1, found 0"),
        ("config", "dataset", "x/../../../evil", "fashion-mnist, kmnist, generated, found 'x/"),
        ("config", "dataset", "a\0b", "kmnist, generated, found 'a\\x00b'"),
        ("config", "dataset", None, "expected dataset to be one of mnist, "),
        ("result", "steps", -1, "expected steps to be an integer of at least 1, found -1"),
        ("result", "test_examples", 0, "expected test_examples to be an integer of at least 1"),
        (
            "result",
            "test_accuracy",
            1.5,
            "expected test_accuracy to be a number from 0 to 1, found",
        ),
        ("result", "seconds", "x", "expected seconds to be a number of at least 0, found 'x'"),
        (
            "result",
            "seconds",
            10**309,
            f"expected seconds to be a number of at least 0, found 1{'0' * 59}...{'0' * 20}\n",
        ),
    ],
)
def test_fields_of_a_wrong_type_or_out_of_range(fails, tmp_path, file, key, value, message):
    config = {"model": "cnn", "steps": 100, "batch_size": 50, "seed": 0, "dataset": "mnist"}
    result = {"model": "cnn", "steps": 100, "test_accuracy": 0.9, "test_examples": 10_000}
    (config if file == "config" else result)[key] = value
    run = write_run(tmp_path / "run", config, [(0, 0.5, 1.0)], None if key == "model" else result)
    assert f"run/{file}.json: " in fails(run, "--html", "page.html")
    assert message in fails(run, "--html", "page.html")


def test_an_accuracy_above_1_is_a_damaged_report(tmp_path, capsys):
    config = {"model": "cnn", "steps": 9, "batch_size": 5}
    run = write_run(tmp_path / "run", config, [(0, 0.5, 1.0), (1, 1.5, 1.0), (2, -1, 1.0)])
    assert report.main([run, "--out", "out"]) == 0
    metrics = Path(run, "metrics.jsonl")
    assert capsys.readouterr().err == f"warning: report: skipped 2 damaged lines of {metrics}\n"


def test_a_run_without_reports_and_result_is_an_error(fails, tmp_path):
    run = write_run(tmp_path / "run", {"model": "cnn", "steps": 9, "batch_size": 5}, [])
    Path(run, "metrics.jsonl").unlink()
    assert fails(run) == "error: report: nothing to draw: no run has a report or a result\n"


def test_nothing_is_overwritten(fails, run):
    Path("full").mkdir()
    Path("full/mine.txt").touch()
    Path("mine.html").touch()
    assert "--out: full is not empty" in fails(run, "--out", "full")
    assert "--html: mine.html already exists" in fails(run, "--html", "mine.html")
    assert "--html: no directory nowhere" in fails(run, "--html", "nowhere/page.html")


@pytest.mark.parametrize("package", ["matplotlib", "jinja2"])
def test_a_missing_extra_is_reported_with_the_command_that_installs_it(
    fails, run, monkeypatch, package
):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == package else find(name)
    )
    assert fails(run) == (
        f"error: report: {package} is not installed\n"
        'hint: install the extra with: pip install "deep_mnist[plots]"\n'
    )


def test_a_directory_without_the_dataset_is_an_error(run, tmp_path, capsys):
    config = json.loads((run / "config.json").read_text())
    del config["sha256"]
    shutil.copytree(run, tmp_path / "mnist")
    (tmp_path / "mnist" / "config.json").write_text(json.dumps({**config, "dataset": "mnist"}))
    assert report.main([str(tmp_path / "mnist"), "--data-dir", str(tmp_path)]) == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_help_loads_neither_matplotlib_nor_jinja2_nor_tensorflow():
    code = (
        "import runpy, sys; sys.argv = ['x', '--help']\n"
        "heavy = {'matplotlib', 'jinja2', 'tensorflow'}\n"
        "try: runpy.run_module('deep_mnist.report', run_name='__main__')\n"
        "except SystemExit as done: print(done.code, *(heavy & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\n0\n")
