"""Figures of old scripts become files, and never stop a script."""

from types import SimpleNamespace

import pytest

from deep_mnist.legacy.plots import Plots


@pytest.fixture
def pyplot(monkeypatch):
    """matplotlib's, as a script has it under the bridge."""
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


def test_where_nothing_can_be_written_the_script_goes_on(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    plots = Plots("old")
    folder.rmdir()
    plots._save(SimpleNamespace(savefig=lambda path: path.write_bytes(b"")))
    assert (
        capsys.readouterr().err == "plot not written to old-plot-1.png: No such file or directory\n"
    )
