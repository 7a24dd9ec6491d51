import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deep_mnist import data, fnn, training
from deep_mnist.autodiff import gradient_check
from deep_mnist.lazy_tensorflow import tf

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="NumPy alone is installed"
)

QUICK = ["--dataset", "generated", "--steps", "2"]


@pytest.fixture(autouse=True)
def _strict_arithmetic(digits):
    """For our own operations: the digits are drawn before."""
    with np.errstate(all="raise"):
        yield


def document_step(images, labels, W1, W2):
    """The document's epoch with nothing clever in it: accuracy, loss, and the new weights."""
    x = np.hstack([images.astype(np.float64) / 255, np.ones((len(images), 1))])
    y_ = np.eye(10)[labels]
    h1 = x @ W1
    h1_relu = np.where(h1 > 0, h1, 0)
    exponentials = np.exp(h1_relu @ W2)
    p = exponentials / (exponentials.sum(axis=1, keepdims=True) + 1e-12)
    log_p = np.log(p + 1e-12)
    p_grad = -y_ / (p + 1e-12)
    jacobians = np.einsum("ni,ij->nij", p, np.eye(10)) - np.einsum("ni,nj->nij", p, p)
    h2_grad = np.einsum("ni,nij->nj", p_grad, jacobians)
    h1_grad = (h2_grad @ W2.T) * (h1 > 0)
    accuracy = np.mean(log_p.argmax(axis=1) == labels)
    loss = np.mean(np.sum(-log_p * y_, axis=1))
    return accuracy, loss, W1 - 1e-5 * x.T @ h1_grad, W2 - 1e-5 * h1_relu.T @ h2_grad


def test_weights_are_79500_standard_normal_numbers():
    weights = fnn.build(fnn.Config()).weights
    assert {name: value.shape for name, value in weights.items()} == {
        "W1": (785, 100),
        "W2": (100, 10),
    }
    assert sum(value.size for value in weights.values()) == 79_500
    assert weights["W1"].mean() == pytest.approx(0, abs=0.02)
    assert weights["W1"].std() == pytest.approx(1, abs=0.01)


def test_an_epoch_is_the_documents(digits):
    config = fnn.Config()
    split = data.Split(digits.train.images[:3000], digits.train.labels[:3000])
    model = fnn.build(config)
    W1, W2 = (value.copy() for value in model.weights.values())
    for batch in [next(fnn.batches(split, config, 0))] * 3:
        with np.errstate(under="ignore"):
            accuracy, loss, W1, W2 = document_step(split.images, split.labels, W1, W2)
        found_accuracy, found_loss = model.train_step(batch)
        assert found_accuracy == accuracy
        assert found_loss == pytest.approx(loss, rel=1e-9)
        np.testing.assert_allclose(model.weights["W1"], W1, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(model.weights["W2"], W2, rtol=1e-9, atol=1e-12)


@needs_tensorflow
def test_a_step_is_tensorflows(digits):
    images, labels = digits.train.images[:200], digits.train.labels[:200]
    model = fnn.build(fnn.Config(learning_rate=1.0))
    model.weights["W1"] *= 0.05  # so that no probability is near an epsilon
    before = {name: value.copy() for name, value in model.weights.items()}
    with tf.Graph().as_default(), tf.Session() as sess:
        W1, W2 = (tf.constant(value) for value in before.values())
        x = np.hstack([images / 255, np.ones((200, 1))])
        logits = tf.matmul(tf.nn.relu(tf.matmul(x, W1)), W2)
        losses = tf.nn.softmax_cross_entropy_with_logits_v2(
            labels=np.eye(10)[labels], logits=logits
        )
        expected = sess.run(tf.gradients(tf.reduce_sum(losses), [W1, W2]))
    model.train_step(fnn.in_blocks(data.Split(images, labels), "float64"))
    for name, gradient in zip(("W1", "W2"), expected, strict=True):
        found = before[name] - model.weights[name]
        assert np.abs(found - gradient).max() <= 1e-6 * np.abs(gradient).max()


def test_the_step_descends_the_summed_loss(digits):
    images, labels = digits.train.images[:20], digits.train.labels[:20]

    def loss_and_gradients(W1, W2):
        config = fnn.Config(learning_rate=1.0)
        model = fnn.build(config)
        model.weights["W1"][...], model.weights["W2"][...] = W1, W2
        _, loss = model.train_step(fnn.in_blocks(data.Split(images, labels), "float64"))
        return 20 * loss, (W1 - model.weights["W1"], W2 - model.weights["W2"])

    random = np.random.default_rng(0)
    W1, W2 = 0.1 * random.normal(size=(785, 100)), 0.1 * random.normal(size=(100, 10))
    gradient_check(loss_and_gradients, W1, W2, tolerance=1e-5)


def test_lines_are_the_documents_and_the_test_line_is_last(capsys):
    assert fnn.main([*QUICK, "--run-dir", "run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("epoch 0 : loss 2")
    assert " ; accuracy 0." in lines[1]
    assert lines[2].startswith("epoch 1 : loss ")
    assert lines[-1].startswith("test loss ")
    assert " ; accuracy 0." in lines[-1]
    assert lines[-1].endswith("of 2000 GENERATED digits, not MNIST)")
    assert sorted(path.name for path in Path("run").iterdir()) == [
        "config.json",
        "metrics.jsonl",
        "model-2.npz",
        "result.json",
    ]
    with np.load("run/model-2.npz", allow_pickle=False) as archive:
        assert sorted(archive.files) == ["W1", "W2"]


def test_weights_restore_and_a_run_goes_on_with_the_same_bits(capsys):
    steps = ["--dataset", "generated", "--steps", "4", "--save-every", "2", "--batch-size", "5001"]
    fnn.main([*steps, "--run-dir", "whole"])
    trained = capsys.readouterr().out.splitlines()
    fnn.main([*steps, "--run-dir", "cut"])
    for name in ("result.json", "model-4.npz"):
        Path("cut", name).unlink()
    Path("cut/model-9.npz.tmp").write_bytes(b"of a killed save")
    capsys.readouterr()
    assert fnn.main(["--resume", "cut"]) == 0
    assert "going on with cut after step 2" in capsys.readouterr().out
    fingerprints = {
        json.loads(Path(run, "result.json").read_text())["weights_sha256"]
        for run in ("whole", "cut")
    }
    assert len(fingerprints) == 1
    assert not Path("cut/model-9.npz.tmp").exists()
    assert [line.split(" :")[0] for line in trained[1:5]] == [
        "epoch 0",
        "epoch 0.5",
        "epoch 1",
        "epoch 1.5",
    ]
    for path in ("whole", "whole/model-4.npz", "whole/model-4"):
        assert fnn.main(["--restore", path, "--dataset", "generated", "--quiet"]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == trained[-1]


def test_damaged_checkpoints_are_passed_over_and_foreign_ones_refused(capsys):
    steps = ["--dataset", "generated", "--steps", "3", "--save-every", "1", "--batch-size", "50"]
    fnn.main([*steps, "--run-dir", "run"])
    Path("run/result.json").unlink()
    newest = Path("run/model-3.npz")
    whole = newest.read_bytes()
    newest.write_bytes(whole[: len(whole) // 2])
    capsys.readouterr()
    assert fnn.main(["--resume", "run"]) == 0
    printed = capsys.readouterr()
    assert "passed over: checkpoint run/model-3.npz is damaged" in printed.err
    assert "after step 2" in printed.out
    assert newest.read_bytes() == whole
    assert Path("run/model-3.npz.damaged").exists()

    np.savez("other.npz", W1=np.zeros((785, 100)), W2=np.zeros((100, 5)))
    np.savez("names.npz", kernel=np.zeros(3))
    Path("text.npz").write_text("weights")
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 1
    Path("flipped.npz").write_bytes(flipped)
    for path, expected in (
        ("other.npz", "has W2 float64[100, 5] instead of float64[100, 10]"),
        ("names.npz", "has no variable W1 float64[785, 100], W2 float64[100, 10], and has the unexpected"),
        ("text.npz", "is damaged"),
        ("flipped.npz", "is damaged"),
        ("nowhere", "is not a checkpoint"),
    ):
        assert fnn.main(["--restore", path, "--dataset", "generated"]) == 2
        error = capsys.readouterr().err
        assert expected in error
        assert error.count("\n") == 1


def test_pickled_weights_are_never_loaded(capsys):
    np.savez("objects.npz", W1=np.array([{}]), W2=np.zeros((100, 10)))
    assert fnn.main(["--restore", "objects.npz", "--dataset", "generated"]) == 2
    assert "never loaded" in capsys.readouterr().err


@needs_tensorflow
def test_gradient_check_prints_a_line_per_operation_beside_tensorflows(capsys):
    assert fnn.main(["--gradient-check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert [line.split("ours")[0].split(maxsplit=2)[2].strip() for line in lines[:5]] == [
        "log",
        "softmax",
        "matmul 2",
        "relu",
        "matmul 1",
    ]
    assert all("TensorFlow " in line for line in lines)
    differences = [float(line.split()[-1]) for line in lines]
    assert 1e-10 < max(differences[:5]) <= 1e-6  # the epsilons show
    assert max(differences[5:]) <= 1e-10


def test_a_diverging_run_is_told_in_one_line(capsys):
    assert fnn.main([*QUICK, "--learning-rate", "1e300"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("fnn: the loss is ")
    assert error.count("\n") == 1


def test_restored_weights_that_are_no_numbers_are_told(capsys):
    np.savez("nan.npz", W1=np.full((785, 100), np.nan), W2=np.zeros((100, 10)))
    assert fnn.main(["--restore", "nan.npz", "--dataset", "generated"]) == 0
    assert "the weights of nan.npz hold numbers that are not finite" in capsys.readouterr().err


def test_either_precision_and_either_order_of_a_file_restores(capsys):
    fnn.main([*QUICK, "--run-dir", "run"])
    expected = capsys.readouterr().out.splitlines()[-1].split(";")[1]
    with np.load("run/model-2.npz") as weights:
        np.savez("single.npz", **{name: weights[name].astype(np.float32) for name in weights})
        np.savez("turned.npz", **{name: np.asfortranarray(weights[name]) for name in weights})
    for arguments in (["single.npz"], ["turned.npz"], ["single.npz", "--dtype", "float32"]):
        assert fnn.main(["--restore", *arguments, "--dataset", "generated"]) == 0
        assert capsys.readouterr().out.splitlines()[-1].split(";")[1] == expected


def test_gradient_check_stands_alone(capsys):
    assert fnn.main(["--gradient-check", "--steps", "3"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_gradient_check_fails_where_a_rule_is_wrong(monkeypatch, capsys):
    from deep_mnist.autodiff import Operation, tensorflow_check

    monkeypatch.setattr(
        tensorflow_check,
        "Relu",
        lambda: Operation("Relu", lambda x: np.maximum(x, 0), lambda g, y, x: g),
    )
    assert fnn.main(["--gradient-check"]) == 1
    assert "MORE THAN" in capsys.readouterr().out


def test_everything_works_without_tensorflow():
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "from deep_mnist import fnn\n"
        "assert fnn.main(['--dataset', 'generated', '--steps', '1', '--run-dir', 'run']) == 0\n"
        "assert fnn.main(['--restore', 'run', '--dataset', 'generated']) == 0\n"
        "assert fnn.main(['--gradient-check']) == 0\n"
        "import json; print(sorted(json.load(open('run/result.json'))['versions']))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "TensorFlow is not installed: central differences stand in for it" in done.stdout
    assert done.stdout.count("differences 0.999") == 2
    assert done.stdout.endswith("['deep_mnist', 'numpy', 'python']\n")
    assert done.stderr == ""


def test_logits_of_1e4_leave_loss_and_weights_finite():
    model = fnn.build(fnn.Config())
    model.weights["W2"] *= 1e3
    images = np.full((3, 784), 255, np.uint8)
    batch = fnn.in_blocks(data.Split(images, np.array([1, 2, 3], np.uint8)), "float64")
    hidden = np.maximum(fnn.with_ones(images, np.float64) @ model.weights["W1"], 0)
    assert np.abs(hidden @ model.weights["W2"]).max() > 1e4
    assert np.abs(model.log_probabilities(images)).max() < 28
    _, loss = model.train_step(batch)
    assert np.isfinite(loss)
    assert all(np.isfinite(value).all() for value in model.weights.values())


def test_numpy_session_evaluates_exactly(digits):
    model = fnn.build(fnn.Config())
    scores = {
        (score.correct, round(score.loss, 9))
        for score in (
            training.NumpySession(model).evaluate(digits.test, size) for size in (1, 7, 2000)
        )
    }
    assert len(scores) == 1
