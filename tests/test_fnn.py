import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deep_mnist import data, fnn, training
from deep_mnist.autodiff import gradient_check, gradients
from deep_mnist.data.micro_batches import micro_batches
from deep_mnist.lazy_tensorflow import tf

needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow"
)

QUICK = ["--dataset", "generated", "--steps", "2"]


@pytest.fixture(autouse=True)
def _strict_arithmetic(digits):
    """Of NumPy, for our own operations: `digits` has drawn the synthetic digits before."""
    with np.errstate(all="raise"):
        yield


def batch_of(images, labels, dtype="float64"):
    return next(micro_batches(data.Split(images, labels), len(labels), fnn.with_ones, dtype))


def document_step(images, labels, W1, W2):
    """A step as the document computes it; returns accuracy, loss and the new weights."""
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


def test_there_are_79500_weights_with_a_standard_normal_distribution():
    weights = fnn.build(fnn.Config()).weights
    assert {name: value.shape for name, value in weights.items()} == {
        "W1": (785, 100),
        "W2": (100, 10),
    }
    assert sum(value.size for value in weights.values()) == 79_500
    assert weights["W1"].mean() == pytest.approx(0, abs=0.02)
    assert weights["W1"].std() == pytest.approx(1, abs=0.01)


def test_with_ones_scales_the_images_and_appends_ones():
    x = fnn.with_ones(np.array([[0, 51, 255] + [0] * 781], np.uint8), np.float64)
    assert x.shape == (1, 785)
    assert x[0, :3].tolist() == [0, 0.2, 1]
    assert x[0, -1] == 1


def test_loss_is_the_cross_entropy_summed_over_the_batch():
    log_p = np.log([[0.25, 0.75], [0.5, 0.5]])
    y_ = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert fnn.loss(y_, log_p).value == pytest.approx(-np.log(0.75) - np.log(0.5))


def test_a_step_is_the_documents(digits):
    images, labels = digits.train.images[:3000], digits.train.labels[:3000]
    model = fnn.build(fnn.Config())
    W1, W2 = (value.copy() for value in model)
    for _ in range(3):
        with np.errstate(under="ignore"):
            accuracy, loss, W1, W2 = document_step(images, labels, W1, W2)
        found_accuracy, found_loss = fnn.train_step(model, batch_of(images, labels), 1e-5)
        assert found_accuracy == accuracy
        assert found_loss == pytest.approx(loss, rel=1e-9)
        np.testing.assert_allclose(model.W1, W1, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(model.W2, W2, rtol=1e-9, atol=1e-12)


@needs_tensorflow
def test_a_step_has_tensorflows_gradients(digits):
    images, labels = digits.train.images[:200], digits.train.labels[:200]
    model = fnn.build(fnn.Config())
    model.W1[...] *= 0.05  # so that no probability is near an epsilon
    before = [value.copy() for value in model]
    with tf.Graph().as_default(), tf.Session() as sess:
        W1, W2 = (tf.constant(value) for value in before)
        x = np.hstack([images / 255, np.ones((200, 1))])
        logits = tf.matmul(tf.nn.relu(tf.matmul(x, W1)), W2)
        losses = tf.nn.softmax_cross_entropy_with_logits_v2(
            labels=np.eye(10)[labels], logits=logits
        )
        expected = sess.run(tf.gradients(tf.reduce_sum(losses), [W1, W2]))
    fnn.train_step(model, batch_of(images, labels), learning_rate=1.0)
    for old, new, gradient in zip(before, model, expected, strict=True):
        assert np.abs(old - new - gradient).max() <= 1e-6 * np.abs(gradient).max()


def test_gradients_of_the_network_against_central_differences(digits):
    images, labels = digits.train.images[:20], digits.train.labels[:20]
    x, y_ = fnn.with_ones(images, np.float64), np.eye(10)[labels]
    random = np.random.default_rng(0)
    W1, W2 = 0.1 * random.normal(size=(785, 100)), 0.1 * random.normal(size=(100, 10))
    gradient_check(lambda W1, W2: fnn.loss(y_, fnn.inference(x, W1, W2)), W1, W2, tolerance=1e-5)


def test_a_step_subtracts_the_gradient_times_the_learning_rate(digits):
    images, labels = digits.train.images[:20], digits.train.labels[:20]
    model = fnn.build(fnn.Config())
    W1, W2 = (value.copy() for value in model)
    x, y_ = fnn.with_ones(images, np.float64), np.eye(10)[labels]
    W1_grad, W2_grad = gradients(fnn.loss(y_, fnn.inference(x, W1, W2)), [W1, W2])
    with np.errstate(under="ignore"):
        fnn.train_step(model, batch_of(images, labels), learning_rate=0.25)
        np.testing.assert_allclose(model.W1, W1 - 0.25 * W1_grad, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(model.W2, W2 - 0.25 * W2_grad, rtol=1e-9, atol=1e-12)


def test_float32_weights_stay_float32(digits):
    model = fnn.build(fnn.Config(dtype="float32"))
    batch = batch_of(digits.train.images[:20], digits.train.labels[:20], "float32")
    with np.errstate(under="ignore"):
        fnn.train_step(model, batch, 1e-5)
    assert {value.dtype for value in model} == {np.dtype(np.float32)}


def test_output_has_the_documents_lines_and_the_test_accuracy_last(capsys):
    assert fnn.main([*QUICK, "--run-dir", "run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("epoch 0 : loss 2")
    assert " ; accuracy 0." in lines[1]
    assert lines[2].startswith("epoch 1 : loss ")
    assert lines[-1].startswith("test loss ")
    assert " ; accuracy 0." in lines[-1]
    assert lines[-1].endswith("of 2000 SYNTHETIC digits, not MNIST)")
    assert sorted(path.name for path in Path("run").iterdir()) == [
        ".lock",
        "config.json",
        "metrics.jsonl",
        "model-2.npz",
        "result.json",
    ]
    with np.load("run/model-2.npz", allow_pickle=False) as archive:
        assert sorted(archive.files) == ["W1", "W2"]


def test_a_resumed_run_ends_with_the_same_bits_and_checkpoints_restore(capsys):
    steps = ["--dataset", "generated", "--steps", "4", "--save-every", "2", "--batch-size", "5001"]
    fnn.main([*steps, "--run-dir", "whole"])
    trained = capsys.readouterr().out.splitlines()
    fnn.main([*steps, "--run-dir", "cut"])
    for name in ("result.json", "model-4.npz"):
        Path("cut", name).unlink()
    Path("cut/model-9.npz.0123456789abcdef.tmp").write_bytes(b"left by a killed process")
    capsys.readouterr()
    assert fnn.main(["--resume", "cut"]) == 0
    assert "resuming cut after step 2" in capsys.readouterr().out
    hashes = {
        json.loads(Path(run, "result.json").read_text())["weights_sha256"]
        for run in ("whole", "cut")
    }
    assert len(hashes) == 1
    assert not Path("cut/model-9.npz.0123456789abcdef.tmp").exists()
    assert [line.split(" :")[0] for line in trained[1:5]] == [
        "epoch 0",
        "epoch 0.5",
        "epoch 1",
        "epoch 1.5",
    ]
    for path in ("whole", "whole/model-4.npz", "whole/model-4"):
        assert fnn.main(["--restore", path, "--dataset", "generated", "--quiet"]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == trained[-1]


def test_damaged_checkpoints_are_skipped_and_those_of_other_models_are_errors(capsys):
    steps = ["--dataset", "generated", "--steps", "3", "--save-every", "1", "--batch-size", "50"]
    fnn.main([*steps, "--run-dir", "run"])
    Path("run/result.json").unlink()
    newest = Path("run/model-3.npz")
    whole = newest.read_bytes()
    newest.write_bytes(whole[: len(whole) // 2])
    capsys.readouterr()
    assert fnn.main(["--resume", "run"]) == 0
    printed = capsys.readouterr()
    assert "warning: fnn: skipped: checkpoint run/model-3.npz is damaged" in printed.err
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
        (
            "names.npz",
            "has no variable W1 float64[785, 100], W2 float64[100, 10], and has the unexpected",
        ),
        ("text.npz", "is damaged"),
        ("flipped.npz", "is damaged"),
        ("nowhere", "is not a checkpoint"),
    ):
        assert fnn.main(["--restore", path, "--dataset", "generated"]) == 2
        error = capsys.readouterr().err
        assert error.startswith("error: fnn: ")
        assert expected in error


def test_pickled_weights_are_never_loaded(capsys):
    np.savez("objects.npz", W1=np.array([{}]), W2=np.zeros((100, 10)))
    assert fnn.main(["--restore", "objects.npz", "--dataset", "generated"]) == 2
    assert "never loaded" in capsys.readouterr().err


@needs_tensorflow
def test_gradient_check_prints_each_operation_next_to_tensorflows(capsys):
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


def test_a_diverging_run_is_an_error(capsys):
    assert fnn.main([*QUICK, "--learning-rate", "1e300"]) == 2
    assert capsys.readouterr().err == (
        "error: fnn: training diverged: the loss is nan at step 1 with --learning-rate 1e+300\n"
        "hint: start again with a smaller --learning-rate\n"
    )


def test_a_learning_rate_that_is_too_large_is_reported(capsys):
    assert fnn.main([*QUICK, "--learning-rate", "1"]) == 0
    assert capsys.readouterr().err == (
        "warning: fnn: the model predicts only 2: it has not learned to distinguish the classes\n"
        "hint: start again with a smaller --learning-rate, or with more --steps\n"
    )


def test_non_finite_weights_are_restored_with_a_warning(capsys):
    np.savez("nan.npz", W1=np.full((785, 100), np.nan), W2=np.zeros((100, 10)))
    assert fnn.main(["--restore", "nan.npz", "--dataset", "generated"]) == 0
    assert (
        "warning: fnn: the loss is nan: the weights of nan.npz are non-finite"
        in capsys.readouterr().err
    )


def test_files_of_either_precision_and_memory_order_restore(capsys):
    fnn.main([*QUICK, "--run-dir", "run"])
    expected = capsys.readouterr().out.splitlines()[-1].split(";")[1]
    with np.load("run/model-2.npz") as weights:
        np.savez("single.npz", **{name: weights[name].astype(np.float32) for name in weights})
        np.savez("fortran.npz", **{name: np.asfortranarray(weights[name]) for name in weights})
    for arguments in (["single.npz"], ["fortran.npz"], ["single.npz", "--dtype", "float32"]):
        assert fnn.main(["--restore", *arguments, "--dataset", "generated"]) == 0
        assert capsys.readouterr().out.splitlines()[-1].split(";")[1] == expected


def test_gradient_check_with_other_flags_is_an_error(capsys):
    assert fnn.main(["--steps", "3", "--gradient-check"]) == 2
    assert capsys.readouterr().err == (
        "error: fnn: --gradient-check: expected no other flags, found --steps 3\n"
    )


def test_gradient_check_fails_if_a_rule_is_wrong(monkeypatch, capsys):
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
    assert "TensorFlow is not installed: comparing with central differences" in done.stdout
    assert done.stdout.count("differences 0.999") == 2
    assert done.stdout.endswith("['deep_mnist', 'numpy', 'python']\n")
    assert done.stderr == ""


def test_loss_and_weights_stay_finite_with_logits_of_1e4():
    model = fnn.build(fnn.Config())
    model.W2[...] *= 1e3
    images = np.full((3, 784), 255, np.uint8)
    hidden = np.maximum(fnn.with_ones(images, np.float64) @ model.W1, 0)
    assert np.abs(hidden @ model.W2).max() > 1e4
    assert np.abs(model.log_probabilities(images)).max() < 28
    _, loss = fnn.train_step(model, batch_of(images, np.array([1, 2, 3], np.uint8)), 1e-5)
    assert np.isfinite(loss)
    assert all(np.isfinite(value).all() for value in model)


def test_numpy_session_evaluates_exactly(digits):
    model = fnn.build(fnn.Config())
    scores = {
        (score.correct, round(score.loss, 9))
        for score in (
            training.NumpySession(model).evaluate(digits.test, size) for size in (1, 7, 2000)
        )
    }
    assert len(scores) == 1
