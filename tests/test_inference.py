"""Classifiers with pretrained weights: from any thread, for images in any usual form."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from deep_mnist import inference
from deep_mnist.checkpoints import pretrained
from deep_mnist.errors import DeepMnistError


@pytest.fixture(scope="module")
def classifiers():
    loaded = {name: inference.load_model(name) for name in inference.PROGRAMS}
    yield loaded
    for classifier in loaded.values():
        classifier.close()


def images(count):
    return 0.8 * np.random.default_rng(0).random((count, 784), np.float32)


def test_the_shapes_of_the_weights_identify_the_program():
    for name in inference.PROGRAMS:
        assert inference.recognize(str(pretrained.directory(name))) == name
    np.savez("other.npz", W=np.zeros((784, 11)), b=np.zeros(11))
    with pytest.raises(
        DeepMnistError,
        match=r"no variable W \[784, 10\].* found W float64\[784, 11\].* similar model is softmax",
    ):
        inference.recognize("other.npz")


@pytest.mark.parametrize("name", inference.PROGRAMS)
def test_rows_are_probabilities(classifiers, name):
    rows = classifiers[name].predict_proba(images(7))
    assert (rows.shape, rows.dtype) == ((7, 10), np.float64)
    assert rows.min() >= 0
    assert rows.sum(axis=1) == pytest.approx(np.ones(7), abs=1e-9)
    assert classifiers[name].predict_proba(np.zeros((0, 784))).shape == (0, 10)


@pytest.mark.parametrize("name", inference.PROGRAMS)
def test_threads_get_the_same_predictions_as_one_thread(classifiers, name):
    batches = [images(5) * scale for scale in np.linspace(0.1, 1, 16)]
    expected = [classifiers[name].predict_proba(batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            found = list(pool.map(classifiers[name].predict_proba, batches))
            assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(found, expected, strict=True))


def test_all_accepted_forms_of_an_image_give_the_same_prediction(classifiers):
    grays = np.random.default_rng(0).integers(0, 200, (2, 28, 28))
    expected = classifiers["softmax"].predict_proba(grays.reshape(2, 784) / 255)
    for form in (
        grays,
        grays.astype(np.uint8).reshape(2, 784),
        grays[..., None] / 255,
        (grays / 255).tolist(),
    ):
        assert classifiers["softmax"].predict_proba(form) == pytest.approx(expected, abs=1e-6)
    assert classifiers["softmax"].predict_proba(grays[0]) == pytest.approx(expected[:1], abs=1e-6)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (np.zeros((3, 2352)), r"expected the shape .* found \(3, 2352\)"),
        (np.zeros((28, 27)), r"found \(28, 27\)"),
        (np.full(784, 1.5), "values from 0 to 1, found 1.5 to 1.5"),
        (np.full(784, np.nan), "found nan"),
        (np.full(784, -1), "values from 0 to 255, found -1"),
        (np.full(784, "a"), "expected numbers"),
    ],
)
def test_images_of_a_wrong_shape_type_or_range_are_an_error(wrong, expected):
    with pytest.raises(DeepMnistError, match=expected):
        inference.as_images(wrong)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda digits: 1 - digits, "3 of 3 have a bright border, .* pass 1 - images"),
        (
            lambda digits: digits / 255,
            r"3 of 3 have no value above 0\.0039, .* divided by 255 twice",
        ),
    ],
)
def test_inverted_and_twice_scaled_images_give_a_warning(classifiers, change, expected):
    digits = np.zeros((3, 28, 28))
    digits[:, 4:24, 12:16] = 1
    assert classifiers["cnn"].predict_proba(digits).argmax(axis=1).tolist() == [1, 1, 1]
    with pytest.warns(UserWarning, match=expected):
        classifiers["cnn"].predict_proba(change(digits))


@pytest.mark.parametrize("name", inference.PROGRAMS)
def test_the_predicted_label_is_the_most_probable_class(classifiers, name):
    labels = classifiers[name].predict(images(7))
    assert (labels.shape, labels.dtype) == ((7,), np.int64)
    assert labels.tolist() == classifiers[name].predict_proba(images(7)).argmax(axis=1).tolist()


def test_feature_maps_are_the_outputs_of_the_convolutional_layers(classifiers):
    shapes = [layer.shape for layer in classifiers["cnn"].feature_maps(images(3))]
    assert shapes == [(3, 28, 28, 32), (3, 14, 14, 64)]
    for name in ("softmax", "mlp", "fnn"):
        assert classifiers[name].feature_maps(images(3)) == []


def test_outputs_of_mlp_become_the_nearest_probabilities():
    rows = inference.nearest_probabilities(
        np.array([[0.9, 0.1, 0, 0], [0.6, 0, 0, 0], [-1.0, -2.0, -1.0, -9.0], [3.0, 1.0, 0, 0]])
    )
    assert rows == pytest.approx(
        np.array([[0.9, 0.1, 0, 0], [0.7, 0.1, 0.1, 0.1], [0.5, 0, 0.5, 0], [1, 0, 0, 0]])
    )


def test_an_unknown_name_and_a_missing_checkpoint_are_errors():
    with pytest.raises(DeepMnistError, match="expected one of softmax, cnn, mlp, fnn, found 'rnn'"):
        inference.load_model("rnn")
    with pytest.raises(DeepMnistError, match="nowhere"):
        inference.load_model("fnn", "nowhere")


def test_fnn_predicts_without_tensorflow():
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import numpy as np\n"
        "from deep_mnist import inference\n"
        "print(inference.load_model('fnn').predict_proba(np.zeros(784)).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("(1, 10)\n", "")


def test_a_model_is_loaded_with_one_thread_per_op_on_request():
    code = """
import numpy as np
from deep_mnist import cnn, load_model
with load_model("cnn", intra_op_threads=1) as model:
    print(model.predict(np.zeros(784)).shape)
cnn.main(["--steps", "1", "--dataset", "generated", "--intra-op-threads", "2"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("(1,)\n")
    assert "this process already uses --intra-op-threads 1" in done.stderr
