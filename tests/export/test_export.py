"""`python -m deep_mnist.export`: what is written, what other runtimes compute, and errors."""

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
from deep_mnist.export.model import Outputs, TrainedModel
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training.evaluation import weights_sha256

PROGRAMS = {"softmax": softmax, "mlp": mlp, "cnn": cnn}
GENERATED = ["--dataset", "generated"]
QUICK = [*GENERATED, "--steps", "3", "--batch-size", "50"]


@pytest.fixture
def fails(capsys):
    """Return a function that calls the command, expects an error, and returns what is printed."""

    def call(code, *arguments):
        assert export.main(list(arguments)) == code
        printed = capsys.readouterr()
        assert printed.out == ""
        assert re.fullmatch(
            r"(note: export: [^\n]+\n)*(error: )?export: [^\n]+\n(hint: [^\n]+\n)?", printed.err
        )
        return printed.err

    return call


@pytest.fixture
def _saved_models_run_in_this_process(monkeypatch):
    """Save the seconds that a new process takes."""
    run = formats.in_this_process(lambda path, model: saved_model.load(path))
    format_ = formats.FORMATS["saved-model"]._replace(run=run)
    monkeypatch.setitem(formats.FORMATS, "saved-model", format_)


@pytest.mark.parametrize(
    ("program", "suffix"), [("softmax", "npz"), ("mlp", "pb"), ("softmax", "pb")]
)
def test_restored_exports_have_the_accuracy_of_the_original(program, suffix, capsys):
    name = "npz" if suffix == "npz" else "frozen"
    assert export.main([program, "out", "--format", name, *GENERATED]) == 0
    assert capsys.readouterr().err == ""
    PROGRAMS[program].main(["--restore", *GENERATED, "--quiet"])
    accuracy = capsys.readouterr().out
    PROGRAMS[program].main(["--restore", f"out/{program}.{suffix}", *GENERATED, "--quiet"])
    assert capsys.readouterr().out == accuracy


def test_restored_weights_have_the_bits_of_the_original():
    assert export.main(["cnn", "out", "--format", "npz", *GENERATED]) == 0
    with inference.load_model("cnn") as ours, inference.load_model("cnn", "out/cnn.npz") as back:
        assert weights_sha256(back.weights()) == weights_sha256(ours.weights())


def test_fnn_is_exported_as_npz_only(fails, capsys):
    for name in formats.FORMATS.keys() - {"npz"}:
        if name != "onnx":
            assert "fnn is a NumPy model without a graph\nhint: use --format npz" in fails(
                2, "fnn", "out", "--format", name
            )
    assert not Path("out").exists()
    assert export.main(["fnn", "out", "--format", "npz", *GENERATED]) == 0
    with (
        np.load("out/fnn.npz") as ours,
        np.load(pretrained.directory("fnn") / "model-50.npz") as known,
    ):
        assert ours.files == known.files == ["W1", "W2"]
        assert all(np.array_equal(ours[name], known[name]) for name in ours.files)


def test_the_variant_of_mlp_is_saved_and_restored(capsys):
    mlp.main([*QUICK, "--variant", "raw-pixels", "--run-dir", "run"])
    assert export.main(["run", "out", "--format", "npz"]) == 0
    assert json.loads(Path("out/mlp.npz.json").read_text())["variant"] == "raw-pixels"
    capsys.readouterr()
    mlp.main(["--restore", "run", *GENERATED])
    restored = capsys.readouterr().out.splitlines()
    mlp.main(["--restore", "out/mlp.npz", *GENERATED])
    assert capsys.readouterr().out.splitlines()[2:] == restored[2:]


def test_a_checkpoint_of_tensorflow_1_is_recognized_and_its_variables_renamed(capsys):
    with np.errstate(all="ignore"), tf.Graph().as_default(), tf.Session() as sess:
        generator = np.random.default_rng(0)
        for shape in ([784, 10], [10]):
            tf.Variable(generator.normal(size=shape).astype(np.float32))
        sess.run(tf.global_variables_initializer())
        tf.train.Saver(write_version=tf.train.SaverDef.V1).save(sess, "./old.ckpt")
    assert export.main(["old.ckpt", "out", "--format", "frozen", *GENERATED]) == 0
    assert capsys.readouterr().err == (
        "note: export: renamed variables: W = Variable, b = Variable_1\n"
    )
    names = [node.name for node in frozen_graph("out/softmax.pb").node]
    assert {"images", "W", "b", "scores", "classes"} <= set(names)


def frozen_graph(path):
    return tf.GraphDef.FromString(Path(path).read_bytes())


def trained(program):
    with inference.load_model(program) as classifier:
        return TrainedModel(program, classifier.config, classifier.weights())


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_frozen_graph_has_no_training_and_no_initial_values(program):
    model = trained(program)
    nodes = frozen.graph_def(model).node
    operations = [node.op for node in nodes]
    assert operations.count("Placeholder") == 1
    assert not {"PlaceholderWithDefault", "Switch", "VarHandleOp", "Assign"} & set(operations)
    assert not any(re.search("Random|Normal|Adam|GradientDescent|step", op) for op in operations)
    assert not any(re.search("dropout|train|global_step", node.name) for node in nodes)
    large = {node.name for node in nodes if node.ByteSize() > 8_000}
    assert large == {name for name, weight in model.weights.items() if weight.nbytes > 8_000}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_saved_model_has_the_weights_as_variables_and_no_initial_values(program):
    model = trained(program)
    saved_model.write(model, Path("saved"), np.empty((0, 784), np.float32))
    with tf.Graph().as_default() as graph, tf.Session() as sess:
        tf.saved_model.load(sess, ["serve"], "saved")
        assert not [op for op in graph.get_operations() if re.search("Random|Normal", op.type)]
        variables = {variable.op.name: variable for variable in tf.global_variables()}
        assert variables.keys() == model.weights.keys()
        for name, value in sess.run(variables).items():
            assert np.array_equal(value, model.weights[name])


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("name", "overhead"), [("saved-model", 20_000), ("tflite", 5_000), ("frozen", 5_000)]
)
def test_an_export_is_hardly_larger_than_the_weights(program, name, overhead):
    model = trained(program)
    path = Path("export")
    formats.FORMATS[name].write(model, path, np.empty((0, 784), np.float32))
    size = export._bytes(path)
    assert 0 < size - sum(weight.nbytes for weight in model.weights.values()) < overhead


def test_the_graphs_nearest_probabilities_equal_those_of_the_classifier():
    outputs = np.random.default_rng(0).normal(0.1, 0.5, (500, 10)).astype(np.float32)
    outputs[:3] = [[0.1] * 10, [0.5, 0.5] + [0.0] * 8, [-3.0] * 9 + [9.0]]
    with tf.Graph().as_default(), tf.Session() as sess:
        found = sess.run(inference_graph.nearest_probabilities(tf.constant(outputs)))
    assert np.abs(found - inference.nearest_probabilities(outputs.astype(np.float64))).max() < 2e-6


def test_a_saved_model_gets_the_next_version_and_is_run_in_a_new_process(capsys):
    Path("out/7").mkdir(parents=True)
    Path("out/7/mine").write_text("mine")
    assert export.main(["softmax", "out", *GENERATED]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    first, second = printed.out.splitlines()
    assert re.fullmatch(r"out/8: [\d,]+ bytes, from .*saved/softmax/model.ckpt-1000", first)
    assert re.fullmatch(
        r"checked in TensorFlow in a new process: (\d+) of 1,000 test images classified correctly, "
        r"\1 by the model; largest difference of a probability \de-0[678] \(SYNTHETIC digits\)",
        re.sub(r"\d\.\de", "0e", second),
    )
    record = json.loads(Path("out/8/export.json").read_text())
    assert (record["model"], record["batch_sizes"]) == ("softmax", [1, 7, 1000])
    assert record["accuracy"] == record["session_accuracy"]
    assert sorted(str(path) for path in Path("out").iterdir()) == ["out/7", "out/8"]
    assert [path.name for path in Path("out/7").iterdir()] == ["mine"]


@pytest.mark.usefixtures("_saved_models_run_in_this_process")
def test_both_signatures_have_the_inputs_and_outputs_that_the_client_of_serving_requests():
    assert export.main(["softmax", "out", *GENERATED]) == 0
    with tf.Graph().as_default(), tf.Session() as sess:
        loaded = tf.saved_model.load(sess, ["serve"], "out/1")
    assert set(loaded.signature_def) == {"serving_default", "predict_images"}
    for signature in loaded.signature_def.values():
        assert signature.method_name == "tensorflow/serving/predict"
        tensors = {
            name: (tf.as_dtype(tensor.dtype).name, [dim.size for dim in tensor.tensor_shape.dim])
            for tensors in (signature.inputs, signature.outputs)
            for name, tensor in tensors.items()
        }
        assert tensors == {
            "images": ("float32", [-1, 784]),
            "scores": ("float32", [-1, 10]),
            "classes": ("int32", [-1]),
        }


def test_tensorflow_lite_in_float32_and_in_int8(capsys):
    for name in ("tflite", "tflite-int8"):
        assert export.main(["softmax", "out", "--format", name, *GENERATED]) == 0
    assert capsys.readouterr().err == ""
    plain, int8 = Path("out/softmax.tflite"), Path("out/softmax-int8.tflite")
    assert int8.stat().st_size < plain.stat().st_size / 2
    record = json.loads(Path("out/softmax-int8.tflite.json").read_text())
    assert record["calibrated_on"] == "200 validation images"
    assert record["agreement"] >= 0.98


def test_onnx_in_onnxruntime(capsys):
    for package in onnx.PACKAGES:
        pytest.importorskip(package)
    assert export.main(["mlp", "out", "--format", "onnx", *GENERATED]) == 0
    assert capsys.readouterr().err == ""
    assert set(json.loads(Path("out/mlp.onnx.json").read_text())["versions"]) >= set(onnx.PACKAGES)


# Errors -----------------------------------------------------------------------


def test_missing_converters_are_reported_with_the_command_that_installs_them(fails, monkeypatch):
    monkeypatch.setattr(onnx, "PACKAGES", ("tf3onnx", "onnx3"))
    assert fails(2, "softmax", "out", "--format", "onnx") == (
        "error: export: --format onnx needs tf3onnx and onnx3\n"
        'hint: install the extra with: pip install "deep_mnist[export]"\n'
    )


@pytest.mark.parametrize("taken", ["softmax.npz", "softmax.npz.json"])
def test_existing_files_are_not_overwritten(fails, taken):
    Path("out").mkdir()
    Path("out", taken).write_text("mine")
    said = fails(2, "softmax", "out", "--format", "npz")
    assert f"DIR: out/{taken} already exists\n" in said
    assert [path.read_text() for path in Path("out").iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "out"], "nowhere is not a checkpoint: expected a directory, a prefix or a"),
        (
            ["softmax", "out[1]"],
            "DIR: TensorFlow cannot load a SavedModel from a path with [, found out[1]\n",
        ),
        (["softmax", ""], "expected CHECKPOINT_OR_MODEL and DIR, found an empty argument"),
        (
            ["softmax", "file", "--format", "npz", *GENERATED],
            "DIR: expected a directory, found the file file\n",
        ),
        (
            ["softmax", "file/out/deep", *GENERATED],
            "DIR: expected a directory, found the file file\n",
        ),
        (["softmax", "out", "--format", "tensorrt"], "invalid choice: 'tensorrt'"),
    ],
)
def test_wrong_arguments_are_an_error_before_the_model_is_loaded(
    fails, monkeypatch, arguments, message
):
    monkeypatch.delattr(export, "load_model")
    Path("file").touch()
    assert message in fails(2, *arguments)
    assert not Path("out").exists()


def test_non_finite_weights_are_not_exported(fails):
    np.savez("nan.npz", W=np.full((784, 10), np.nan, np.float32), b=np.arange(10.0))
    said = fails(2, "nan.npz", "out", "--format", "frozen", *GENERATED)
    assert "nan.npz has non-finite weights\nhint: export another checkpoint\n" in said


def test_an_export_that_differs_from_the_model_is_deleted(fails, monkeypatch):
    def run(file, model, batches):
        return [Outputs(np.full((len(b), 10), 0.1), np.zeros(len(b), int)) for b in batches]

    wrong = formats.FORMATS["npz"]._replace(run=run)
    monkeypatch.setitem(formats.FORMATS, "npz", wrong)
    said = fails(1, "softmax", "out/deep", "--format", "npz", *GENERATED)
    assert "npz was not exported: in a batch of 1000 a probability differs by 0." in said
    assert not Path("out").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["write", "run"])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_signal_leaves_no_files(fails, monkeypatch, number, moment):
    format_ = formats.FORMATS["npz"]

    def interrupted(*arguments):
        getattr(format_, moment)(*arguments)
        signal.raise_signal(number)

    monkeypatch.setitem(formats.FORMATS, "npz", format_._replace(**{moment: interrupted}))
    said = fails(128 + number, "softmax", "out", "--format", "npz", *GENERATED)
    assert said == "export: stopped; nothing was exported\n"
    assert not Path("out").exists()
