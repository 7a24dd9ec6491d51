"""tf.layers, slim, cells, estimators and distributions: variable names and values of TF 1.15.5."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json
import numpy as np
import tensorflow as tf
slim = tf.contrib.slim
rnn = tf.contrib.rnn
seed = dict(seed=3)
tf.set_random_seed(7)
x = tf.placeholder(tf.float32, [None, 8, 8, 1])
rows = tf.reshape(x, [-1, 8, 8])


def layers():
    net = tf.layers.conv2d(x, 2, 3, padding='same', activation=tf.nn.relu,
                           kernel_initializer=tf.glorot_uniform_initializer(**seed))
    net = tf.layers.batch_normalization(net, training=True)
    return tf.layers.dense(tf.layers.flatten(net), 4,
                           kernel_initializer=tf.truncated_normal_initializer(stddev=0.1, **seed))


def slim_layers():
    with slim.arg_scope([slim.conv2d], weights_regularizer=slim.l2_regularizer(0.1),
                        weights_initializer=slim.xavier_initializer_conv2d(**seed)):
        net = slim.conv2d(x, 2, [3, 3], scope='c1', normalizer_fn=slim.batch_norm)
    return slim.fully_connected(slim.flatten(net), 3,
                                weights_initializer=slim.variance_scaling_initializer(**seed))


def multi():
    cells = [tf.nn.rnn_cell.BasicLSTMCell(3), tf.nn.rnn_cell.GRUCell(2)]
    return tf.nn.dynamic_rnn(tf.nn.rnn_cell.MultiRNNCell(cells), rows, dtype=tf.float32)[0][:, -1]


def peepholes():
    cell = tf.nn.rnn_cell.LSTMCell(2, use_peepholes=True,
                                   initializer=tf.random_uniform_initializer(-0.1, 0.1, **seed))
    return tf.nn.dynamic_rnn(cell, rows, dtype=tf.float32)[0][:, -1]


def layer_norm():
    return tf.nn.dynamic_rnn(rnn.LayerNormBasicLSTMCell(2), rows, dtype=tf.float32)[0][:, 0]


def projections():
    cell = rnn.OutputProjectionWrapper(rnn.InputProjectionWrapper(rnn.BasicRNNCell(2), 3), 2)
    return tf.nn.static_rnn(cell, tf.unstack(rows, 8, 1), dtype=tf.float32)[0][-1]


def phased():
    times = tf.reduce_mean(rows, 2, keepdims=True)
    return tf.nn.dynamic_rnn(rnn.PhasedLSTMCell(2), (times, rows), dtype=tf.float32)[0][:, -1]


def blocks():
    lstm = tf.nn.dynamic_rnn(rnn.LSTMBlockCell(2), rows, dtype=tf.float32)[0]
    return (lstm + tf.nn.dynamic_rnn(rnn.GRUBlockCellV2(2), rows, dtype=tf.float32)[0])[:, -1]


def ramp(variable):
    'Weights that are easy to write: -0.3, -0.2, ... 0.3, -0.3, ...'
    if variable.op.name.endswith(('period', 'phase')):
        return np.array([2.0, 3.0], np.float32)
    shape = variable.shape.as_list()
    return ((np.arange(np.prod(shape)) % 7 - 3) / 10.0).reshape(shape).astype(np.float32)


found = {}
for build in (layers, slim_layers, multi, peepholes, layer_norm, projections, phased, blocks):
    with tf.variable_scope(build.__name__):
        output = build()
    variables = tf.global_variables(build.__name__ + '/')
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        first = [np.ravel(sess.run(v))[:3].round(6).tolist() for v in variables]
        for v in variables:
            if 'moving' not in v.op.name and 'ratio' not in v.op.name:
                v.load(ramp(v), sess)
        pixels = (np.arange(128).reshape(2, 8, 8, 1) % 11 / 11.0).astype(np.float32)
        values = sess.run(output, {x: pixels}).round(5).tolist()
    names = [v.op.name.split('/', 1)[1] for v in variables]
    found[build.__name__] = {'names': names, 'first': first, 'values': values}
found['losses'] = len(tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES))
found['updates'] = len(tf.get_collection(tf.GraphKeys.UPDATE_OPS))
print(json.dumps(found))
"""

# Recorded with TensorFlow 1.15.5: variable names, and outputs for the weights of ramp().
NAMES = {
    "layers": (
        "conv2d/kernel conv2d/bias batch_normalization/gamma batch_normalization/beta "
        "batch_normalization/moving_mean batch_normalization/moving_variance dense/kernel "
        "dense/bias"
    ),
    "slim_layers": (
        "c1/weights c1/BatchNorm/beta c1/BatchNorm/moving_mean c1/BatchNorm/moving_variance "
        "fully_connected/weights fully_connected/biases"
    ),
    "multi": (
        "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/kernel "
        "rnn/multi_rnn_cell/cell_0/basic_lstm_cell/bias "
        "rnn/multi_rnn_cell/cell_1/gru_cell/gates/kernel "
        "rnn/multi_rnn_cell/cell_1/gru_cell/gates/bias "
        "rnn/multi_rnn_cell/cell_1/gru_cell/candidate/kernel "
        "rnn/multi_rnn_cell/cell_1/gru_cell/candidate/bias"
    ),
    "peepholes": (
        "rnn/lstm_cell/kernel rnn/lstm_cell/bias rnn/lstm_cell/w_f_diag rnn/lstm_cell/w_i_diag "
        "rnn/lstm_cell/w_o_diag"
    ),
    "layer_norm": " ".join(
        f"rnn/layer_norm_basic_lstm_cell/{name}"
        for name in (
            *("kernel", "input/gamma", "input/beta", "transform/gamma", "transform/beta"),
            *("forget/gamma", "forget/beta", "output/gamma", "output/beta"),
            *("state/gamma", "state/beta"),
        )
    ),
    "projections": (
        "rnn/output_projection_wrapper/input_projection_wrapper/kernel "
        "rnn/output_projection_wrapper/input_projection_wrapper/bias "
        "rnn/output_projection_wrapper/input_projection_wrapper/basic_rnn_cell/kernel "
        "rnn/output_projection_wrapper/input_projection_wrapper/basic_rnn_cell/bias "
        "rnn/output_projection_wrapper/kernel rnn/output_projection_wrapper/bias"
    ),
    "phased": " ".join(
        f"rnn/phased_lstm_cell/{name}"
        for name in (
            *("mask_gates/kernel", "mask_gates/bias", "new_input/kernel", "new_input/bias"),
            *("output_gate/kernel", "output_gate/bias", "period", "phase", "ratio_on"),
        )
    ),
    "blocks": (
        "rnn/lstm_cell/kernel rnn/lstm_cell/bias rnn/gru_cell/gates/kernel "
        "rnn/gru_cell/gates/bias rnn/gru_cell/candidate/kernel rnn/gru_cell/candidate/bias"
    ),
}
VALUES = {
    "layers": [[-0.21748, -0.29201, -0.10826, 0.20166], [-0.13842, -0.21294, -0.28747, 0.02244]],
    "slim_layers": [[0.0, 0.0, 0.87679], [0.0, 0.0, 0.0]],
    "multi": [[-0.311, -0.12311], [-0.29967, -0.115]],
    "peepholes": [[-0.18117, -0.02429], [-0.1971, -0.04234]],
    "layer_norm": [[0.0, -0.18997], [-0.1903, 0.0]],
    "projections": [[-0.23437, -0.15931], [-0.26102, -0.17654]],
    "phased": [[-0.0001, -0.00005], [-0.00011, -0.00006]],
    "blocks": [[-0.48446, -0.26821], [-0.67735, -0.36831]],
}
# The first values of the first variable, where its initializer has a seed.
FIRST = {
    "layers": [-0.093255, -0.116117, -0.1798],
    "slim_layers": [-0.093255, -0.116117, -0.1798],
    "peepholes": [-0.019782, -0.024632, -0.038141],
}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What SCRIPT prints: {network: {"names": ..., "first": ..., "values": ...}}."""
    directory = tmp_path_factory.mktemp("script")
    (directory / "networks.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "-m", "deep_mnist.legacy", "run", "networks.py"],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.mark.parametrize("network", NAMES)
def test_variables_have_the_names_of_tensorflow_1(found, network):
    assert " ".join(found[network]["names"]) == NAMES[network]


@pytest.mark.parametrize("network", VALUES)
def test_outputs_for_given_weights_are_those_of_tensorflow_1(found, network):
    for got, expected in zip(found[network]["values"], VALUES[network], strict=True):
        assert got == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("network", FIRST)
def test_initial_values_of_a_seed_are_those_of_tensorflow_1(found, network):
    assert found[network]["first"][0] == pytest.approx(FIRST[network], abs=1e-6)


def test_collections_of_losses_and_updates_are_those_of_tensorflow_1(found):
    assert (found["losses"], found["updates"]) == (1, 4)


SAVE = """
import numpy as np
import tensorflow as tf
model = tf.keras.models.Sequential([tf.keras.layers.Dense(2, input_shape=(3,))])
model.compile('sgd', 'mse')
model.save('model.keras')
model.save_weights('all.weights.h5')
model.load_weights('all.weights.h5')
x = np.ones((1, 3))
print(np.array_equal(tf.keras.models.load_model('model.keras').predict(x), model.predict(x)))
"""


def test_keras_models_are_saved_as_hdf5_whatever_their_name(tmp_path):
    (tmp_path / "save.py").write_text(SAVE)
    done = subprocess.run(
        [sys.executable, "-m", "deep_mnist.legacy", "run", "save.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
    for name in ("model.keras", "all.weights.h5"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89HDF")
