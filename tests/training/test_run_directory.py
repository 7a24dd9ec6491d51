"""Creating, finding, reading and locking the directory of a run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from deep_mnist import softmax
from deep_mnist.errors import DeepMnistError
from deep_mnist.training import RunConfig, run_directory
from deep_mnist.training.config import settings_of

TEMPORARY = "config.json.0123456789abcdef.tmp"


def set_clock(monkeypatch, year):
    class Clock(run_directory.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(year, 1, 1, tzinfo=tz)

    monkeypatch.setattr(run_directory, "datetime", Clock)


# Creating ---------------------------------------------------------------------


def test_runs_started_in_the_same_second_get_different_directories():
    created = {run_directory.create("softmax", None) for _ in range(3)}
    assert len(created) == 3
    assert all(directory.parts[:3] == ("saved", "runs", "softmax") for directory in created)


def test_an_empty_directory_is_used_and_another_is_an_error(tmp_path):
    directory = tmp_path / "run"
    directory.mkdir()
    assert run_directory.create("softmax", str(directory)) == directory
    (directory / "config.json").write_text("{}")
    with pytest.raises(DeepMnistError) as raised:
        run_directory.create("softmax", str(directory))
    assert raised.value.message == f"--run-dir: {directory} is not empty"
    assert raised.value.hint == (
        f"choose a new directory, or resume the run in it with --resume {directory}"
    )
    assert (directory / "config.json").read_text() == "{}"


def test_a_directory_that_cannot_be_created_is_an_error():
    Path("saved").touch()
    with pytest.raises(DeepMnistError) as raised:
        run_directory.create("softmax", None)
    assert raised.value.message.startswith("cannot create saved/runs/softmax/2")
    assert raised.value.message.endswith(" (Not a directory)")
    assert raised.value.hint == "choose another directory with --run-dir"


def test_a_directory_with_temporary_files_of_a_killed_process_counts_as_empty(tmp_path):
    (tmp_path / TEMPORARY).write_text("{")
    assert run_directory.create("softmax", str(tmp_path)) == tmp_path
    run_directory.remove_temporary_files(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_temporary_files_of_others_are_kept(tmp_path):
    names = ["notes.4711.tmp", "notes.0123456789abcdef.tmp", "config.json.4711.tmp"]
    for name in names:
        (tmp_path / name).write_text("mine")
    with pytest.raises(DeepMnistError, match="is not empty"):
        run_directory.create("softmax", str(tmp_path))
    run_directory.remove_temporary_files(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


# Finding ----------------------------------------------------------------------


def test_the_newest_run_without_a_result_is_resumed():
    for name in ("2026-01-01T00-00-00Z", "2026-01-02T00-00-00Z", "2026-01-03T00-00-00Z"):
        directory = run_directory.default_root("cnn") / name
        directory.mkdir(parents=True)
        (directory / "config.json").write_text("{}")
    (directory / "result.json").write_text("{}")
    assert run_directory.find("cnn", True).name == "2026-01-02T00-00-00Z"


def test_the_newest_run_is_the_one_started_last_even_if_the_clock_was_set_back(monkeypatch):
    created = []
    for year in (2031, 2026, *[2027] * 10):
        set_clock(monkeypatch, year)
        created.append(run_directory.create("cnn", None))
        (created[-1] / "config.json").write_text("{}")
        assert run_directory.find("cnn", True) == created[-1]
    assert created[0].name == "2031-01-01T00-00-00Z"


def test_without_an_interrupted_run_there_is_nothing_to_resume():
    with pytest.raises(DeepMnistError) as raised:
        run_directory.find("cnn", True)
    assert raised.value.message == f"--resume: no interrupted run in {Path.cwd()}/saved/runs/cnn"
    assert raised.value.hint == (
        "start a run with: python -m deep_mnist.cnn, or name one: --resume RUN"
    )


def test_only_a_directory_can_be_resumed():
    Path("run").touch()
    with pytest.raises(DeepMnistError) as raised:
        run_directory.find("cnn", "run")
    assert raised.value.message == "--resume: expected the directory of a run, found run"


# Reading ----------------------------------------------------------------------


CONFIG = softmax.Config(steps=3, learning_rate=0.25)
RUN_CONFIG = RunConfig(seed=7, optimizer="adam", intra_op_threads=1)


@pytest.fixture
def path(tmp_path):
    settings = settings_of("softmax", CONFIG, RUN_CONFIG)
    run_directory.write_config(tmp_path, "softmax", settings, "weights.npz")
    return tmp_path / "config.json"


def read(path):
    return run_directory.read_config(path, "softmax", softmax.Config)


def test_a_config_json_is_read_as_it_was_written(path):
    assert read(path) == (CONFIG, RUN_CONFIG)
    assert json.loads(path.read_text())["restored_from"] == "weights.npz"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda settings: settings.pop("loss"),
            "{path} is not the configuration of a softmax run: missing loss, unknown nothing",
        ),
        (
            lambda settings: settings.update(extra=1, keep_prob=0.5),
            "{path} is not the configuration of a softmax run: missing nothing, "
            "unknown extra, keep_prob",
        ),
        (
            lambda settings: settings.update(loss=7),
            "{path}: --loss: expected one of stable, textbook, found 7",
        ),
        (
            lambda settings: settings.update(plain_steps=3),
            "{path}: --plain-steps: expected less than --steps 3, found 3",
        ),
        (
            lambda settings: settings.update(plain_steps=10**400),
            "{path}: --plain-steps: expected less than --steps 3, "
            f"found 1{'0' * 59}...{'0' * 20}",
        ),
        (
            lambda settings: settings.update({"x" * 400: 1}),
            "{path} is not the configuration of a softmax run: missing nothing, "
            f"unknown {'x' * 60}...{'x' * 20}",
        ),
    ],
)
def test_a_config_json_with_wrong_settings_is_an_error(path, change, message):
    settings = json.loads(path.read_text())
    del settings["sha256"]
    change(settings)
    path.write_text(json.dumps(settings))
    with pytest.raises(DeepMnistError) as raised:
        read(path)
    assert raised.value.message == message.format(path=path)


def test_a_damaged_config_json_is_an_error(path):
    path.write_text("{")
    with pytest.raises(DeepMnistError, match="is not valid JSON"):
        read(path)


def test_a_directory_without_config_json_is_not_a_run_directory(tmp_path):
    with pytest.raises(DeepMnistError) as raised:
        read(tmp_path / "config.json")
    assert raised.value.message == f"{tmp_path} is not a run directory: no config.json"


def test_settings_of_an_export_are_read_from_the_file_next_to_it(tmp_path):
    (tmp_path / "config.json").write_text('{"variant": "scaled"}')
    (tmp_path / "mlp.npz.json").write_text('{"variant": "raw-pixels"}')
    read = run_directory.settings_of_checkpoint
    assert read(tmp_path / "mlp.npz") == {"variant": "raw-pixels"}
    assert read(tmp_path / "model.ckpt-5") == {"variant": "scaled"}
    assert read(tmp_path / "elsewhere" / "model.ckpt-5") == {}


@pytest.mark.parametrize(
    ("result", "hint"),
    [
        (
            '{"model": "mlp"}',
            "it is a checkpoint of mlp; restore it with: "
            "python -m deep_mnist.mlp --restore 'my run'",
        ),
        ('{"model": "cnn"}', None),
        ('{"model": "rm -rf"}', None),
        ("{}", None),
        ("damaged", None),
        (None, None),
    ],
)
def test_the_program_of_a_checkpoint_is_known_from_the_result_of_its_run(result, hint):
    Path("my run").mkdir()
    if result is not None:
        Path("my run/result.json").write_text(result)
    assert run_directory.restore_hint(Path("my run/model.ckpt-3"), "cnn") == hint


# Locking and writing ----------------------------------------------------------


def test_a_run_in_use_by_another_process_is_an_error(tmp_path):
    hold = "from deep_mnist.training.run_directory import *; held = lock(Path()); print(); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.readline()
        with pytest.raises(DeepMnistError, match="is in use by another process"):
            run_directory.lock(tmp_path)
        process.communicate("\n")
    run_directory.lock(tmp_path).release()


def test_a_directory_that_cannot_be_locked_is_an_error(tmp_path):
    (tmp_path / ".lock").mkdir()
    with pytest.raises(DeepMnistError) as caught:
        run_directory.lock(tmp_path)
    assert caught.value.message == f"{tmp_path} cannot be locked (Is a directory)"
    assert caught.value.hint.startswith("make it writable for you")


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "result.json"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        run_directory.write_text(path, "\ud800")
    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(DeepMnistError) as raised:
        run_directory.write_json(tmp_path / "none" / "result.json", {})
    assert raised.value.message == (
        f"cannot write {tmp_path / 'none' / 'result.json'} (No such file or directory)"
    )
