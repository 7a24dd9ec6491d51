"""The floor under benchmarks/photographs.py: on each kind of picture the digits are found."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("PIL", reason="NumPy alone is installed")

from deep_mnist import data
from deep_mnist.errors import ImageError
from deep_mnist.vision import image

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def overlap(a, b):
    """What two boxes share of what they cover."""
    across = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    down = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0, across) * max(0, down)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def is_found(scene):
    try:
        boxes = [digit.box for digit in image.digits(image.read(scene.file()))]
    except ImageError:
        return False
    drawn = scene.boxes()
    return len(boxes) == len(drawn) and all(
        overlap(a, b) > 0.6 for a, b in zip(boxes, drawn, strict=True)
    )


@pytest.mark.mnist
def test_digits_are_found_where_people_write_them(mnist_dir, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import photographs

    images = data.load_data("mnist", mnist_dir).test.images
    lost = []
    for kind, count in photographs.KINDS.items():
        random = photographs.generator(kind, 7, 0)
        chosen = random.choice(len(images), count, replace=False)
        if not is_found(kind(images[chosen].reshape(-1, 28, 28), random)):
            lost.append(kind.__name__)
    for name in ("photographs", "scenes", "report"):
        sys.modules.pop(name)
    assert len(photographs.KINDS) == 19
    assert len(lost) <= 1, lost
