"""Checkpoints on disk: what is restored, and the errors for damaged or other ones."""

import shutil

import numpy as np
import pytest

from deep_mnist import softmax, training
from deep_mnist.checkpoints import paths, reader, saver
from deep_mnist.checkpoints.variables import Spec
from deep_mnist.errors import CheckpointError, DamagedCheckpointError
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import optimizers


class Trained:
    """A softmax session in a graph of its own."""

    def __init__(self, optimizer="gradient-descent"):
        self.graph = tf.Graph()
        with self.graph.as_default():
            run_config = training.RunConfig()
            self.model = softmax.build(
                softmax.Config(), optimizers.create(optimizer, 0.01, "constant", 1, 0.999, 0)
            )
            self.sess = training.Session(self.model, run_config)
            self.sess.initialize()
            self.variables = {v.op.name: v for v in tf.global_variables()}

    def step(self):
        images = np.linspace(0, 1, 784, dtype=np.float32)[None, :]
        self.sess.run(
            self.model.train_step,
            {self.model.x: images, self.model.y_: np.eye(10, dtype=np.float32)[[3]]},
        )

    def values(self):
        return self.sess.run(self.variables)


@pytest.fixture(scope="module")
def _saved(tmp_path_factory):
    directory = tmp_path_factory.mktemp("saved")
    trained = Trained(optimizer="adam")
    for step in (1, 2):
        trained.step()
        trained.sess.save(directory, step, keep=5)
    return directory, trained.values()


@pytest.fixture
def saved(_saved, tmp_path):
    """A directory with model.ckpt-1 and model.ckpt-2 of an Adam run, and its last values."""
    directory, values = _saved
    return shutil.copytree(directory, tmp_path / "run"), values


def test_a_checkpoint_is_a_pair_of_files_and_a_relative_state_file(saved):
    directory, _ = saved
    assert sorted(path.name for path in directory.iterdir()) == [
        "checkpoint",
        "model.ckpt-1.data-00000-of-00001",
        "model.ckpt-1.index",
        "model.ckpt-2.data-00000-of-00001",
        "model.ckpt-2.index",
    ]
    assert (directory / "checkpoint").read_text() == (
        'model_checkpoint_path: "model.ckpt-2"\n'
        'all_model_checkpoint_paths: "model.ckpt-1"\n'
        'all_model_checkpoint_paths: "model.ckpt-2"\n'
    )
    assert tf.train.latest_checkpoint(str(directory)) == str(directory / "model.ckpt-2")


def test_restored_variables_are_equal_in_every_bit(saved):
    directory, values = saved
    other = Trained(optimizer="adam")
    other.sess.restore(directory / "model.ckpt-2")
    for name, value in other.values().items():
        np.testing.assert_array_equal(value, values[name])


def test_weights_are_restored_with_another_optimizer(saved):
    directory, values = saved
    other = Trained(optimizer="gradient-descent")
    other.sess.restore_weights(directory / "model.ckpt-2")
    np.testing.assert_array_equal(other.values()["W"], values["W"])
    assert other.values()["global_step"] == 0


def test_weights_can_be_saved_without_the_optimizer(saved, tmp_path):
    directory, _ = saved
    other = Trained()
    other.sess.restore_weights(directory / "model.ckpt-2")
    (tmp_path / "weights").mkdir()
    other.sess.save_weights(tmp_path / "weights", 2)
    assert reader.open_checkpoint(tmp_path / "weights" / "model.ckpt-2").specs == {
        "W": Spec((784, 10), "float32"),
        "b": Spec((10,), "float32"),
    }


def test_only_the_newest_checkpoints_are_kept(tmp_path):
    trained = Trained()
    for step in range(1, 8):
        trained.sess.save(tmp_path, step, keep=3)
    assert [prefix.name for prefix in saver.newest_first(tmp_path)] == [
        "model.ckpt-7",
        "model.ckpt-6",
        "model.ckpt-5",
    ]
    assert len(list(tmp_path.glob("*.data-*"))) == 3


def test_a_directory_can_be_moved(saved, tmp_path):
    directory, values = saved
    moved = directory.rename(tmp_path / "elsewhere")
    other = Trained(optimizer="adam")
    other.sess.restore(paths.find(str(moved)))
    np.testing.assert_array_equal(other.values()["W"], values["W"])


@pytest.mark.parametrize("name", ["run[1]", "run[", "run]", "run?", "run*"])
def test_a_path_with_wildcards_is_that_path(saved, name):
    directory, values = saved
    other = directory.rename(directory.with_name(name))
    trained = Trained(optimizer="adam")
    trained.sess.restore(other / "model.ckpt-2")
    np.testing.assert_array_equal(trained.values()["W"], values["W"])
    trained.sess.save(other, 3, keep=2)
    assert [prefix.name for prefix in saver.newest_first(other)] == ["model.ckpt-3", "model.ckpt-2"]
    trained.sess.restore_weights(paths.find(str(other)))


def test_a_prefix_with_wildcards_is_that_prefix(saved):
    directory, values = saved
    for path in directory.glob("model.ckpt-2.*"):
        path.rename(path.with_name(path.name.replace("model", "model[1]*")))
    trained = Trained(optimizer="adam")
    trained.sess.restore(directory / "model[1]*.ckpt-2")
    np.testing.assert_array_equal(trained.values()["W"], values["W"])


def test_the_missing_and_other_variables_of_another_model_are_listed(tmp_path):
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.Variable(tf.zeros([784, 11]), name="W")
        tf.Variable(tf.zeros([11]), name="bias")
        saver = tf.train.Saver()
        sess.run(tf.global_variables_initializer())
        saver.save(sess, str(tmp_path / "model.ckpt"), global_step=1, write_meta_graph=False)
    other = Trained()
    with pytest.raises(CheckpointError) as raised:
        other.sess.restore_weights(tmp_path / "model.ckpt-1")
    assert str(raised.value) == (
        f"checkpoint {tmp_path / 'model.ckpt-1'} has no variable W [784, 10], b [10], "
        "found W float32[784, 11], bias float32[11]"
    )
    assert not other.values()["W"].any()


def test_a_run_does_not_resume_with_another_optimizer(saved):
    directory, _ = saved
    with pytest.raises(CheckpointError, match="has the unexpected variable W/Adam float32"):
        Trained(optimizer="gradient-descent").sess.restore(directory / "model.ckpt-2")


def cut(path):
    path.write_bytes(path.read_bytes()[:100])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [cut, flip, lambda path: path.write_bytes(b"")])
@pytest.mark.parametrize("part", ["index", "data-00000-of-00001"])
def test_truncated_and_altered_files_are_damage(saved, damage, part):
    directory, _ = saved
    damage(directory / f"model.ckpt-2.{part}")
    with pytest.raises(DamagedCheckpointError, match=r"model\.ckpt-2 is damaged \("):
        saver.read(directory / "model.ckpt-2", {})


def test_a_missing_data_file_is_named(saved):
    directory, _ = saved
    (directory / "model.ckpt-2.data-00000-of-00001").unlink()
    with pytest.raises(
        DamagedCheckpointError, match=r"model\.ckpt-2\.data-00000-of-00001 is missing"
    ):
        Trained().sess.restore_weights(directory / "model.ckpt-2")


def test_only_the_files_of_a_killed_save_are_removed(saved):
    directory, _ = saved
    before = sorted(path.name for path in directory.iterdir())
    (directory / "model.ckpt-3.data-00000-of-00001.tempstate123").touch()
    (directory / "model.ckpt-3.data-00000-of-00001").touch()
    saver.remove_incomplete(directory)
    assert sorted(path.name for path in directory.iterdir()) == before


def test_a_failed_save_is_an_error_that_names_resume(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"cannot save step 1 in .*\nhint: .*--resume"):
        Trained().sess.save(tmp_path / "file" / "run", 1, keep=1)
