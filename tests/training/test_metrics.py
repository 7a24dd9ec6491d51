"""metrics.jsonl: damage costs single lines and is reported."""

import json

import pytest

from deep_mnist.errors import DeepMnistError
from deep_mnist.training import metrics


@pytest.fixture
def run(tmp_path):
    """The reports of steps 0, 100, 200 and 300, ten seconds apart."""
    for step in (0, 100, 200, 300):
        metrics.append(tmp_path, {"step": step, "loss": 2.5, "seconds": step / 10})
    return tmp_path


def steps(run):
    return [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_rewinding_drops_later_and_incomplete_lines(run):
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 30')
    assert metrics.rewind(run, 200, 100) == (10.0, "")
    assert steps(run) == [0, 100]
    assert not (run / "metrics.jsonl.damaged").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line.replace(b"2.5", b"2.7"),  # still JSON, still a loss
        lambda line: line.replace(b"step", b"stop"),
        lambda line: line[:20],
        lambda line: bytes(len(line)),
        lambda line: b"[" * 100_000,
        lambda line: b"\xff\xfe" + line,
        lambda line: line.replace(b"2.5", b"1e999"),
        lambda line: b'{"step": 100, "seconds": 1' + b"0" * 400 + b"}",
        lambda line: b'{"step": 1.5, "seconds": 1}',
        lambda line: b"7",
    ],
)
def test_a_damaged_line_is_skipped_and_the_file_is_kept(run, damage):
    path = run / "metrics.jsonl"
    lines = path.read_bytes().splitlines()
    lines[1] = damage(lines[1])
    path.write_bytes(b"\n".join(lines) + b"\n")
    before = path.read_bytes()
    seconds, warning = metrics.rewind(run, 300, 100)
    assert seconds == 20.0
    assert warning == f"skipped 1 damaged lines of {path}, kept as {path}.damaged"
    assert steps(run) == [0, 200]
    assert (run / "metrics.jsonl.damaged").read_bytes() == before


def test_missing_lines_are_reported(run):
    path = run / "metrics.jsonl"
    warning = f"{path} lacks reports of steps before 400; the training is not affected"
    lines = path.read_text().splitlines(keepends=True)
    assert metrics.rewind(run, 400, 100) == (30.0, "")
    for kept, seconds in ((lines[:3], 20.0), (lines[1:], 30.0), ([], 0.0)):
        path.write_text("".join(kept))
        assert metrics.rewind(run, 400, 100) == (seconds, warning)
    path.unlink()
    assert metrics.rewind(run, 400, 100) == (0.0, warning)
    assert metrics.rewind(run, 400, None) == (
        0.0,
        "",
    )  # reports at irregular steps, as of a cluster
    assert metrics.rewind(run, 0, 100) == (0.0, "")


def test_a_line_without_a_checksum_is_read(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 0, "loss": 1, "seconds": 3}\n')
    assert metrics.read(tmp_path) == ([{"step": 0, "loss": 1, "seconds": 3}], 0)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path):
    (tmp_path / "metrics.jsonl").mkdir()
    with pytest.raises(DeepMnistError) as raised:
        metrics.read(tmp_path)
    assert raised.value.message == (
        f"cannot read {tmp_path / 'metrics.jsonl'} (not a regular file)"
    )


def test_a_line_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "metrics.jsonl").mkdir()
    with pytest.raises(DeepMnistError) as raised:
        metrics.append(tmp_path, {"step": 0})
    assert raised.value.message.startswith(f"cannot write {tmp_path / 'metrics.jsonl'} (")
    assert raised.value.hint == (
        "free disk space or fix the permissions, then continue with --resume"
    )


def test_a_huge_file_is_read_up_to_a_limit(run, monkeypatch):
    path = run / "metrics.jsonl"
    monkeypatch.setattr(metrics, "MAX_BYTES", path.stat().st_size)
    with path.open("r+b") as file:
        file.truncate(1 << 40)
    warning = f"skipped 1 damaged lines of {path}, kept as {path}.damaged"
    assert metrics.rewind(run, 200, 100) == (10.0, warning)
    assert steps(run) == [0, 100]
