"""Makes saved/MODEL out of a finished run: its weights alone, its config, its result, a README.

python benchmarks/ship.py saved/runs/benchmark/cnn-seed0
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import importlib
import json
import shutil
from pathlib import Path
from typing import Any

from deep_mnist import lazy_tensorflow, training
from deep_mnist.lazy_tensorflow import tf
from deep_mnist.training import RECIPES
from deep_mnist.training import config as configs

SAVED = Path(__file__).parents[1] / "saved"

README = """\
# saved/{model}

The weights that `python -m deep_mnist.{model} --restore` evaluates: the model's variables alone.

| | |
|---|---|
| trained by | `python -m deep_mnist.{model} {flags}`, {steps:,} steps on MNIST |
| test accuracy | {test_accuracy:.4f} |
| validation accuracy | {validation} |
| date | {date} |
| machine | {device} |
| versions | {versions} |

`config.json` holds the settings, `result.json` the whole result.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path)
    run = parser.parse_args().run

    result = json.loads((run / "result.json").read_text("utf-8"))
    if result["dataset"] != "mnist":
        raise SystemExit(f"{run}: expected a run on MNIST, found one on {result['dataset']}")
    place = SAVED / result["model"]
    place.mkdir(parents=True)

    lazy_tensorflow.import_quietly()
    program = importlib.import_module(f"deep_mnist.{result['model']}")
    settings = configs.read_json(run / "config.json", program.Config)
    with tf.Graph().as_default():
        config = program.Config()
        model = program.build(config)
        with (
            training.NumpySession(model)
            if result["model"] == "fnn"
            else training.Session(model, config)
        ) as sess:
            sess.initialize()
            sess.restore_weights(sess.checkpoints.find(str(run)))
            if sess.weights_sha256() != result["weights_sha256"]:
                raise SystemExit(f"{run}: its newest checkpoint is not what result.json is of")
            sess.save_weights(place, result["steps"])

    for name in ("config.json", "result.json"):
        shutil.copy(run / name, place)
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    ended = datetime.datetime.fromtimestamp((run / "result.json").stat().st_mtime)
    validation = result["validation_accuracy"]
    readme = README.format(
        **{
            **result,
            "flags": flags(result["model"], settings),
            "validation": "none, all are trained on" if validation is None else f"{validation:.4f}",
            "versions": versions,
            "date": ended.date(),
        }
    )
    (place / "README.md").write_text(readme, "utf-8")


def flags(model: str, settings: Any) -> str:
    """What a command line needs for these settings, the number of threads included."""
    recipe = getattr(settings, "recipe", "tutorial")
    usual = type(settings)(**RECIPES.get(model, {}).get(recipe, {}))
    differing = {"recipe": recipe} if recipe != "tutorial" else {}
    differing |= {
        field.name: getattr(settings, field.name)
        for field in dataclasses.fields(settings)
        if field.name not in ("recipe", "dataset", "precision")
        and (getattr(settings, field.name) != getattr(usual, field.name) or field.name == "seed")
    }
    return " ".join(f"{configs.flag(name)} {value}" for name, value in differing.items())


if __name__ == "__main__":
    main()
