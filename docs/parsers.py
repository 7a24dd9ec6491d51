"""The commands for command_line.rst: sphinx-argparse-cli calls them for the parser they create."""

from functools import partial

from deep_mnist import cnn, fnn, mlp, predict, serve, softmax
from deep_mnist.distributed import __main__ as distributed_command
from deep_mnist.export import __main__ as export_command
from deep_mnist.legacy import checkpoint, port, run
from deep_mnist.report import __main__ as report_command

softmax_parser = partial(softmax.main, ["--help-all"])
cnn_parser = partial(cnn.main, ["--help-all"])
mlp_parser = partial(mlp.main, ["--help-all"])
fnn_parser = partial(fnn.main, ["--help-all"])
distributed_parser = partial(distributed_command.main, ["--help-all"])
predict_parser = partial(predict.main, [])
serve_parser = partial(serve.main, [])
report_parser = partial(report_command.main, [])
export_parser = partial(export_command.main, [])
legacy_run_parser = partial(run.main, [])
legacy_port_parser = partial(port.main, [])
legacy_checkpoint_parser = partial(checkpoint.main, [])
