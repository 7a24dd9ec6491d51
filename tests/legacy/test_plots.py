"""The figures of scripts are saved to files, and never stop a script."""

from types import SimpleNamespace

import pytest

from deep_mnist.legacy.plots import Plots


@pytest.fixture
def pyplot(monkeypatch):
    """pyplot as a script gets it."""
    monkeypatch.setenv("MPLBACKEND", "agg")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    for name in ("show", "pause", "waitforbuttonpress", "ginput", "switch_backend", "ion", "draw"):
        monkeypatch.setattr(pyplot, name, getattr(pyplot, name))
    monkeypatch.setattr("matplotlib.use", lambda *_: None)
    monkeypatch.setattr("matplotlib.figure.Figure.show", None)
    yield pyplot
    pyplot.close("all")


def test_each_figure_is_a_file_of_its_own(pyplot, capsys):
    Plots("old").install(pyplot)
    for _ in range(2):
        pyplot.figure().gca().plot([1, 2])
    pyplot.show()
    assert capsys.readouterr().out == (
        "plot written to old-plot-1.png\nplot written to old-plot-2.png\n"
    )


def test_an_animation_is_run_to_its_end(pyplot):
    animation = pytest.importorskip("matplotlib.animation")
    Plots("old").install(pyplot)
    frames = []

    def step(frame):
        frames.append(frame)
        return pyplot.plot([frame])

    running = animation.FuncAnimation(pyplot.figure(), step, 4, init_func=list, repeat=False)
    pyplot.show()
    assert frames == [0, 1, 2, 3]
    del running


def test_an_animation_without_an_end_is_not_run(pyplot, capsys):
    animation = pytest.importorskip("matplotlib.animation")
    Plots("old").install(pyplot)
    frames = []

    def step(frame):
        frames.append(frame)
        assert len(frames) < 10
        return pyplot.plot([frame])

    running = animation.FuncAnimation(pyplot.figure(), step, repeat=False, cache_frame_data=False)
    pyplot.show()
    assert set(frames) == {0}
    assert capsys.readouterr().out == "plot written to old-plot-1.png\n"
    del running


def test_where_nothing_can_be_written_the_script_goes_on(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    plots = Plots("old")
    folder.rmdir()
    plots._save(SimpleNamespace(savefig=lambda path: path.write_bytes(b"")))
    assert capsys.readouterr().err == (
        "warning: plot not written to old-plot-1.png: No such file or directory\n"
    )


def test_plots_are_numbered_in_order_after_those_of_earlier_runs(pyplot, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in (1, 3):
        (tmp_path / f"old-plot-{number}.png").touch()
    plots = Plots("old")
    plots.install(pyplot)
    pyplot.figure()
    pyplot.figure()
    plots.save_open_figures()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("old-plot-1.png", "old-plot-3.png", "old-plot-4.png", "old-plot-5.png")
    ]
