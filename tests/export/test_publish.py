"""Exports get their name when they are complete, and overwrite nothing."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deep_mnist.errors import DeepMnistError
from deep_mnist.export import publish


def version(name="made"):
    Path(name).mkdir()
    Path(name, "saved_model.pb").write_text(name)
    return Path(name)


def test_the_next_version_is_one_more_than_the_largest_number():
    out = Path("out")
    for name in ("2", "0007", "notes", "v9", "\u0663", "99999999999999999999"):
        (out / name).mkdir(parents=True)
    assert publish.publish_version(version(), out) == out / "8"
    assert (out / "8" / "saved_model.pb").read_text() == "made"
    (out / "12").write_text("a file of the user's")
    assert publish.publish_version(version(), out) == out / "13"


def test_concurrent_exports_get_different_versions():
    out = Path("out")
    out.mkdir()
    made = [version(f"made{number}") for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        published = list(pool.map(lambda source: publish.publish_version(source, out), made))
    assert sorted(int(path.name) for path in published) == list(range(1, 41))
    texts = {(path / "saved_model.pb").read_text() for path in published}
    assert texts == {f"made{number}" for number in range(40)}


def test_files_are_not_published_if_one_of_the_names_exists():
    out = Path("out")
    out.mkdir()
    (out / "cnn.npz").write_text("another's")
    for name in ("cnn.npz.json", "cnn.npz"):
        Path(name).write_text("ours")
    with pytest.raises(DeepMnistError, match=r"out/cnn.npz already exists"):
        publish.publish_files([Path("cnn.npz.json"), Path("cnn.npz")], out)
    assert [path.name for path in out.iterdir()] == ["cnn.npz"]
    assert (out / "cnn.npz").read_text() == "another's"


def test_a_failure_leaves_no_new_directory():
    Path("mine").mkdir()
    for directory in (Path("mine"), Path("mine/new/deep")):
        with pytest.raises(KeyboardInterrupt), publish.temporary_directory(directory) as temporary:
            (temporary / "incomplete").write_text("incomplete")
            raise KeyboardInterrupt
    assert [str(path) for path in Path().rglob("*")] == ["mine"]


def test_a_directory_that_cannot_be_created_is_an_error():
    Path("file").touch()
    with pytest.raises(NotADirectoryError), publish.temporary_directory(Path("file/out")):
        pass
