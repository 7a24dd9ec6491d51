"""Exports as their users meet them: what is written, what other runtimes make of it."""

import json
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from deep_mnist import cnn, inference, mlp, softmax
from deep_mnist.checkpoints import pretrained
from deep_mnist.export import __main__ as export
from deep_mnist.export import formats, frozen, inference_graph, onnx, saved_model
from deep_mnist.export.model import Answers, Trained
from deep_mnist.lazy_tensorflow import tf

PROGRAMS = {"softmax": softmax, "mlp": mlp, "cnn": cnn}
GENERATED = ["--dataset", "generated"]
QUICK = [*GENERATED, "--steps", "3", "--batch-size", "50"]


@pytest.fixture
def fails(capsys):
    """Calls the command, which must fail so, with one line and nothing else printed."""

    def call(code, *arguments):
        assert export.main(list(arguments)) == code
        printed = capsys.readouterr()
        assert printed.out == ""
        assert re.fullmatch(r"export: [^\n]*\n", printed.err)
        return printed.err

    return call


def in_this_process(directory, trained):
    """A SavedModel without the seconds that a fresh process takes."""
    call = saved_model.load(directory)
    return lambda batches: [call(batch) for batch in batches]


@pytest.fixture
def quick_saved_model(monkeypatch):
    format_ = formats.FORMATS["saved-model"]._replace(opened=in_this_process)
    monkeypatch.setitem(formats.FORMATS, "saved-model", format_)


@pytest.mark.parametrize(
    ("program", "suffix"), [("softmax", "npz"), ("mlp", "pb"), ("softmax", "pb")]
)
def test_what_is_exported_for_restore_has_the_accuracy_it_had(program, suffix, capsys):
    name = "npz" if suffix == "npz" else "frozen"
    assert export.main([program, "out", "--format", name, *GENERATED]) == 0
    assert capsys.readouterr().err == ""
    PROGRAMS[program].main(["--restore", *GENERATED, "--quiet"])
    shipped_accuracy = capsys.readouterr().out
    PROGRAMS[program].main(["--restore", f"out/{program}.{suffix}", *GENERATED, "--quiet"])
    assert capsys.readouterr().out == shipped_accuracy


def test_what_is_exported_for_restore_has_the_bits_it_had():
    assert export.main(["cnn", "out", "--format", "npz", *GENERATED]) == 0
    with inference.load("cnn") as ours, inference.load("cnn", "out/cnn.npz") as back:
        assert back.session.weights_sha256() == ours.session.weights_sha256()


def test_fnn_is_arrays_and_nothing_else(fails, capsys):
    for name in formats.FORMATS.keys() - {"npz"}:
        if name != "onnx":
            assert "fnn is a network of NumPy alone" in fails(2, "fnn", "out", "--format", name)
    assert not Path("out").exists()
    assert export.main(["fnn", "out", "--format", "npz", *GENERATED]) == 0
    with (
        np.load("out/fnn.npz") as ours,
        np.load(pretrained.directory("fnn") / "model-50.npz") as known,
    ):
        assert ours.files == known.files == ["W1", "W2"]
        assert all(np.array_equal(ours[name], known[name]) for name in ours.files)


def test_settings_that_the_weights_need_go_with_them(capsys):
    mlp.main([*QUICK, "--variant", "raw-pixels", "--run-dir", "run"])
    assert export.main(["run", "out", "--format", "npz"]) == 0
    assert json.loads(Path("out/mlp.npz.json").read_text())["variant"] == "raw-pixels"
    capsys.readouterr()
    mlp.main(["--restore", "run", *GENERATED])
    restored = capsys.readouterr().out.splitlines()
    mlp.main(["--restore", "out/mlp.npz", *GENERATED])
    assert capsys.readouterr().out.splitlines()[2:] == restored[2:]


def test_an_old_checkpoint_is_recognized_and_its_names_become_ours(capsys):
    with np.errstate(all="ignore"), tf.Graph().as_default(), tf.Session() as sess:
        generator = np.random.default_rng(0)
        for shape in ([784, 10], [10]):
            tf.Variable(generator.normal(size=shape).astype(np.float32))
        sess.run(tf.global_variables_initializer())
        tf.train.Saver(write_version=tf.train.SaverDef.V1).save(sess, "./old.ckpt")
    assert export.main(["old.ckpt", "out", "--format", "frozen", *GENERATED]) == 0
    assert capsys.readouterr().err == "export: renamed variables: W = Variable, b = Variable_1\n"
    names = [node.name for node in frozen_graph("out/softmax.pb").node]
    assert {"images", "W", "b", "scores", "classes"} <= set(names)


def frozen_graph(path):
    return tf.GraphDef.FromString(Path(path).read_bytes())


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_of_the_training_is_left(program):
    with inference.load(program) as classifier:
        trained = Trained(program, classifier.config, classifier.session.weights())
    graph = frozen.graph_def(trained)
    kinds = [node.op for node in graph.node]
    assert kinds.count("Placeholder") == 1
    assert not {"PlaceholderWithDefault", "Switch", "VarHandleOp", "Assign"} & set(kinds)
    assert not any(re.search("Random|Adam|GradientDescent|step", text) for text in kinds)
    assert not any(re.search("dropout|train|global_step", node.name) for node in graph.node)
    large = [
        n.name for n in graph.node if n.attr["value"].tensor.tensor_shape.dim and n.op == "Const"
    ]
    assert {name for name in large if "/" not in name and name[-1] != "y"} >= set(trained.weights)


def test_the_simplex_in_the_graph_is_the_shelfs():
    outputs = np.random.default_rng(0).normal(0.1, 0.5, (500, 10)).astype(np.float32)
    outputs[:3] = [[0.1] * 10, [0.5, 0.5] + [0.0] * 8, [-3.0] * 9 + [9.0]]
    with tf.Graph().as_default(), tf.Session() as sess:
        found = sess.run(inference_graph._nearest_probabilities(tf.constant(outputs)))
    assert np.abs(found - inference.nearest_probabilities(outputs.astype(np.float64))).max() < 2e-6


def test_a_saved_model_is_a_numbered_folder_that_a_fresh_process_loads(capsys):
    Path("out/7").mkdir(parents=True)
    Path("out/7/mine").write_text("mine")
    assert export.main(["softmax", "out", *GENERATED]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    first, second = printed.out.splitlines()
    assert re.fullmatch(r"out/8: [\d,]+ bytes, from .*saved/softmax/model.ckpt-1000", first)
    assert re.fullmatch(
        r"1000 test digits: (\d+) read right in a fresh eager process, \1 in our session; "
        r"largest difference \de-0[78] \(GENERATED digits\)",
        re.sub(r"\d\.\de", "0e", second),
    )
    record = json.loads(Path("out/8/export.json").read_text())
    assert (record["model"], record["batch_sizes"]) == ("softmax", [1, 7, 1000])
    assert record["accuracy"] == record["session_accuracy"]
    assert sorted(str(path) for path in Path("out").iterdir()) == ["out/7", "out/8"]
    assert [path.name for path in Path("out/7").iterdir()] == ["mine"]


def test_both_signatures_are_what_the_client_of_serving_asks_for(quick_saved_model):
    assert export.main(["softmax", "out", *GENERATED]) == 0
    with tf.Graph().as_default(), tf.Session() as sess:
        loaded = tf.saved_model.load(sess, ["serve"], "out/1")
    assert set(loaded.signature_def) == {"serving_default", "predict_images"}
    for signature in loaded.signature_def.values():
        assert signature.method_name == "tensorflow/serving/predict"
        ends = {
            name: (tf.as_dtype(end.dtype).name, [dim.size for dim in end.tensor_shape.dim])
            for ends in (signature.inputs, signature.outputs)
            for name, end in ends.items()
        }
        assert ends == {
            "images": ("float32", [-1, 784]),
            "scores": ("float32", [-1, 10]),
            "classes": ("int32", [-1]),
        }


def test_tensorflow_lite_in_float_and_in_int8(capsys):
    for name in ("tflite", "tflite-int8"):
        assert export.main(["softmax", "out", "--format", name, *GENERATED]) == 0
    assert capsys.readouterr().err == ""
    plain, int8 = Path("out/softmax.tflite"), Path("out/softmax-int8.tflite")
    assert int8.stat().st_size < plain.stat().st_size / 2
    record = json.loads(Path("out/softmax-int8.tflite.json").read_text())
    assert record["calibrated_on"] == "200 validation digits"
    assert record["agreement"] >= 0.98


def test_onnx_in_onnxruntime(capsys):
    for package in onnx.PACKAGES:
        pytest.importorskip(package)
    assert export.main(["mlp", "out", "--format", "onnx", *GENERATED]) == 0
    assert capsys.readouterr().err == ""
    assert set(json.loads(Path("out/mlp.onnx.json").read_text())["versions"]) >= set(onnx.PACKAGES)


# What is not exported ---------------------------------------------------------


def test_missing_converters_are_named_with_the_command_that_installs_them(fails, monkeypatch):
    monkeypatch.setattr(onnx, "PACKAGES", ("tf3onnx", "onnx3"))
    assert fails(2, "softmax", "out", "--format", "onnx") == (
        'export: tf3onnx and onnx3 not installed: pip install "deep_mnist[export]"\n'
    )


@pytest.mark.parametrize("taken", ["softmax.npz", "softmax.npz.json"])
def test_what_exists_is_left_alone(fails, taken):
    Path("out").mkdir()
    Path("out", taken).write_text("mine")
    said = fails(2, "softmax", "out", "--format", "npz")
    assert f"out/{taken} exists, and is left as it is" in said
    assert [path.read_text() for path in Path("out").iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "out"], "nowhere is not a checkpoint: expected a directory, a prefix or a"),
        (
            ["softmax", "out[1]"],
            "out[1]: TensorFlow expands [ ] in the path of a checkpoint",
        ),
        (["softmax", ""], "expected CHECKPOINT_OR_MODEL and DIR, found an empty word"),
        (
            ["softmax", "file", "--format", "npz", *GENERATED],
            "file: expected a folder, new or not, found a file there",
        ),
        (["softmax", "out", "--format", "tensorrt"], "invalid choice: 'tensorrt'"),
    ],
)
def test_a_mistake_is_told_in_one_line(fails, arguments, message):
    Path("file").touch()
    assert message in fails(2, *arguments)
    assert not Path("out").exists()


def test_weights_that_are_no_numbers_are_not_exported(fails):
    np.savez("nan.npz", W=np.full((784, 10), np.nan, np.float32), b=np.arange(10.0))
    said = fails(2, "nan.npz", "out", "--format", "frozen", *GENERATED)
    assert "weights that are no finite numbers" in said


def test_an_export_that_answers_something_else_is_not_kept(fails, monkeypatch):
    def opened(file, trained):
        return lambda batches: [
            Answers(np.full((len(b), 10), 0.1), np.zeros(len(b), int)) for b in batches
        ]

    wrong = formats.FORMATS["npz"]._replace(opened=opened)
    monkeypatch.setitem(formats.FORMATS, "npz", wrong)
    said = fails(1, "softmax", "out/deep", "--format", "npz", *GENERATED)
    assert "npz is not kept: in a batch of 1000 a probability differs by 0." in said
    assert not Path("out").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["write", "opened"])
@pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")
def test_a_signal_leaves_nothing_half(fails, monkeypatch, number, moment):
    format_ = formats.FORMATS["npz"]

    def interrupted(*arguments):
        getattr(format_, moment)(*arguments)
        signal.raise_signal(number)

    monkeypatch.setitem(formats.FORMATS, "npz", format_._replace(**{moment: interrupted}))
    said = fails(128 + number, "softmax", "out", "--format", "npz", *GENERATED)
    assert said == "export: stopped; nothing was exported\n"
    assert not Path("out").exists()
