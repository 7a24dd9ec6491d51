"""The shelf: trained models by name, from any thread, in any form of image that people have."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from deep_mnist import inference
from deep_mnist.checkpoints import pretrained
from deep_mnist.errors import DeepMnistError


@pytest.fixture(scope="module")
def shelf():
    opened = {name: inference.load(name) for name in inference.NAMES}
    yield opened
    for model in opened.values():
        model.close()


def images(count):
    return 0.8 * np.random.default_rng(0).random((count, 784), np.float32)


def test_whose_the_weights_are_is_told_by_their_shapes():
    for name in inference.NAMES:
        assert inference.recognize(str(pretrained.directory(name))) == name
    np.savez("other.npz", W=np.zeros((784, 11)), b=np.zeros(11))
    with pytest.raises(
        DeepMnistError, match=r"nearest model is softmax: .*11 classes apart, not 10"
    ):
        inference.recognize("other.npz")


@pytest.mark.parametrize("name", inference.NAMES)
def test_rows_are_probabilities(shelf, name):
    rows = shelf[name].probabilities(images(7))
    assert (rows.shape, rows.dtype) == ((7, 10), np.float64)
    assert rows.min() >= 0
    assert rows.sum(axis=1) == pytest.approx(np.ones(7), abs=1e-9)
    assert shelf[name].probabilities(np.zeros((0, 784))).shape == (0, 10)


@pytest.mark.parametrize("name", inference.NAMES)
def test_threads_get_the_answers_of_one(shelf, name):
    batches = [images(5) * scale for scale in np.linspace(0.1, 1, 16)]
    expected = [shelf[name].probabilities(batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            found = list(pool.map(shelf[name].probabilities, batches))
            assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(found, expected, strict=True))


def test_every_usual_form_of_an_image_is_the_same(shelf):
    greys = np.random.default_rng(0).integers(0, 200, (2, 28, 28))
    expected = shelf["softmax"].probabilities(greys.reshape(2, 784) / 255)
    for form in (
        greys,
        greys.astype(np.uint8).reshape(2, 784),
        greys[..., None] / 255,
        (greys / 255).tolist(),
    ):
        assert shelf["softmax"].probabilities(form) == pytest.approx(expected, abs=1e-6)
    assert shelf["softmax"].probabilities(greys[0]) == pytest.approx(expected[:1], abs=1e-6)


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
def test_images_that_can_not_be_meant_are_refused(wrong, expected):
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
def test_inverted_and_twice_scaled_images_are_warned_of(shelf, change, expected):
    digits = np.zeros((3, 28, 28))
    digits[:, 4:24, 12:16] = 1
    assert shelf["cnn"].probabilities(digits).argmax(axis=1).tolist() == [1, 1, 1]
    with pytest.warns(UserWarning, match=expected):
        shelf["cnn"].probabilities(change(digits))


def test_the_outputs_of_mlp_become_the_nearest_probabilities():
    rows = inference.nearest_probabilities(
        np.array([[0.9, 0.1, 0, 0], [0.6, 0, 0, 0], [-1.0, -2.0, -1.0, -9.0], [3.0, 1.0, 0, 0]])
    )
    assert rows == pytest.approx(
        np.array([[0.9, 0.1, 0, 0], [0.7, 0.1, 0.1, 0.1], [0.5, 0, 0.5, 0], [1, 0, 0, 0]])
    )


def test_names_and_checkpoints_that_are_not_there_are_told():
    with pytest.raises(DeepMnistError, match="expected one of softmax, mlp, cnn, fnn, found 'rnn'"):
        inference.load("rnn")
    with pytest.raises(DeepMnistError, match="nowhere"):
        inference.load("fnn", "nowhere")


def test_fnn_needs_no_tensorflow():
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import numpy as np\n"
        "from deep_mnist import inference\n"
        "print(inference.load('fnn').probabilities(np.zeros(784)).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("(1, 10)\n", "")
