"""Edits of a program's text."""

import ast

import pytest

from deep_mnist.legacy.port.edits import Edits, OverlapError, end, start


def _call(text):
    return ast.parse(text).body[0].value


def test_edits_are_applied_wherever_they_touch():
    call = _call("f(a, b)")
    edits = Edits("f(a, b)")
    edits.insert(start(call.args[0]), "x=")
    edits.replace(call.args[0], "A")
    edits.insert(end(call.args[0]), "()")
    edits.remove(end(call.args[0]), end(call.args[1]))
    assert edits.applied() == "f(x=A())"


def test_a_replacement_over_several_lines_keeps_the_numbers_of_lines():
    text = "f(\n  a,\n  b)\ng(a)"
    edits = Edits(text)
    edits.replace(_call(text), "h()")
    assert edits.applied() == "h()\n\n\ng(a)"


def test_overlapping_edits_are_refused():
    text = "x = 1\nf(a)"
    call = ast.parse(text).body[1].value
    edits = Edits(text)
    edits.replace(call.args[0], "b")
    edits.replace(call, "g(a)")
    with pytest.raises(OverlapError) as error:
        edits.applied()
    assert error.value.lineno == 2


def test_an_insertion_inside_of_a_replacement_is_refused():
    edits = Edits("f(a)")
    edits.replace(_call("f(a)"), "g(a)")
    edits.insert((1, 2), "x=")
    with pytest.raises(OverlapError):
        edits.applied()


@pytest.mark.parametrize(
    ("text", "new"),
    [
        ("f()", "f(x=1)"),
        ("f((a))", "f((a), x=1)"),
        ("f(a,)", "f(a,x=1)"),
        ("f(\n  a  # one, two\n)", "f(\n  a  # one, two\n, x=1)"),
    ],
)
def test_an_argument_is_appended_before_the_closing_parenthesis(text, new):
    edits = Edits(text)
    edits.append_argument(_call(text), "x=1")
    assert edits.applied() == new


@pytest.mark.parametrize(
    ("text", "number", "position"),
    [
        ("f(a)", 0, (1, 2)),
        ("f(\n    ( a), b)", 0, (2, 4)),
        ("f(a,  # (b, c\n  (\n  b))", 1, (2, 2)),
        ("f(('é'), (b))", 1, (1, 10)),
    ],
)
def test_an_argument_starts_with_its_parentheses(text, number, position):
    assert Edits(text).argument_start(_call(text), number) == position
