"""Charts as values of a notebook's cells."""

import base64
import re

import numpy as np
import pytest

from deep_mnist import softmax
from deep_mnist.autodiff import Comparison
from deep_mnist.data import Split
from deep_mnist.errors import DeepMnistError
from deep_mnist.report import figure, gradient_check, notebook

QUICK = ["--dataset", "generated", "--batch-size", "20", "--log-every", "4", "--quiet"]


def test_the_charts_are_those_of_the_newest_finished_run():
    with pytest.raises(DeepMnistError, match="no finished run of softmax in "):
        notebook.charts("softmax")
    for steps in ("8", "40"):
        assert softmax.main([*QUICK, "--steps", steps]) == 0
    charts = notebook.charts("softmax")
    assert list(charts) == ["curves", "confusion", "misclassified", "weights"]
    assert "from step 0 to 36 " in charts["curves"].alt


def test_a_chart_is_displayed_as_an_image_with_its_text_alternative():
    images = np.zeros([12, 784], np.uint8)
    chart = notebook.digits(Split(images, np.arange(12, dtype=np.uint8) % 10), 11, 'Digits "<&>"')
    html = chart._repr_html_()
    assert 'alt="Images of the digits 0 1 2 3 4 5 6 7 8 9 0."' in html
    (content,) = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', html)
    svg = base64.b64decode(content).decode("utf-8")
    assert svg.count("<image ") == 11
    assert "<text" in svg  # in the style of the report, text stays text


def test_the_gradients_agree_with_tensorflows():
    chart = notebook.gradient_check()
    assert re.fullmatch(r"The gradients differ from TensorFlow's by at most \de-\d\d", chart.title)
    assert chart.alt.count("epsilon 1e-12: ") == 5
    assert chart.alt.count("epsilon 0: ") == 5


def test_gradients_that_are_equal_are_drawn():
    rows = [
        Comparison("log", epsilon, 1.0, 1.0, difference, 1e-6)
        for epsilon, difference in ((1e-12, 0.0), (0.0, 1e-3))
    ]
    with figure.style():
        chart = gradient_check.draw(rows)
    assert chart.title == "The gradients differ from TensorFlow's by at most 1e-03"
    assert chart.content("png").startswith(b"\x89PNG")
