"""The names of TensorFlow 1, NumPy 1, Pillow 9 and Python 2, and what they are today: data alone.

Dotted names are below `tensorflow`, as a script writes them after `tf.`. Modules are imported and
names looked up one by one when a script uses them.
Sources: the release notes and API listings of TensorFlow r0.5 to 1.15.
"""

from __future__ import annotations

V1 = "tensorflow.compat.v1"
HERE = "deep_mnist.legacy.tf1"
# The original libraries; libraries.py imports them.
KERAS = "tf_keras.api._v1.keras"
LAYERS = f"{KERAS}.__internal__.legacy.layers"
CELLS = f"{KERAS}.__internal__.legacy.rnn_cell"
SLIM = "tf_slim"
ESTIMATOR = "tensorflow_estimator._api.v1.estimator"

# Path -> the modules that have its names; the first that has a name wins.
# Any other path is that of tensorflow.compat.v1, or of tensorflow.python.
MODULES: dict[str, tuple[str, ...]] = {
    "": (f"{HERE}.arguments", f"{HERE}.summaries", V1),
    "nn": (f"{HERE}.nn", f"{V1}.nn"),
    "nn.rnn_cell": (f"{HERE}.cells", CELLS),
    "image": (f"{HERE}.image", f"{V1}.image"),
    "layers": (LAYERS,),
    "flags": (f"{HERE}.flags", f"{V1}.flags"),
    "estimator": (ESTIMATOR,),
    "estimator.export": (f"{ESTIMATOR}.export",),
    "estimator.inputs": (f"{ESTIMATOR}.inputs",),
    "estimator.tpu": (f"{ESTIMATOR}.tpu",),
    "keras": (KERAS,),
    "keras.backend": (f"{HERE}.keras_backend", f"{KERAS}.backend"),
    "keras.datasets": (f"{KERAS}.datasets",),
    "keras.datasets.mnist": (f"{HERE}.keras_datasets.mnist",),
    "keras.datasets.fashion_mnist": (f"{HERE}.keras_datasets.fashion_mnist",),
    "keras.layers": (f"{KERAS}.layers",),
    "keras.models": (f"{KERAS}.models",),
    # Data
    "examples": (),
    "examples.tutorials": (),
    "examples.tutorials.mnist": (),
    "examples.tutorials.mnist.input_data": ("deep_mnist.input_data",),
    "examples.tutorials.mnist.mnist": (f"{HERE}.tutorial",),
    # Before 1.0
    "models": (),
    "models.rnn": (),
    "models.rnn.rnn": (f"{HERE}.rnn_before_0_7", f"{V1}.nn", "tensorflow.python.ops.rnn"),
    "models.rnn.rnn_cell": (f"{HERE}.cells_before_0_7", f"{HERE}.cells", CELLS),
    "models.rnn.linear": (f"{HERE}.linear",),
    "models.image": (),
    "models.image.mnist": (),
    "models.image.mnist.convolutional": (f"{HERE}.convolutional_tutorial",),
    "types": (V1,),
    # Private modules that were removed, or whose functions changed their arguments
    "python.ops.rnn": (f"{V1}.nn", "tensorflow.python.ops.rnn"),
    "python.ops.rnn_cell": (f"{HERE}.cells", f"{HERE}.linear", CELLS),
    "python.ops.rnn_cell_impl": (f"{HERE}.cells", f"{HERE}.linear", CELLS),
    "python.ops.nn": (f"{HERE}.nn", f"{V1}.nn", "tensorflow.python.ops.nn"),
    "python.ops.nn_ops": (f"{HERE}.nn", "tensorflow.python.ops.nn_ops"),
    "python.ops.array_ops": (f"{HERE}.arguments", "tensorflow.python.ops.array_ops"),
    "python.ops.math_ops": (f"{HERE}.arguments", "tensorflow.python.ops.math_ops"),
    "python.layers": (LAYERS,),
    "python.platform.flags": (f"{HERE}.flags", f"{V1}.flags"),
    "python.platform.app": (f"{V1}.app",),
    "python.platform.gfile": (f"{V1}.gfile",),
    "python.platform.tf_logging": (f"{V1}.logging",),
    # contrib
    "contrib": (),
    "contrib.layers": (f"{HERE}.contrib_layers", f"{SLIM}.layers", SLIM),
    "contrib.slim": (SLIM, f"{HERE}.contrib_layers"),
    "contrib.slim.nets": (f"{SLIM}.nets",),
    "contrib.framework": (
        SLIM,
        f"{SLIM}.ops.variables",
        "tensorflow.python.framework.smart_cond",
        "tensorflow.python.training.checkpoint_ops",
    ),
    "contrib.rnn": (f"{HERE}.cells", f"{HERE}.rnn", CELLS, f"{V1}.nn"),
    "contrib.losses": (f"{SLIM}.losses",),
    "contrib.losses.metric_learning": (f"{SLIM}.losses.metric_learning",),
    "contrib.metrics": (f"{SLIM}.metrics",),
    "contrib.learn": (f"{HERE}.contrib_learn", f"{HERE}.contrib_experiment", ESTIMATOR),
    "contrib.learn.datasets": (f"{HERE}.contrib_datasets",),
    "contrib.learn.datasets.mnist": ("deep_mnist.input_data",),
    "contrib.learn.datasets.base": ("deep_mnist.input_data.base",),
    "contrib.training": (f"{HERE}.hparams", f"{SLIM}.training.training", f"{SLIM}.evaluation"),
    "contrib.distributions": (
        f"{HERE}.contrib_distributions",
        f"{V1}.distributions",
        "tensorflow_probability.distributions",
        "tensorflow_probability.math",
        "tensorflow_probability.stats",
    ),
    "contrib.distributions.bijectors": ("tensorflow_probability.bijectors",),
    "contrib.eager.network": (f"{HERE}.contrib_network",),
    "contrib.tensorboard": (),
    "contrib.tensorboard.plugins": (),
    "contrib.tensorboard.plugins.projector": (f"{HERE}.projector",),
    "contrib.data": (f"{HERE}.contrib_data", f"{V1}.data", f"{V1}.data.experimental"),
    "contrib.summary": ("tensorflow.python.ops.summary_ops_v2",),
    "contrib.opt": (f"{HERE}.contrib_opt", f"{V1}.train"),
    "contrib.util": (V1,),
    "contrib.eager": (f"{HERE}.contrib_eager", V1, f"{V1}.train"),
    "contrib.estimator": (f"{HERE}.contrib_estimator", ESTIMATOR, f"{ESTIMATOR}.experimental"),
    "contrib.factorization": ("tensorflow.python.ops.clustering_ops",),
    "contrib.lookup": (f"{HERE}.contrib_lookup", "tensorflow.python.ops.lookup_ops"),
    "contrib.predictor": (f"{HERE}.contrib_predictor",),
    "contrib.image": (f"{HERE}.contrib_image",),
    # Parts of contrib that became public
    "contrib.autograph": (f"{V1}.autograph",),
    "contrib.checkpoint": (f"{V1}.train", f"{V1}.train.experimental"),
    "contrib.cluster_resolver": (f"{V1}.distribute.cluster_resolver",),
    "contrib.deprecated": (f"{HERE}.summaries",),
    "contrib.distribute": (f"{V1}.distribute", f"{V1}.distribute.experimental"),
    "contrib.feature_column": (f"{V1}.feature_column",),
    "contrib.hooks": (f"{V1}.train",),
    "contrib.linalg": (f"{V1}.linalg",),
    "contrib.quantization": (f"{V1}.quantization",),
    "contrib.saved_model": (f"{V1}.saved_model",),
    "contrib.signal": (f"{V1}.signal",),
    "contrib.staging": ("tensorflow.python.ops.data_flow_ops",),
    "contrib.stateless": (f"{V1}.random",),
    "contrib.tfprof": (f"{V1}.profiler",),
    "contrib.tfprof.model_analyzer": ("tensorflow.python.profiler.model_analyzer",),
    "contrib.tfprof.tfprof_logger": ("tensorflow.python.profiler.tfprof_logger",),
    "contrib.tpu": (f"{ESTIMATOR}.tpu", f"{V1}.tpu"),
    "contrib.nn": (f"{HERE}.contrib_nn", f"{V1}.nn"),
}

# Paths that are another path.
SAME: dict[str, str] = {
    "models.image.mnist.input_data": "examples.tutorials.mnist.input_data",
    "g3doc": "examples",
    "contrib.keras": "keras",
    "contrib.skflow": "contrib.learn",
    "contrib.hparam": "contrib.training",
    "contrib.layers.initializers": "contrib.layers",
    "contrib.layers.regularizers": "contrib.layers",
    "contrib.layers.utils": "contrib.layers",
    "contrib.framework.nest": "python.util.nest",
    "contrib.framework.variables": "contrib.framework",
    "contrib.rnn.rnn": "contrib.rnn",
    "contrib.rnn.rnn_cell": "contrib.rnn",
    "contrib.rnn.core_rnn": "contrib.rnn",
    "contrib.rnn.core_rnn_cell": "contrib.rnn",
    "contrib.rnn.core_rnn_cell_impl": "contrib.rnn",
    "contrib.learn.metric_spec": "contrib.learn",
    "contrib.learn.model_fn": "contrib.learn",
    "contrib.eager.tfe": "contrib.eager",
    "contrib.eager.metrics": "keras.metrics",
    "keras.backend.tf": "",
    "keras.keras": "keras",
    "keras.objectives": "keras.losses",
    "python.keras": "keras",
    "python.estimator": "estimator",
    "app.flags": "flags",
    "compat.v1": "",
    "learn": "contrib.learn",
    "slim": "contrib.slim",
    "python.platform.default": "python.platform",
    "python.platform.default._flags": "flags",
    "python.platform.default._app": "app",
    "python.platform.default._gfile": "gfile",
    "python.platform.default._logging": "logging",
}

# Packages of private paths, which are skipped: contrib.learn.python.learn.datasets.
PACKAGES = frozenset({"python", "ops", "api", "_impl", "estimators", "canned", "engine"})

# Packages of tensorflow.python whose modules moved between them from release to release.
PYTHON_PACKAGES = ("python.framework", "python.ops", "python.platform", "python.training")

# Public modules in which the names of private modules are looked up, in this order.
PUBLIC = (
    *("", "nn", "train", "math", "image", "linalg", "random", "summary", "graph_util", "data"),
    *("saved_model", "python_io", "io", "lookup", "losses", "metrics", "initializers", "errors"),
    *(
        "distribute",
        "feature_column",
        "debugging",
        "sets",
        "strings",
        "profiler",
        "train.experimental",
    ),
    *("nn.rnn_cell", "layers", "estimator", "contrib.framework", "contrib.layers", "contrib.rnn"),
)
# Private modules of TensorFlow whose names contrib re-exported: after those of PUBLIC.
PRIVATE = (
    *(f"framework.{name}" for name in ("ops", "tensor", "tensor_util", "meta_graph", "test_util")),
    *(f"ops.{name}" for name in ("init_ops", "check_ops", "data_flow_ops", "nn_impl", "nn_ops")),
    *("ops.variable_scope", "ops.gen_array_ops", "ops.gen_math_ops", "ops.gen_nn_ops"),
    *("autograph", "autograph.impl.api", "distribute.cross_device_ops", "eager.context"),
    *("saved_model.signature_def_utils_impl", "trackable.base", "trackable.data_structures"),
    *("tpu.device_assignment", "tpu.ops.tpu_ops", "tpu.topology", "tpu.tpu", "tpu.training_loop"),
    *("util.deprecation",),
)
PUBLIC_KERAS = (
    *("keras.layers", "keras.models", "keras", "keras.utils", "keras.backend"),
    *("keras.optimizers", "keras.losses", "keras.metrics", "keras.callbacks"),
    *("keras.initializers", "keras.regularizers", "keras.preprocessing.image"),
)

# Until 0.12 these had names of their own for batches of matrices.
BATCHED = """cholesky cholesky_solve fft fft2d fft3d ifft ifft2d ifft3d matrix_band_part
    matrix_determinant matrix_diag matrix_diag_part matrix_inverse matrix_set_diag matrix_solve
    matrix_solve_ls matrix_transpose matrix_triangular_solve self_adjoint_eig svd""".split()

# Names: old -> the name that does the same with the same arguments.
RENAMED: dict[str, str] = {
    # r0.x, removed in 1.0
    "all_variables": "global_variables",
    "initialize_all_variables": "global_variables_initializer",
    "initialize_variables": "variables_initializer",
    "initialize_local_variables": "local_variables_initializer",
    "initialize_all_tables": "tables_initializer",
    "mul": "multiply",
    "sub": "subtract",
    "neg": "negative",
    "inv": "reciprocal",
    "pack": "stack",
    "unpack": "unstack",
    "select": "where",
    "listdiff": "setdiff1d",
    "complex_abs": "abs",
    "concat_v2": "concat",
    "split_v": "split",
    "reverse_v2": "reverse",
    **{f"batch_{name}": name for name in BATCHED},
    "merge_summary": "summary.merge",
    "merge_all_summaries": "summary.merge_all",
    "train.SummaryWriter": "summary.FileWriter",
    "train.SummaryWriterCache": "summary.FileWriterCache",
    "image.per_image_whitening": "image.per_image_standardization",
    "int32_ref": "int32",
    "nn.deconv2d": "nn.conv2d_transpose",
    # contrib, removed in 2.0
    "contrib.layers.summaries": "summary",
    "contrib.layers.one_hot_column": "feature_column.indicator_column",
    "contrib.layers.input_from_feature_columns": "feature_column.input_layer",
    "contrib.layers.sparse_column_with_hash_bucket": (
        "feature_column.categorical_column_with_hash_bucket"
    ),
    "contrib.layers.sparse_column_with_integerized_feature": (
        "feature_column.categorical_column_with_identity"
    ),
    "contrib.layers.sparse_column_with_keys": (
        "feature_column.categorical_column_with_vocabulary_list"
    ),
    "contrib.layers.sparse_column_with_vocabulary_file": (
        "feature_column.categorical_column_with_vocabulary_file"
    ),
    "contrib.nn.deprecated_flipped_sigmoid_cross_entropy_with_logits": (
        "nn.sigmoid_cross_entropy_with_logits"
    ),
    "contrib.nn.deprecated_flipped_softmax_cross_entropy_with_logits": (
        "nn.softmax_cross_entropy_with_logits"
    ),
    "contrib.nn.deprecated_flipped_sparse_softmax_cross_entropy_with_logits": (
        "nn.sparse_softmax_cross_entropy_with_logits"
    ),
    "contrib.rnn.transpose_batch_time": "python.ops.rnn._transpose_batch_time",
    "contrib.stateless.stateless_random_normal": "random.stateless_normal",
    "contrib.stateless.stateless_random_uniform": "random.stateless_uniform",
    "contrib.tfprof.ProfileContext": "profiler.Profiler",
    "contrib.distribute.DistributionStrategy": "distribute.Strategy",
    "contrib.distribute.get_distribution_strategy": "distribute.get_strategy",
    "contrib.distribute.get_tower_context": "distribute.get_replica_context",
    "contrib.distribute.has_distribution_strategy": "distribute.has_strategy",
    "contrib.eager.Network": "contrib.eager.network.Network",
    "contrib.eager.Sequential": "keras.Sequential",
    "contrib.factorization.KMeansClustering": "estimator.experimental.KMeans",
    "contrib.learn.KMeansClustering": "estimator.experimental.KMeans",
    "distributions.bijectors": "contrib.distributions.bijectors",
    "estimator.model_to_estimator": "keras.estimator.model_to_estimator",
    "layers.Input": "keras.layers.Input",
    "train.SyncReplicasOptimizerV2": "train.SyncReplicasOptimizer",
    "nn.rnn": "nn.static_rnn",
    "nn.bidirectional_rnn": "nn.static_bidirectional_rnn",
    "models.rnn.rnn.rnn": "nn.static_rnn",
    "contrib.layers.real_valued_column": "contrib.learn.real_valued_column",
    "contrib.layers.infer_real_valued_columns": (
        "contrib.learn.infer_real_valued_columns_from_input"
    ),
    "python.util.nest.is_sequence": "python.util.nest.is_nested",
    "contrib.util.constant_value": "get_static_value",
}

# NumPy's own names that later releases of NumPy dropped -> what they were, below `numpy`, or
# one of Python's own types.
NUMPY: dict[str, str] = {
    "float": "builtins.float",
    "int": "builtins.int",
    "bool": "builtins.bool",
    "object": "builtins.object",
    "str": "builtins.str",
    "complex": "builtins.complex",
    "long": "builtins.int",
    "unicode": "builtins.str",
    "float_": "numpy.float64",
    "complex_": "numpy.complex128",
    "string_": "numpy.bytes_",
    "unicode_": "numpy.str_",
    "Inf": "numpy.inf",
    "Infinity": "numpy.inf",
    "infty": "numpy.inf",
    "NaN": "numpy.nan",
    "NAN": "numpy.nan",
    "product": "numpy.prod",
    "cumproduct": "numpy.cumprod",
    "alltrue": "numpy.all",
    "sometrue": "numpy.any",
    "row_stack": "numpy.vstack",
    "round_": "numpy.round",
    "in1d": "numpy.isin",
    "trapz": "numpy.trapezoid",
}

# The filters of PIL.Image that Pillow 10 dropped -> the same under today's name.
PILLOW: dict[str, str] = {"ANTIALIAS": "LANCZOS", "CUBIC": "BICUBIC", "LINEAR": "BILINEAR"}

ABCS = (
    *("Callable", "Container", "Generator", "Hashable", "ItemsView", "Iterable", "Iterator"),
    *("KeysView", "Mapping", "MappingView", "MutableMapping", "MutableSequence", "MutableSet"),
    *("Sequence", "Set", "Sized", "ValuesView"),
)

# The same for the standard library: what Python 3 dropped, until 3.13.
PYTHON: dict[str, str] = {
    **{f"collections.{name}": f"collections.abc.{name}" for name in ABCS},
    "fractions.gcd": "math.gcd",
    "inspect.getargspec": "inspect.getfullargspec",
    "itertools.ifilter": "builtins.filter",
    "itertools.imap": "builtins.map",
    "itertools.izip": "builtins.zip",
    "itertools.izip_longest": "itertools.zip_longest",
    "os.errno": "errno",
    "os.getcwdu": "os.getcwd",
    "string.letters": "string.ascii_letters",
    "string.lowercase": "string.ascii_lowercase",
    "string.maketrans": "builtins.str.maketrans",
    "string.uppercase": "string.ascii_uppercase",
    "sys.maxint": "sys.maxsize",
    "time.clock": "time.process_time",
}
