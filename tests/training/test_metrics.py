"""Reports of a run: a damaged line costs itself alone, and is told of."""

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


def test_rewinding_drops_later_and_torn_lines(run):
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
def test_a_damaged_line_is_passed_over_and_the_file_is_kept(run, damage):
    path = run / "metrics.jsonl"
    lines = path.read_bytes().splitlines()
    lines[1] = damage(lines[1])
    path.write_bytes(b"\n".join(lines) + b"\n")
    before = path.read_bytes()
    seconds, lost = metrics.rewind(run, 300, 100)
    assert seconds == 20.0
    assert lost == f"passed over: 1 damaged lines of {path}, which is kept as {path}.damaged"
    assert steps(run) == [0, 200]
    assert (run / "metrics.jsonl.damaged").read_bytes() == before


def test_a_file_that_is_gone_or_empty_or_lacks_lines_is_told_of(run):
    path = run / "metrics.jsonl"
    said = f"{path} lacks reports of steps before 400: they are lost, the training is not"
    whole = path.read_text().splitlines(keepends=True)
    assert metrics.rewind(run, 400, 100) == (30.0, "")
    for kept, seconds in ((whole[:3], 20.0), (whole[1:], 30.0), ([], 0.0)):
        path.write_text("".join(kept))
        assert metrics.rewind(run, 400, 100) == (seconds, said)
    path.unlink()
    assert metrics.rewind(run, 400, 100) == (0.0, said)
    assert metrics.rewind(run, 400, None) == (0.0, "")  # as of a cluster, at any time
    assert metrics.rewind(run, 0, 100) == (0.0, "")


def test_lines_of_older_versions_have_no_checksum(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 0, "loss": 1, "seconds": 3}\n')
    assert metrics.read(tmp_path) == ([{"step": 0, "loss": 1, "seconds": 3}], 0)


def test_reports_that_cannot_be_read_are_the_users_to_mend(tmp_path):
    (tmp_path / "metrics.jsonl").mkdir()
    with pytest.raises(
        DeepMnistError, match=r"metrics\.jsonl can't be read: not a regular file"
    ):
        metrics.read(tmp_path)


def test_a_file_without_end_costs_no_memory_and_no_report_before_it(run, monkeypatch):
    path = run / "metrics.jsonl"
    monkeypatch.setattr(metrics, "MAX_BYTES", path.stat().st_size)
    with path.open("r+b") as file:
        file.truncate(1 << 40)
    kept = f"passed over: 1 damaged lines of {path}, which is kept as {path}.damaged"
    assert metrics.rewind(run, 200, 100) == (10.0, kept)
    assert steps(run) == [0, 100]
