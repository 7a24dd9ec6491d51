"""`python -m deep_mnist.legacy checkpoint`: what it prints, and its errors."""

from pathlib import Path

import numpy as np
import pytest

from deep_mnist import softmax
from deep_mnist.checkpoints import pretrained
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.legacy import __main__ as legacy


@pytest.fixture(scope="module")
def _old(tmp_path_factory):
    """Two trained softmax models in one file, as a notebook that ran twice leaves them."""
    prefix = tmp_path_factory.mktemp("old") / "model.ckpt"
    generator = np.random.default_rng(0)
    with tf.Graph().as_default(), tf.Session() as sess:
        for name, shape in (("", [784, 10]), ("_1", [10]), ("_2", [784, 10]), ("_3", [10])):
            tf.Variable(generator.random(shape, np.float32), name=f"Variable{name}")
        tf.train.create_global_step()
        saver = tf.train.Saver()
        sess.run(tf.global_variables_initializer())
        saver.save(sess, str(prefix), global_step=7, write_meta_graph=False)
    return prefix.parent


@pytest.fixture
def old(_old):
    """Its directory, as `old` in the working directory."""
    Path("old").symlink_to(_old)
    return "old"


def test_a_file_is_described_and_converted(old, capsys):
    take = ["--take", "Variable_2,Variable_3"]
    assert legacy.main(["checkpoint", old, *take, "--convert", "new"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "old/model.ckpt-7: TensorFlow checkpoint (V2: .index and .data), 5 variables",
        "model: softmax",
        "converted; restore with: python -m deep_mnist.softmax --restore new",
        "  Variable_2 float32[784, 10]  is W: selected by name",
        "  Variable_3 float32[10]       is b: selected by name",
        "  Variable float32[784, 10]    unused: not in this model",
        "  Variable_1 float32[10]       unused: not in this model",
        "  global_step int64[]          unused: a single number, such as a step counter",
    ]
    assert sorted(path.name for path in Path("new").iterdir()) == [
        "checkpoint",
        "model.ckpt-7.data-00000-of-00001",
        "model.ckpt-7.index",
    ]
    assert softmax.main(["--restore", "new", "--dataset", "generated"]) == 0
    assert "restored new/model.ckpt-7\n" in capsys.readouterr().out


def test_choices_are_listed_where_two_sets_of_variables_fit(old, capsys):
    assert legacy.main(["checkpoint", old]) == 2
    printed = capsys.readouterr()
    assert "  Variable_2 float32[784, 10]\n" in printed.out
    assert "that fit the model: Variable,Variable_1 or Variable_2,Variable_3" in printed.err
    assert " --take Variable_2,Variable_3 --convert OUT\n" in printed.err


def test_a_program_lists_the_same_choices(old, capsys):
    assert softmax.main(["--restore", old, "--dataset", "generated"]) == 2
    assert "choose with: python -m deep_mnist.legacy checkpoint old/" in capsys.readouterr().err


def test_the_pretrained_cnn_is_recognized_and_the_list_comes_last(capsys):
    saved = Path(softmax.__file__).parents[1] / "saved" / "cnn"
    assert legacy.main(["checkpoint", str(saved)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "model: cnn"
    assert lines[2].startswith("restore with: python -m deep_mnist.cnn --restore ")
    assert all(line.startswith("  ") for line in lines[3:])


def test_a_checkpoint_of_no_model_is_compared_with_the_most_similar(capsys):
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.Variable(tf.zeros([784, 26]))
        tf.Variable(tf.zeros([26]))
        saver = tf.train.Saver()
        sess.run(tf.global_variables_initializer())
        Path("letters").mkdir()
        saver.save(sess, "letters/model.ckpt")
    assert legacy.main(["checkpoint", "letters"]) == 2
    assert capsys.readouterr().err == (
        "error: legacy checkpoint: the most similar model is softmax: checkpoint "
        "letters/model.ckpt has no variable W [784, 10], b [10], found "
        "Variable float32[784, 26], Variable_1 float32[26]\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "nothing is not a checkpoint: expected a directory, a prefix or a file"),
        (["--model", "rnn", "old"], "invalid choice: 'rnn'"),
        (["old", "--convert", "."], "--convert: . is not empty"),
        (["old", "--take", "V"], "has no weights that match V"),
        ([], "the following arguments are required: PATH\nhint: list the flags with: python -m "),
    ],
)
def test_a_mistake_is_an_error_message(old, capsys, arguments, message):
    assert legacy.main(["checkpoint", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_weights_of_fnn_are_recognized(capsys):
    place = str(pretrained.directory("fnn") / "model-50.npz")
    assert legacy.main(["checkpoint", place]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [
        "model: fnn",
        f"restore with: python -m deep_mnist.fnn --restore {place}",
        "  W1 float64[785, 100]",
        "  W2 float64[100, 10]",
    ]


def test_the_commands_are_listed(capsys):
    assert legacy.main([]) == 0
    assert "python -m deep_mnist.legacy checkpoint" in capsys.readouterr().out


def test_an_unknown_command_is_an_error(capsys):
    assert legacy.main(["convert", "old.ckpt"]) == 2
    assert capsys.readouterr().err == (
        "error: legacy: no command 'convert'\nhint: choose one of run, port, checkpoint\n"
    )
