import subprocess
import sys

import pytest

from deep_mnist.errors import DeepMnistError
from deep_mnist.training import run_directory


def at(monkeypatch, year):
    """Sets the clock."""

    class Clock(run_directory.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(year, 1, 1, tzinfo=tz)

    monkeypatch.setattr(run_directory, "datetime", Clock)


def test_runs_started_in_the_same_second_get_directories_of_their_own():
    made = {run_directory.create("softmax", None) for _ in range(3)}
    assert len(made) == 3
    assert all(directory.parts[:3] == ("saved", "runs", "softmax") for directory in made)


def test_an_empty_directory_is_taken_and_a_used_one_is_not(tmp_path):
    directory = tmp_path / "run"
    directory.mkdir()
    assert run_directory.create("softmax", str(directory)) == directory
    (directory / "config.json").write_text("{}")
    with pytest.raises(DeepMnistError, match=r"exists and is not empty.*--resume"):
        run_directory.create("softmax", str(directory))
    assert (directory / "config.json").read_text() == "{}"


def test_a_directory_with_what_a_killed_write_left_is_unused_and_cleaned(tmp_path):
    (tmp_path / "config.json.4711.tmp").write_text("{")
    assert run_directory.create("softmax", str(tmp_path)) == tmp_path
    run_directory.remove_leftovers(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "notes.4711.tmp").write_text("mine")
    with pytest.raises(DeepMnistError, match="exists and is not empty"):
        run_directory.create("softmax", str(tmp_path))
    assert (tmp_path / "notes.4711.tmp").read_text() == "mine"


def test_the_newest_run_without_a_result_is_the_one_to_resume():
    for name in ("2026-01-01T00-00-00Z", "2026-01-02T00-00-00Z", "2026-01-03T00-00-00Z"):
        directory = run_directory.default_root("cnn") / name
        directory.mkdir(parents=True)
        (directory / "config.json").write_text("{}")
    (directory / "result.json").write_text("{}")
    assert run_directory.find("cnn", True).name == "2026-01-02T00-00-00Z"


def test_a_run_begun_after_the_clock_was_set_back_is_the_newest_all_the_same(monkeypatch):
    made = []
    for year in (2031, 2026, *[2027] * 10):
        at(monkeypatch, year)
        made.append(run_directory.create("cnn", None))
        (made[-1] / "config.json").write_text("{}")
        assert run_directory.find("cnn", True) == made[-1]
    assert made[0].name == "2031-01-01T00-00-00Z"


def test_a_run_in_use_is_refused_by_the_number_of_the_process_that_has_it(tmp_path):
    hold = "from deep_mnist.training.run_directory import *; lock = Lock(Path()); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.readline()
        who = f"process {process.pid}" if sys.platform == "linux" else "another process"
        with pytest.raises(DeepMnistError, match=f"is in use: {who} trains there"):
            run_directory.Lock(tmp_path)
        process.communicate("\n")
    run_directory.Lock(tmp_path).release()


def test_nothing_to_resume_is_said():
    with pytest.raises(DeepMnistError, match=r"there is no interrupted run in .*saved/runs/cnn"):
        run_directory.find("cnn", True)


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        run_directory.write(path, "\ud800")
    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]


def test_what_is_set_aside_replaces_nothing(tmp_path):
    for content in ("first", "second", "third"):
        (tmp_path / "metrics.jsonl").write_text(content)
        aside = run_directory.set_aside(tmp_path / "metrics.jsonl")
        assert aside.read_text() == content
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "metrics.jsonl.damaged",
        "metrics.jsonl.damaged-2",
        "metrics.jsonl.damaged-3",
    ]
