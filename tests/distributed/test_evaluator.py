"""What an evaluator says of a checkpoint."""

import re
from typing import NamedTuple

import pytest

from deep_mnist import softmax, training
from deep_mnist.checkpoints import saver
from deep_mnist.cli.flags import Options
from deep_mnist.distributed import evaluator
from deep_mnist.distributed.task import Task
from deep_mnist.lazy_tensorflow import tf


class Watched(NamedTuple):
    model: softmax.Model
    sess: training.Session
    evaluator: evaluator.Evaluator  # of a run of two steps in tmp_path


@pytest.fixture
def watched(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluator, "PAUSE", 0.0)
    jobs = {"ps": {0: "127.0.0.1:1"}, "worker": {0: "127.0.0.1:2"}}
    config = softmax.Config(steps=2)
    options = Options(run_dir=str(tmp_path), member=Task("softmax", jobs, "evaluator", 0))
    with tf.Graph().as_default():
        model = softmax.build(config)
        with training.Session(model, config) as sess:
            sess.initialize()
            run = evaluator.Evaluator("softmax", sess, digits, config, options)
            yield Watched(model, sess, run)


def steps_said(capsys):
    said = capsys.readouterr().out
    steps = re.findall(r"^step (\d+), validation accuracy 0\.\d+", said, re.MULTILINE)
    return [int(step) for step in steps]


def test_a_checkpoint_is_of_the_step_that_is_in_it(watched, tmp_path, capsys):
    images = {watched.model.x: [[0.0] * 784], watched.model.y_: [[1.0] + [0.0] * 9]}
    for _ in range(3):  # the last is another worker's, while the chief saved the second
        watched.sess.run(watched.model.train_step, images)
    watched.sess.save(tmp_path, 2, keep=1)
    assert list(watched.evaluator.steps()) == []
    assert steps_said(capsys) == [3]


def test_a_checkpoint_that_goes_away_while_it_is_read_is_passed_over(
    watched, tmp_path, monkeypatch, capsys
):
    watched.sess.save(tmp_path, 1, keep=1)
    check_variables = saver.check_variables

    def then_prune(prefix, specs):
        check_variables(prefix, specs)
        watched.sess.save(tmp_path, 2, keep=1)  # by the chief, which keeps but this one
        monkeypatch.setattr(saver, "check_variables", check_variables)

    monkeypatch.setattr(saver, "check_variables", then_prune)
    assert list(watched.evaluator.steps()) == []
    assert steps_said(capsys) == [0]  # global_step, which nothing has trained
