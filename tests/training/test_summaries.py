"""Event files of a run, read in the same way as TensorBoard."""

import json
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from deep_mnist import mlp, softmax
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import summaries

QUICK = ["--dataset", "generated", "--steps", "6", "--batch-size", "5", "--log-every", "2"]


def read(directory):
    """The events in the files of a directory, in the order of the files' names."""
    for path in sorted(Path(directory).glob("*tfevents*")):
        content, offset = path.read_bytes(), 0
        while offset < len(content):
            (length,) = struct.unpack_from("<Q", content, offset)
            yield tf.Event.FromString(content[offset + 12 : offset + 12 + length])
            offset += 12 + length + 4


def scalars(directory, tag):
    """The values of a tag by step; a START event discards the steps from its own on."""
    values = {}
    for event in read(directory):
        if event.session_log.status == tf.SessionLog.START:
            values = {step: value for step, value in values.items() if step < event.step}
        for value in event.summary.value:
            if value.tag == tag:
                assert event.step not in values, f"step {event.step} twice"
                values[event.step] = value.simple_value
    return values


def result(run):
    return json.loads(Path(run, "result.json").read_text())


@pytest.mark.parametrize("program", [softmax, mlp])
def test_a_run_with_summaries_ends_with_the_same_bits(program):
    program.main([*QUICK, "--run-dir", "plain"])
    program.main([*QUICK, "--run-dir", "with", "--summaries", "--trace-every", "2"])
    assert result("with")["weights_sha256"] == result("plain")["weights_sha256"]
    assert not Path("plain/events").exists()


def test_event_files_have_the_reports_of_the_run(capsys):
    assert softmax.main([*QUICK, "--run-dir", "my run", "--summaries", "--trace-every", "4"]) == 0
    assert "tensorboard --logdir 'my run/events'\n" in capsys.readouterr().out
    metrics = [json.loads(line) for line in Path("my run/metrics.jsonl").read_text().splitlines()]
    losses = scalars("my run/events/train", "loss_per_image")
    assert losses == pytest.approx({line["step"]: line["loss"] / 5 for line in metrics}, abs=1e-6)
    assert list(losses) == [0, 2, 4]
    assert losses[0] == pytest.approx(np.log(10))
    validation = scalars("my run/events/validation", "accuracy")
    assert list(validation) == [0, 2, 4, 6]
    assert validation[6] == pytest.approx(result("my run")["validation_accuracy"])
    test = scalars("my run/events/test", "accuracy")
    assert test == pytest.approx({6: result("my run")["test_accuracy"]})

    events = list(read("my run/events/train"))
    tags = {value.tag for event in events for value in event.summary.value}
    assert tags == {
        "accuracy",
        "loss_per_image",
        "variables/W",
        "variables/b",
        *(f"input/image/{number}" for number in range(5)),
    }
    (graph,) = [event.graph_def for event in events if event.graph_def]
    names = {node.name for node in tf.GraphDef.FromString(graph).node}
    assert {"x", "y_", "W", "b", "logits", "y", "train_step", "accuracy"} <= names
    assert not any("Summary" in name for name in names)
    traces = [event.tagged_run_metadata for event in events if event.tagged_run_metadata.tag]
    assert [trace.tag for trace in traces] == ["step 0", "step 4"]
    assert tf.RunMetadata.FromString(traces[0].run_metadata).step_stats.dev_stats


def test_the_projector_has_the_first_test_images(digits):
    mlp.main([*QUICK, "--run-dir", "run", "--summaries"])
    directory = Path("run/events/test")
    vectors = np.loadtxt(directory / "last_layer_input.tsv", delimiter="\t")
    assert vectors.shape == (1000, 128)
    assert np.loadtxt(directory / "logits.tsv", delimiter="\t").shape == (1000, 10)
    lines = (directory / "metadata.tsv").read_text().splitlines()
    assert lines[0] == "index\ttrue label\tpredicted\tresult"
    rows = [line.split("\t") for line in lines[1:]]
    assert [int(row[0]) for row in rows] == list(range(1000))
    assert [int(row[1]) for row in rows] == digits.test.labels[:1000].tolist()
    logits = np.loadtxt(directory / "logits.tsv", delimiter="\t")
    assert [int(row[2]) for row in rows] == logits.argmax(axis=1).tolist()
    assert all(
        result == ("correct" if label == predicted else "misclassified")
        for _, label, predicted, result in rows
    )
    with tf.Graph().as_default(), tf.Session() as sess:
        sprite = sess.run(tf.io.decode_png((directory / "sprite.png").read_bytes()))
    assert sprite.shape == (32 * 28, 32 * 28, 1)
    np.testing.assert_array_equal(
        sprite[28:56, 0:28, 0], 255 - digits.test.images[32].reshape(28, 28)
    )
    config = (directory / "projector_config.pbtxt").read_text()
    for name in ("last_layer_input.tsv", "logits.tsv", "metadata.tsv", "sprite.png"):
        assert f'"{name}"' in config


def test_a_resumed_run_continues_its_event_files_and_repeats_no_step():
    softmax.main([*QUICK, "--save-every", "3", "--run-dir", "run", "--summaries"])
    uninterrupted = (
        scalars("run/events/train", "accuracy"),
        scalars("run/events/validation", "accuracy"),
    )
    # As if killed after the last report, before the last checkpoint.
    for path in (*Path("run").glob("model.ckpt-6.*"), Path("run/result.json")):
        path.unlink()
    assert softmax.main(["--resume", "run"]) == 0
    assert len(list(Path("run/events/train").iterdir())) == 2
    resumed = scalars("run/events/train", "accuracy"), scalars("run/events/validation", "accuracy")
    assert resumed == uninterrupted
    assert sum(bool(event.graph_def) for event in read("run/events/train")) == 1


def test_event_files_that_cannot_be_written_are_an_error(capsys):
    softmax.main([*QUICK, "--save-every", "3", "--run-dir", "run", "--summaries"])
    for path in (*Path("run").glob("model.ckpt-6.*"), Path("run/result.json")):
        path.unlink()
    shutil.rmtree("run/events/train")
    Path("run/events/train").touch()
    capsys.readouterr()
    assert softmax.main(["--resume", "run"]) == 2
    error, hint = capsys.readouterr().err.splitlines()
    assert error.startswith("error: softmax: cannot write event files in run/events/train (")
    assert hint == "hint: free disk space or fix the permissions, then continue with --resume"


def test_without_tensorboard_the_command_installs_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert summaries.command(Path("run")) == (
        'summaries: pip install "deep_mnist[tensorboard]" && tensorboard --logdir run/events'
    )
