"""Weights in each format: their exact values, and the errors for damaged and unsupported files."""

import numpy as np
import pytest

from deep_mnist import cnn, softmax, training
from deep_mnist.checkpoints import paths, reader
from deep_mnist.errors import CheckpointError, DamagedCheckpointError
from deep_mnist.lazy_tensorflow import tf

SOFTMAX = {"W": (784, 10), "b": (10,)}


@pytest.fixture(scope="module")
def weights():
    generator = np.random.default_rng(0)
    return {name: generator.random(shape, np.float32) for name, shape in SOFTMAX.items()}


def load(path, *arguments):
    return reader.load_weights(reader.open_checkpoint(path), *arguments)


def save(prefix, values, *, version="V2", sharded=False):
    """Write variables with TensorFlow 1's Saver, on two devices if `sharded`."""
    config = tf.ConfigProto(device_count={"CPU": 2})
    with tf.Graph().as_default(), tf.Session(config=config) as sess:
        variables, feed = {}, {}
        for i, (name, value) in enumerate(values.items()):
            with tf.device(f"/cpu:{i % 2 if sharded else 0}"):
                start = tf.placeholder(value.dtype, value.shape)
                variables[name] = tf.Variable(start, name=name)
                feed[start] = value
        sess.run([v.initializer for v in variables.values()], feed)
        version = getattr(tf.train.SaverDef, version)
        saver = tf.train.Saver(variables, write_version=version, sharded=sharded)
        saver.save(sess, str(prefix), write_meta_graph=False)


def graph(constants):
    made = tf.GraphDef()
    for name, value in constants.items():
        node = made.node.add(name=name, op="Const")
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    return made


def assert_same(loaded, values):
    for name, value in values.items():
        assert loaded.values[name].dtype == np.float32
        np.testing.assert_array_equal(loaded.values[name], value)


@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize("version", ["V1", "V2"])
def test_every_format_of_the_saver_is_read(tmp_path, weights, version, sharded):
    old = {"Variable": weights["W"], "Variable_1": weights["b"]}
    save(tmp_path / "model.ckpt", old, version=version, sharded=sharded)
    for path in (tmp_path, tmp_path / "model.ckpt"):
        loaded = load(paths.find(str(path)), SOFTMAX)
        assert_same(loaded, weights)
        assert loaded.summary() == ["renamed variables: W = Variable, b = Variable_1"]


def test_of_a_v1_and_a_v2_checkpoint_with_one_prefix_v2_is_read(tmp_path, weights):
    zeros = {name: np.zeros_like(value) for name, value in weights.items()}
    save(tmp_path / "model.ckpt", zeros, version="V1")
    save(tmp_path / "model.ckpt", weights)
    assert_same(load(paths.find(str(tmp_path)), SOFTMAX), weights)


def test_a_session_restores_a_renamed_cnn_next_to_an_untrained_softmax(tmp_path):
    generator = np.random.default_rng(1)
    with tf.Graph().as_default():
        model = cnn.build(cnn.Config())
        with training.Session(model, training.RunConfig()) as sess:
            variables = {v.op.name: v for v in tf.trainable_variables()}
            values = {
                name: generator.random(v.shape.as_list(), np.float32)
                for name, v in variables.items()
            }
            old = {"Variable": np.zeros((784, 10)), "Variable_1": np.zeros(10)}
            old |= {f"Variable_{i}": v for i, v in enumerate(values.values(), start=2)}
            save(tmp_path / "model.ckpt", old)
            sess.initialize()
            sess.restore_weights(tmp_path / "model.ckpt")
            for name, value in sess.run(variables).items():
                np.testing.assert_array_equal(value, values[name])


def test_other_floats_are_converted_and_noted(tmp_path, weights):
    save(tmp_path / "m", {"W": weights["W"].astype(np.float64), "b": np.ones(10, np.half)})
    loaded = load(tmp_path / "m", SOFTMAX)
    assert_same(loaded, {"W": weights["W"], "b": np.ones(10)})
    assert loaded.summary() == [
        "W is converted from float64 to float32",
        "b is converted from float16 to float32",
    ]


def test_an_ambiguous_checkpoint_is_an_error_with_the_command_that_chooses(tmp_path, weights):
    other = {f"{name}_1": value + 1 for name, value in weights.items()}
    save(tmp_path / "m", {**weights, **other})
    with pytest.raises(CheckpointError) as raised:
        load(tmp_path / "m", SOFTMAX)
    assert raised.value.message == (
        f"checkpoint {tmp_path}/m has several variables that fit the model: W,b or W_1,b_1"
    )
    assert raised.value.hint == (
        f"choose with: python -m deep_mnist.legacy checkpoint {tmp_path}/m --take W_1,b_1 "
        "--convert OUT"
    )
    assert_same(load(tmp_path / "m", SOFTMAX, ["W", "b"]), weights)


def test_a_frozen_graph_is_read(tmp_path, weights):
    flat = tf.make_tensor_proto(0.5, shape=[10])  # stored as a single value
    made = graph({"W/read": weights["W"], "Reshape/shape": np.array([-1, 784])})
    made.node.add(name="b/read", op="Const").attr["value"].tensor.CopyFrom(flat)
    (tmp_path / "frozen.pb").write_bytes(made.SerializeToString())
    for path in (tmp_path, tmp_path / "frozen.pb"):
        loaded = load(paths.find(str(path)), SOFTMAX)
        assert_same(loaded, {"W": weights["W"], "b": np.full(10, 0.5)})


def test_a_graph_that_is_not_frozen_is_an_error(tmp_path):
    with tf.Graph().as_default() as made:
        softmax.build(softmax.Config())
    (tmp_path / "graph.pb").write_bytes(made.as_graph_def().SerializeToString())
    with pytest.raises(
        CheckpointError, match=r"is a graph that is not frozen: it has the variables W, b, "
    ):
        load(paths.find(str(tmp_path)), SOFTMAX)


def test_a_truncated_graph_is_an_error(tmp_path, weights):
    content = graph(weights).SerializeToString()
    (tmp_path / "frozen.pb").write_bytes(content[:9000])
    with pytest.raises(CheckpointError, match="is not a GraphDef, or is truncated"):
        load(paths.find(str(tmp_path)), SOFTMAX)


def test_a_huge_variable_is_an_error_before_it_is_allocated(tmp_path, weights):
    made = graph(weights)
    huge = made.node.add(name="huge", op="Const").attr["value"].tensor
    huge.CopyFrom(tf.make_tensor_proto(0.5))
    huge.tensor_shape.CopyFrom(tf.TensorShape([10**6, 10**6]).as_proto())
    (tmp_path / "frozen.pb").write_bytes(made.SerializeToString())
    with pytest.raises(CheckpointError, match=r"values, found huge float32\[1000000, 1000000\]"):
        load(paths.find(str(tmp_path)), SOFTMAX)


def test_an_object_based_checkpoint_is_an_error(tmp_path, weights):
    name = "layer_with_weights-0/kernel/.ATTRIBUTES/VARIABLE_VALUE"
    with tf.Graph().as_default(), tf.Session() as sess:
        kernel = tf.Variable(weights["W"])
        sess.run(kernel.initializer)
        tf.train.Saver({name: kernel}).save(sess, str(tmp_path / "m"), write_meta_graph=False)
    with pytest.raises(CheckpointError, match="is an object-based checkpoint of TensorFlow 2"):
        load(tmp_path / "m", SOFTMAX)


@pytest.mark.parametrize(
    ("part", "content", "message"),
    [
        ("data-00000-of-00001", b"", "m.data-00000-of-00001 is empty"),
        (
            "data-00000-of-00001",
            b"version https://git-lfs.github.com/spec/v1\n",
            "m.{part} is a pointer of Git LFS",
        ),
        ("data-00000-of-00001", bytes(1000), "Read less bytes than requested"),
        ("index", b"", "m.index is empty"),
        (
            "index",
            b"version https://git-lfs.github.com/spec/v1\n",
            "m.{part} is a pointer of Git LFS",
        ),
        ("index", b"<html>", "m.index is a web page"),
        ("index", bytes(1000), "not an sstable"),
    ],
)
def test_a_damaged_file_is_an_error_with_its_reason(tmp_path, weights, part, content, message):
    save(tmp_path / "m", weights)
    (tmp_path / f"m.{part}").write_bytes(content)
    with pytest.raises(
        DamagedCheckpointError, match=rf"m is damaged \(.*{message.format(part=part)}"
    ):
        load(paths.find(str(tmp_path)), SOFTMAX)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (
            "Graph execution error:\n\nFrom /job:ps/task:0:\nNo worker known\n\t [[{{node x}}]]",
            "No",
        ),
        ("Graph execution error:", "Graph execution error:"),
        ("disk full\nand more", "disk full"),
        ("", "ValueError"),
    ],
)
def test_the_short_message_is_the_informative_line(message, line):
    assert reader.short_message(ValueError(message)).startswith(line)


def test_a_number_out_of_the_range_of_its_dtype_is_damage(tmp_path):
    graph = tf.GraphDef()
    constant = graph.node.add(name="W", op="Const").attr["value"].tensor
    constant.dtype = tf.float16.as_datatype_enum
    constant.tensor_shape.dim.add(size=2)
    constant.half_val.extend([70_000, 70_000])  # larger than float16's largest number
    path = tmp_path / "frozen.pb"
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(DamagedCheckpointError, match="is damaged"):
        reader.open_checkpoint(path).read("W")


def test_variables_that_are_not_numbers_are_never_read_by_tensorflow(tmp_path):
    """Its reader aborts the process for a dtype such as float32_ref."""
    values = {"W": np.ones(2, np.float32), "s": np.array(["a", "b"])}
    save(tmp_path / "model.ckpt", values)
    file = reader.open_checkpoint(tmp_path / "model.ckpt")
    np.testing.assert_array_equal(file.read("W"), [1, 1])
    with pytest.raises(DamagedCheckpointError, match="expected numbers, found s string"):
        file.read("s")
    graph = tf.GraphDef()
    constant = graph.node.add(name="r", op="Const").attr["value"].tensor
    constant.dtype = tf.resource.as_datatype_enum
    (tmp_path / "frozen.pb").write_bytes(graph.SerializeToString())
    with pytest.raises(DamagedCheckpointError, match="expected numbers, found r resource"):
        reader.open_checkpoint(tmp_path / "frozen.pb").read("r")
