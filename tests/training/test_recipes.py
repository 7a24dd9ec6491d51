import pytest

from deep_mnist import cnn, softmax
from deep_mnist.training import RECIPES, config, recipes

PROGRAMS = {"cnn": cnn, "softmax": softmax}
NAMED = [(program, name) for program in RECIPES for name in RECIPES[program]]


@pytest.mark.parametrize(("program", "name"), NAMED)
def test_a_recipe_is_a_valid_config(program, name):
    settings = recipes.settings(program, {"recipe": name})
    config.check(PROGRAMS[program].Config(**settings))


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_tutorials_recipe_is_the_default_and_changes_nothing(program):
    Config = PROGRAMS[program].Config
    assert Config().recipe == "tutorial"
    assert Config(**recipes.settings(program, {"recipe": "tutorial"})) == Config()


def test_flags_go_over_the_recipe():
    settings = recipes.settings("cnn", {"recipe": "fast", "steps": 7})
    assert settings["steps"] == 7
    assert settings["schedule"] == "one-cycle"


def test_programs_without_recipes_have_what_was_given():
    assert recipes.settings("mlp", {"steps": 7}) == {"steps": 7}
