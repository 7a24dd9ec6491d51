"""Event files of a run, read as TensorBoard reads them."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from deep_mnist import cnn, mlp, softmax
from deep_mnist.cli import flags
from deep_mnist.errors import DeepMnistError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import summaries

QUICK = ["--dataset", "generated", "--steps", "6", "--batch-size", "5", "--log-every", "2"]


def read(directory):
    """The events of a directory: of its files in the order of their names, record by record."""
    for path in sorted(Path(directory).glob("*tfevents*")):
        content, place = path.read_bytes(), 0
        while place < len(content):
            (length,) = struct.unpack_from("<Q", content, place)
            yield tf.Event.FromString(content[place + 12 : place + 12 + length])
            place += 12 + length + 4


def scalars(directory, tag):
    """A tag's values by step; a restart forgets the steps from its own on."""
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
    program.main([*QUICK, "--run-dir", "shown", "--summaries", "--trace-every", "2"])
    assert result("shown")["weights_sha256"] == result("plain")["weights_sha256"]
    assert not Path("plain/events").exists()


def test_event_files_hold_what_the_run_reported(capsys):
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
    assert {
        "x",
        "y_",
        "W",
        "b",
        "logits",
        "cross_entropy/loss",
        "train_step",
        "evaluation/accuracy",
    } <= names
    assert not any("Summary" in name for name in names)
    traces = [event.tagged_run_metadata for event in events if event.tagged_run_metadata.tag]
    assert [trace.tag for trace in traces] == ["step 0", "step 4"]
    assert tf.RunMetadata.FromString(traces[0].run_metadata).step_stats.dev_stats


def test_the_projector_gets_the_first_test_digits(digits):
    mlp.main([*QUICK, "--run-dir", "run", "--summaries"])
    place = Path("run/events/test")
    vectors = np.loadtxt(place / "last_layer_input.tsv", delimiter="\t")
    assert vectors.shape == (1000, 128)
    assert np.loadtxt(place / "logits.tsv", delimiter="\t").shape == (1000, 10)
    lines = (place / "metadata.tsv").read_text().splitlines()
    assert lines[0] == "number\tlabel\tread as\tis"
    assert [int(line.split("\t")[1]) for line in lines[1:]] == digits.test.labels[:1000].tolist()
    with tf.Graph().as_default(), tf.Session() as sess:
        sheet = sess.run(tf.io.decode_png((place / "sprite.png").read_bytes()))
    assert sheet.shape == (32 * 28, 32 * 28, 1)
    np.testing.assert_array_equal(
        sheet[28:56, 0:28, 0], 255 - digits.test.images[32].reshape(28, 28)
    )
    config = (place / "projector_config.pbtxt").read_text()
    for name in ("last_layer_input.tsv", "logits.tsv", "metadata.tsv", "sprite.png"):
        assert f'"{name}"' in config


def test_a_resumed_run_goes_on_with_its_event_files_and_doubles_no_step():
    softmax.main([*QUICK, "--save-every", "3", "--run-dir", "run", "--summaries"])
    straight = scalars("run/events/train", "accuracy"), scalars("run/events/validation", "accuracy")
    # As if killed after the last report, before the last checkpoint.
    for path in (*Path("run").glob("model.ckpt-6.*"), Path("run/result.json")):
        path.unlink()
    assert softmax.main(["--resume", "run"]) == 0
    assert len(list(Path("run/events/train").iterdir())) == 2
    again = scalars("run/events/train", "accuracy"), scalars("run/events/validation", "accuracy")
    assert again == straight
    assert sum(bool(event.graph_def) for event in read("run/events/train")) == 1


def test_scopes_group_the_graph_and_are_in_no_variables_name():
    with tf.Graph().as_default() as graph:
        cnn.build(cnn.Config())
        variables = {v.op.name for v in tf.trainable_variables()}
    forward = {op.name.partition("/")[0] for op in graph.get_operations() if "/" in op.name}
    assert {"conv1", "conv2", "fc1", "dropout", "fc2", "evaluation", "gradients"} <= forward
    assert all("/" not in name for name in variables)


def test_without_tensorboard_the_command_that_installs_it_comes_first(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert summaries.how_to_look(Path("run")) == (
        'summaries: pip install "deep_mnist[tensorboard]" && tensorboard --logdir run/events'
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--trace-every 5", "--trace-every is of the event files: add --summaries"),
        ("--summaries --trace-every 0", "expected a whole number from 1, found '0'"),
        ("--restore --summaries", "evaluates: leave out --summaries"),
    ],
)
def test_flags_that_do_not_go_together(arguments, message):
    with pytest.raises(DeepMnistError, match=message):
        flags.parse("softmax", softmax.Config, "", arguments.split())


def test_a_numpy_program_offers_no_summaries():
    with pytest.raises(DeepMnistError, match="unrecognized arguments: --summaries"):
        flags.parse("fnn", softmax.Config, "", ["--summaries"], numpy_only=True)
