"""What an evaluator prints of a checkpoint."""

import re
from typing import NamedTuple

import pytest

from deep_mnist import softmax
from deep_mnist.checkpoints import reader
from deep_mnist.distributed import evaluator
from deep_mnist.distributed.task import Task
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import Options, RunConfig, Session


class Watched(NamedTuple):
    model: softmax.Model
    sess: Session
    evaluator: evaluator.Evaluator  # of a run of two steps in tmp_path


@pytest.fixture
def watched(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluator, "PAUSE", 0.0)
    cluster = {"ps": {0: "127.0.0.1:1"}, "worker": {0: "127.0.0.1:2"}}
    task = Task("softmax", cluster, "evaluator", 0)
    options = Options(run_dir=str(tmp_path))
    run = evaluator.Evaluator(task, softmax.Config(steps=2), RunConfig(), options)
    run.dataset = digits
    with tf.Graph().as_default(), run.scope():
        model = softmax.build(run.config)
        with run.session(model) as sess:
            sess.initialize()
            yield Watched(model, sess, run)


def evaluated_steps(watched, capsys):
    assert list(watched.evaluator.batches(watched.evaluator.dataset.train, 50)) == []
    printed = capsys.readouterr().out
    steps = re.findall(r"^step (\d+), validation accuracy 0\.\d+", printed, re.MULTILINE)
    return [int(step) for step in steps]


def test_the_step_printed_is_the_one_in_the_checkpoint(watched, tmp_path, capsys):
    images = {watched.model.x: [[0.0] * 784], watched.model.y_: [[1.0] + [0.0] * 9]}
    for _ in range(3):  # the last is another worker's, while the chief saved the second
        watched.sess.run(watched.model.train_step, images)
    watched.sess.save(tmp_path, 2, keep=1)
    assert evaluated_steps(watched, capsys) == [3]


def test_a_checkpoint_that_is_removed_while_it_is_read_is_skipped(
    watched, tmp_path, monkeypatch, capsys
):
    watched.sess.save(tmp_path, 1, keep=1)
    open_checkpoint = reader.open_checkpoint

    def then_prune(prefix):
        checkpoint = open_checkpoint(prefix)
        watched.sess.save(tmp_path, 2, keep=1)  # by the chief, which keeps only this one
        monkeypatch.setattr(reader, "open_checkpoint", open_checkpoint)
        return checkpoint

    monkeypatch.setattr(reader, "open_checkpoint", then_prune)
    assert evaluated_steps(watched, capsys) == [0]  # global_step, which nothing has increased
