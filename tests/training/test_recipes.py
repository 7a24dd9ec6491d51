import pytest

from deep_mnist import cnn, fnn, mlp, softmax
from deep_mnist.errors import DeepMnistError
from deep_mnist.training import RECIPES, config

PROGRAMS = {"softmax": softmax, "cnn": cnn, "mlp": mlp, "fnn": fnn}


def test_the_recipes():
    assert {program: list(recipes) for program, recipes in RECIPES.items()} == {
        "softmax": ["tutorial", "best"],
        "cnn": ["tutorial", "fast", "best"],
        "mlp": ["tutorial"],
        "fnn": ["tutorial"],
    }


@pytest.mark.parametrize(
    ("program", "name"), [(program, name) for program in RECIPES for name in RECIPES[program]]
)
def test_every_setting_of_a_recipe_is_valid(program, name):
    settings = config.with_recipe(program, {"recipe": name})
    config.create_configs(PROGRAMS[program].Config, settings)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_recipe_tutorial_has_the_hyper_parameters_of_the_tutorial(program):
    created, run_config = config.create_configs(
        PROGRAMS[program].Config, config.with_recipe(program, {})
    )
    assert created == PROGRAMS[program].Config()
    assert run_config.recipe == "tutorial"
    assert (run_config.schedule, run_config.augmentation) == ("constant", "none")
    assert run_config.weight_decay == 0
    assert (run_config.label_smoothing, run_config.initialization) == (0, "tutorial")


def test_each_tutorial_has_its_own_optimizer():
    assert config.with_recipe("softmax", {})["optimizer"] == "gradient-descent"
    assert config.with_recipe("cnn", {})["optimizer"] == "adam"


def test_flags_override_the_recipe():
    settings = config.with_recipe("cnn", {"recipe": "fast", "steps": 7})
    assert settings["steps"] == 7
    assert settings["schedule"] == "one-cycle"
    assert settings["optimizer"] == "adam"


def test_an_unknown_recipe_is_an_error():
    with pytest.raises(DeepMnistError) as raised:
        config.with_recipe("softmax", {"recipe": "fast"})
    assert raised.value.message == "--recipe: expected one of tutorial, best, found 'fast'"
