"""What an evaluator says of a checkpoint."""

import re

from deep_mnist import softmax, training
from deep_mnist.training import checkpoints, tf
from deep_mnist.training.cluster import evaluator
from deep_mnist.training.cluster.task import Task
from deep_mnist.training.flags import Options


def test_a_checkpoint_is_of_the_step_that_is_in_it(digits, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(evaluator, "PAUSE", 0.0)
    jobs = {"ps": {0: "127.0.0.1:1"}, "worker": {0: "127.0.0.1:2"}}
    config = softmax.Config(steps=1)
    options = Options(run_dir=str(tmp_path), member=Task("softmax", jobs, "evaluator", 0))
    with tf.Graph().as_default():
        model = softmax.build(config)
        with training.Session(model, config) as sess:
            sess.initialize()
            images = {model.x: [[0.0] * 784], model.y_: [[1.0] + [0.0] * 9]}
            sess.run(model.train_step, images)
            sess.run(model.train_step, images)  # another worker's, while the chief saved the first
            sess.save(tmp_path, 1, keep=1)
            run = evaluator.Evaluator("softmax", sess, digits, config, options)
            assert list(run.steps()) == []
    assert re.search(r"^step 2, validation accuracy 0\.\d+", capsys.readouterr().out, re.MULTILINE)


def test_a_checkpoint_that_goes_away_while_it_is_read_is_passed_over(
    digits, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(evaluator, "PAUSE", 0.0)
    jobs = {"ps": {0: "127.0.0.1:1"}, "worker": {0: "127.0.0.1:2"}}
    config = softmax.Config(steps=2)
    options = Options(run_dir=str(tmp_path), member=Task("softmax", jobs, "evaluator", 0))
    with tf.Graph().as_default():
        model = softmax.build(config)
        with training.Session(model, config) as sess:
            sess.initialize()
            sess.save(tmp_path, 1, keep=1)
            check_fits = checkpoints.check_fits

            def then_prune(prefix, specs):
                check_fits(prefix, specs)
                sess.save(tmp_path, 2, keep=1)  # by the chief, which keeps but this one
                monkeypatch.setattr(checkpoints, "check_fits", check_fits)

            monkeypatch.setattr(checkpoints, "check_fits", then_prune)
            run = evaluator.Evaluator("softmax", sess, digits, config, options)
            assert list(run.steps()) == []
    printed = capsys.readouterr().out
    assert re.findall(r"^step \d+, validation accuracy", printed, re.MULTILINE) == [
        "step 0, validation accuracy"  # global_step, which nothing has trained
    ]
