"""The tables of measurements, and the goals that the results reach."""

import runpy
from pathlib import Path

import pytest

from deep_mnist.training import RECIPES

ROOT = Path(__file__).parents[1]
TABLES = runpy.run_path(str(ROOT / "benchmarks" / "readme_tables.py"))
read = TABLES["read"]


def test_the_tables_of_the_pages_are_those_of_the_results():
    for page, tables in TABLES["pages"]().items():
        text = (ROOT / page).read_text("utf-8")
        for table in tables:
            assert table in text, page


def test_a_table_is_replaced_by_the_one_with_the_same_header():
    page = "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nText.\n"
    table = "| a | b |\n|---|---|\n| 3 | 4 |\n| 5 | 6 |"
    expected = "# Title\n\n| a | b |\n|---|---|\n| 3 | 4 |\n| 5 | 6 |\n\nText.\n"
    assert TABLES["replace_table"](page, table) == expected


def test_a_missing_table_is_an_error():
    with pytest.raises(SystemExit, match=r"expected one table with the header \| a \|, found 0"):
        TABLES["replace_table"]("# Title\n", "| a |\n|---|")


def test_the_page_names_the_machines():
    page = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    for name in ("accuracy-cnn", "step"):
        assert read(name)["machine"] in page


def test_accuracy_goals():
    softmax, cnn = read("accuracy-softmax"), read("accuracy-cnn")
    assert len(softmax["runs"]) == 10
    assert softmax["test_accuracy"]["mean"] >= 0.91
    assert softmax["test_accuracy"]["lowest"] >= 0.90
    assert len(cnn["runs"]) == 3
    assert cnn["test_accuracy"]["mean"] >= 0.992
    assert cnn["test_accuracy"]["lowest"] >= 0.991


def test_recipe_goals():
    assert len(read("accuracy-softmax-best")["runs"]) == 5
    assert read("accuracy-softmax-best")["test_accuracy"]["mean"] >= 0.925
    for precision in ("float32", "bfloat16"):
        fast = read(f"accuracy-cnn-fast-{precision}")
        assert len(fast["runs"]) == 5
        assert fast["test_accuracy"]["mean"] >= 0.992
        assert fast["test_accuracy"]["lowest"] >= 0.991


def test_goals_of_the_recipe_best():
    best = read("accuracy-cnn-best-bfloat16")
    assert {**best["settings"], "precision": "auto"} == RECIPES["cnn"]["best"]
    assert len(best["runs"]) == 5
    assert best["test_accuracy"]["mean"] >= 0.9965
    assert best["test_accuracy"]["lowest"] >= 0.996
    assert best["seconds"]["highest"] <= 40 * 60


def test_bfloat16_is_as_accurate_as_float32():
    means = [
        read(f"accuracy-cnn-fast-{precision}")["test_accuracy"]["mean"]
        for precision in ("float32", "bfloat16")
    ]
    assert means[1] >= means[0] - 0.0005


def test_the_recipe_fast_takes_less_time_than_1100_steps_of_the_tutorial_and_700_in_bfloat16():
    timed = read("time_to_accuracy")
    step = timed["tutorial_schedule"]["ms_per_step"] / 1e3
    assert timed["same_recipe"]["deep_mnist"]["seconds"] <= 1_100 * step
    assert timed["same_recipe"]["deep_mnist, bfloat16"]["seconds"] <= 700 * step


def test_the_published_figures_are_reproduced():
    mlp = read("published-mlp")
    assert (mlp["seeds"], len(mlp["rows"])) == (10, 50)
    assert mlp["largest_relative_difference_after_the_first_row"] <= 0.15
    assert read("published-fnn")["nearest_largest_difference_of_accuracy"] <= 0.08


def test_fnn_goals():
    fnn = read("fnn")
    assert fnn["float64"]["largest_relative_difference_of_losses"] <= 1e-9
    assert fnn["float64"]["megabytes"] <= fnn["transcription_megabytes"] / 2


def test_synthetic_digit_goals():
    cnn = read("accuracy-cnn-generated")
    assert cnn["mnist_test_accuracy"]["mean"] >= 0.80
    assert cnn["test_accuracy"]["mean"] >= 0.99
    assert read("synthetic")["seconds"]["median"] <= 5


@pytest.mark.xfail(strict=True, reason="1.053 where a step takes 14 ms; reached with AVX2: 1.006")
def test_augmentation_goal_with_avx512():
    assert read("step")["augmented_over_plain"] <= 1.05


def test_speed_and_memory_goals():
    assert read("step")["fast_gradients_over_tensorflow"] < 1
    assert read("step-avx2")["augmented_over_plain"] <= 1.05
    assert read("step")["seconds_to_load_mnist"]["median"] <= 0.6
    assert read("loop")["ratio_of_means"] <= 1.05
    process = read("process")
    assert process["softmax_over_import"] <= 1.3
    assert process["predict_seconds_over_import"] <= 0.7
    for command in ("softmax --help", "cnn --help", "list of commands"):
        assert process["seconds"][command]["median"] <= 0.5
    assert process["softmax_mb_over_import"] <= 250
    assert process["cnn_mb_over_import"] <= 900


def test_every_interrupted_run_ended_like_an_uninterrupted_one():
    assert sum(read("faults")["runs_equal_to_uninterrupted"].values()) == 100


def test_no_damaged_file_caused_a_failure():
    assert read("damage")["cases"] == 2000
    assert read("damage")["failures"] == []
    assert all(line.endswith("| 0 |") for line in TABLES["damage"]().splitlines()[2:])
