"""tf.contrib.layers and tf.contrib.slim, with their variable names: `fully_connected/weights`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deep_mnist.lazy_tensorflow import tf
from deep_mnist.legacy.tf1 import contrib_framework as framework
from deep_mnist.legacy.tf1 import layers

__all__ = [
    "OPTIMIZER_CLS_NAMES",
    "apply_regularization",
    "avg_pool2d",
    "batch_norm",
    "bias_add",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "convolution",
    "convolution1d",
    "convolution2d",
    "convolution2d_transpose",
    "convolution3d",
    "dropout",
    "elu",
    "embed_sequence",
    "flatten",
    "fully_connected",
    "group_norm",
    "instance_norm",
    "l1_l2_regularizer",
    "l1_regularizer",
    "l2_regularizer",
    "layer_norm",
    "legacy_fully_connected",
    "legacy_linear",
    "legacy_relu",
    "linear",
    "max_pool2d",
    "maxout",
    "one_hot_encoding",
    "optimize_loss",
    "relu",
    "relu6",
    "repeat",
    "separable_conv2d",
    "separable_convolution2d",
    "softmax",
    "stack",
    "sum_regularizer",
    "summarize_activation",
    "summarize_activations",
    "summarize_collection",
    "summarize_tensor",
    "summarize_tensors",
    "unit_norm",
    "variance_scaling_initializer",
    "xavier_initializer",
    "xavier_initializer_conv2d",
]

add_arg_scope = framework.add_arg_scope
_UPDATE_OPS = "update_ops"


# Initializers and regularizers -------------------------------------------------


def xavier_initializer(uniform: bool = True, seed: Any = None, dtype: Any = None) -> Any:
    """Variance 2 / (fan in + fan out), uniform or normal."""
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


xavier_initializer_conv2d = xavier_initializer


def variance_scaling_initializer(
    factor: float = 2.0,
    mode: str = "FAN_IN",
    uniform: bool = False,
    seed: Any = None,
    dtype: Any = None,
) -> Any:
    """Variance factor / fan, uniform or from a normal cut off at two deviations."""
    kind = "uniform" if uniform else "truncated_normal"
    return tf.variance_scaling_initializer(factor, mode.lower(), kind, seed, dtype or tf.float32)


def l1_regularizer(scale: float, scope: Any = None) -> Any:
    """weights -> scale sum |w|."""
    return _regularizer(scale, lambda w: tf.reduce_sum(tf.abs(w)))


def l2_regularizer(scale: float, scope: Any = None) -> Any:
    """weights -> scale sum w^2 / 2."""
    return _regularizer(scale, tf.nn.l2_loss)


def l1_l2_regularizer(scale_l1: float = 1.0, scale_l2: float = 1.0, scope: Any = None) -> Any:
    """The sum of both."""
    return sum_regularizer([l1_regularizer(scale_l1), l2_regularizer(scale_l2)])


def sum_regularizer(regularizers: Any, scope: Any = None) -> Any:
    """The sum of several."""
    return lambda w: tf.add_n([regularizer(w) for regularizer in regularizers if regularizer])


def _regularizer(scale: Any, penalty: Callable[[Any], Any]) -> Any:
    if isinstance(scale, int | float) and scale < 0:
        raise ValueError(f"expected a regularizer's scale of 0 or more, found {scale}")
    return lambda w: tf.multiply(tf.cast(scale, w.dtype.base_dtype), penalty(w))


def apply_regularization(regularizer: Any, weights_list: Any = None) -> Any:
    """The penalty of all weights, which goes to REGULARIZATION_LOSSES too."""
    weights = weights_list or tf.get_collection(tf.GraphKeys.WEIGHTS)
    penalty = tf.add_n([regularizer(w) for w in weights]) if weights else tf.constant(0.0)
    tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, penalty)
    return penalty


# Layers ------------------------------------------------------------------------


@add_arg_scope
def fully_connected(
    inputs: Any,
    num_outputs: int,
    activation_fn: Any = tf.nn.relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = 0,
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    **old: Any,
) -> Any:
    """activation(inputs W + b) over the last dimension."""
    weights_initializer = old.get("weight_init", weights_initializer)
    weights_regularizer = old.get("weight_regularizer", weights_regularizer)
    inputs = tf.convert_to_tensor(inputs)
    with tf.variable_scope(scope, "fully_connected", [inputs], reuse=reuse) as opened:
        width = int(inputs.shape[-1])
        kernel = _weights(
            [width, int(num_outputs)], weights_initializer, weights_regularizer, trainable, inputs
        )
        if inputs.shape.ndims == 2:
            outputs = tf.matmul(inputs, kernel)
        else:
            outputs = tf.tensordot(inputs, kernel, [[inputs.shape.ndims - 1], [0]])
            outputs.set_shape([*inputs.shape.as_list()[:-1], int(num_outputs)])
        outputs = _normalized_or_biased(
            outputs,
            normalizer_fn,
            normalizer_params,
            biases_initializer,
            biases_regularizer,
            trainable,
        )
        return _collected(_activated(outputs, activation_fn), outputs_collections, opened)


@add_arg_scope
def convolution(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: Any = None,
    rate: Any = 1,
    activation_fn: Any = tf.nn.relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = 0,
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    **unused: Any,
) -> Any:
    """A convolution over all dimensions but the examples' and the channels'."""
    inputs = tf.convert_to_tensor(inputs)
    channels = 1 if str(data_format).startswith("NC") else -1
    dimensions = inputs.shape.ndims - 2
    with tf.variable_scope(scope, "Conv", [inputs], reuse=reuse) as opened:
        size = layers.each(kernel_size, dimensions)
        shape = [*size, int(inputs.shape[channels]), int(num_outputs)]
        kernel = _weights(shape, weights_initializer, weights_regularizer, trainable, inputs)
        outputs = tf.nn.convolution(
            inputs,
            kernel,
            padding=padding.upper(),
            strides=layers.each(stride, dimensions),
            dilation_rate=layers.each(rate, dimensions),
            data_format=data_format,
        )
        outputs = _normalized_or_biased(
            outputs,
            normalizer_fn,
            normalizer_params,
            biases_initializer,
            biases_regularizer,
            trainable,
            data_format,
        )
        return _collected(_activated(outputs, activation_fn), outputs_collections, opened)


conv1d = convolution1d = convolution
conv2d = convolution2d = convolution
conv3d = convolution3d = convolution


@add_arg_scope
def conv2d_transpose(
    inputs: Any,
    num_outputs: int,
    kernel_size: Any,
    stride: Any = 1,
    padding: str = "SAME",
    data_format: str = "NHWC",
    activation_fn: Any = tf.nn.relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = 0,
    biases_regularizer: Any = None,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    **unused: Any,
) -> Any:
    """The gradient of a convolution as a layer."""
    inputs = tf.convert_to_tensor(inputs)
    with tf.variable_scope(scope, "Conv2d_transpose", [inputs], reuse=reuse) as opened:
        layer = _Transposed(
            num_outputs,
            list(_pair(kernel_size)),
            list(_pair(stride)),
            padding,
            use_bias=False,
            data_format="channels_first" if data_format == "NCHW" else "channels_last",
        )
        shape = [*layer.kernel_size, layer.filters, layer.channels(inputs.shape)]
        layer.kernel = _weights(shape, weights_initializer, weights_regularizer, trainable, inputs)
        outputs = _normalized_or_biased(
            layer.call(inputs),
            normalizer_fn,
            normalizer_params,
            biases_initializer,
            biases_regularizer,
            trainable,
        )
        return _collected(_activated(outputs, activation_fn), outputs_collections, opened)


convolution2d_transpose = conv2d_transpose
_Transposed = layers.Conv2DTranspose


@add_arg_scope
def separable_conv2d(
    inputs: Any,
    num_outputs: Any,
    kernel_size: Any,
    depth_multiplier: int = 1,
    stride: Any = 1,
    padding: str = "SAME",
    activation_fn: Any = tf.nn.relu,
    normalizer_fn: Any = None,
    normalizer_params: Any = None,
    weights_initializer: Any = None,
    weights_regularizer: Any = None,
    biases_initializer: Any = 0,
    biases_regularizer: Any = None,
    reuse: Any = None,
    trainable: bool = True,
    scope: Any = None,
    **unused: Any,
) -> Any:
    """A convolution of each channel, then, unless num_outputs is None, one across them."""
    with tf.variable_scope(scope, "SeparableConv2d", [inputs], reuse=reuse):
        channels = int(inputs.shape[-1])
        start = weights_initializer or xavier_initializer()
        depthwise = framework.model_variable(
            "depthwise_weights",
            [*_pair(kernel_size), channels, depth_multiplier],
            initializer=start,
        )
        strides = [1, *_pair(stride), 1]
        if num_outputs is None:
            outputs = tf.nn.depthwise_conv2d(inputs, depthwise, strides, padding)
        else:
            pointwise = framework.model_variable(
                "pointwise_weights",
                [1, 1, channels * depth_multiplier, num_outputs],
                initializer=start,
                regularizer=weights_regularizer,
            )
            outputs = tf.nn.separable_conv2d(inputs, depthwise, pointwise, strides, padding)
        outputs = _normalized_or_biased(
            outputs,
            normalizer_fn,
            normalizer_params,
            biases_initializer,
            biases_regularizer,
            trainable,
        )
        return _activated(outputs, activation_fn)


separable_convolution2d = separable_conv2d


@add_arg_scope
def max_pool2d(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 2,
    padding: str = "VALID",
    data_format: str = "NHWC",
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """The largest of each window."""
    return _pooled(tf.nn.max_pool, "MaxPool2D", inputs, kernel_size, stride, padding, scope)


@add_arg_scope
def avg_pool2d(
    inputs: Any,
    kernel_size: Any,
    stride: Any = 2,
    padding: str = "VALID",
    data_format: str = "NHWC",
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """The mean of each window."""
    return _pooled(tf.nn.avg_pool, "AvgPool2D", inputs, kernel_size, stride, padding, scope)


@add_arg_scope
def flatten(inputs: Any, outputs_collections: Any = None, scope: Any = None) -> Any:
    """[B, ...] -> [B, all the rest]."""
    with tf.name_scope(scope, "Flatten", [inputs]):
        return layers.Flatten().call(tf.convert_to_tensor(inputs))


@add_arg_scope
def dropout(
    inputs: Any,
    keep_prob: Any = 0.5,
    noise_shape: Any = None,
    is_training: Any = True,
    outputs_collections: Any = None,
    scope: Any = None,
    seed: Any = None,
) -> Any:
    """Keeps a part `keep_prob` of its inputs and scales it up, while training."""
    with tf.name_scope(scope, "Dropout", [inputs]):
        return layers.Dropout(1 - keep_prob, noise_shape, seed).call(inputs, is_training)


@add_arg_scope
def batch_norm(
    inputs: Any,
    decay: float = 0.999,
    center: bool = True,
    scale: bool = False,
    epsilon: float = 0.001,
    activation_fn: Any = None,
    param_initializers: Any = None,
    param_regularizers: Any = None,
    updates_collections: Any = _UPDATE_OPS,
    is_training: Any = True,
    reuse: Any = None,
    variables_collections: Any = None,
    outputs_collections: Any = None,
    trainable: bool = True,
    batch_weights: Any = None,
    fused: Any = None,
    data_format: str = "NHWC",
    zero_debias_moving_mean: bool = False,
    scope: Any = None,
    **unused: Any,
) -> Any:
    """layers.BatchNormalization; updates_collections=None updates the moving values at once."""
    first = param_initializers or {}
    layer = layers.BatchNormalization(
        1 if data_format == "NCHW" else -1,
        decay,
        epsilon,
        center,
        scale,
        first.get("beta"),
        first.get("gamma"),
        first.get("moving_mean"),
        first.get("moving_variance"),
        trainable=trainable,
        _scope=scope,
        _reuse=reuse,
    )
    layer.base_name = "BatchNorm"
    collected = tf.get_collection_ref(tf.GraphKeys.UPDATE_OPS)
    before = len(collected)
    outputs = layer(inputs, training=is_training)
    for variable in layer.weights:
        if variable not in tf.get_collection(tf.GraphKeys.MODEL_VARIABLES):
            framework.add_model_variable(variable)
    if updates_collections != tf.GraphKeys.UPDATE_OPS:
        del collected[before:]
        if updates_collections is None:
            with tf.control_dependencies(layer.updates):
                outputs = tf.identity(outputs)
        else:
            for update in layer.updates:
                tf.add_to_collections(updates_collections, update)
    return _activated(outputs, activation_fn)


@add_arg_scope
def layer_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    activation_fn: Any = None,
    reuse: Any = None,
    trainable: bool = True,
    scope: Any = None,
    **unused: Any,
) -> Any:
    """Normalises each example over all its features."""
    axes = list(range(1, inputs.shape.ndims))
    return _standardized(
        "LayerNorm", inputs, axes, center, scale, 1e-12, activation_fn, reuse, trainable, scope
    )


@add_arg_scope
def instance_norm(
    inputs: Any,
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-6,
    activation_fn: Any = None,
    reuse: Any = None,
    trainable: bool = True,
    scope: Any = None,
    **unused: Any,
) -> Any:
    """Normalises each channel of each example."""
    axes = list(range(1, inputs.shape.ndims - 1))
    return _standardized(
        "InstanceNorm", inputs, axes, center, scale, epsilon, activation_fn, reuse, trainable, scope
    )


@add_arg_scope
def group_norm(
    inputs: Any,
    groups: int = 32,
    channels_axis: int = -1,
    reduction_axes: Any = (-3, -2),
    center: bool = True,
    scale: bool = True,
    epsilon: float = 1e-6,
    activation_fn: Any = None,
    reuse: Any = None,
    trainable: bool = True,
    scope: Any = None,
    **unused: Any,
) -> Any:
    """Normalises the channels of each example, group by group; channels last."""
    inputs = tf.convert_to_tensor(inputs)
    width = int(inputs.shape[-1])
    if channels_axis not in (-1, inputs.shape.ndims - 1) or width % groups:
        raise ValueError(f"expected channels last, a multiple of {groups}, found {inputs.shape}")
    grouped = tf.reshape(inputs, tf.concat([tf.shape(inputs)[:-1], [groups, width // groups]], 0))
    axes = [axis % inputs.shape.ndims for axis in reduction_axes]
    mean, variance = tf.nn.moments(grouped, [*axes, inputs.shape.ndims], keepdims=True)
    outputs = tf.reshape((grouped - mean) * tf.rsqrt(variance + epsilon), tf.shape(inputs))
    outputs.set_shape(inputs.shape)
    with tf.variable_scope(scope, "GroupNorm", [inputs], reuse=reuse):
        if scale:
            outputs *= framework.model_variable(
                "gamma", [width], initializer=tf.ones_initializer(), trainable=trainable
            )
        if center:
            outputs += framework.model_variable(
                "beta", [width], initializer=tf.zeros_initializer(), trainable=trainable
            )
    return _activated(outputs, activation_fn)


@add_arg_scope
def maxout(inputs: Any, num_units: int, axis: int = -1, scope: Any = None) -> Any:
    """The greatest of each run of features, so many that num_units remain along `axis`."""
    inputs = tf.convert_to_tensor(inputs)
    shape = inputs.shape.as_list()
    axis = axis % len(shape)
    if shape[axis] % num_units:
        raise ValueError(f"expected a multiple of {num_units} features, found {shape[axis]}")
    dynamic = tf.shape(inputs)
    runs = tf.concat(
        [dynamic[:axis], [num_units, shape[axis] // num_units], dynamic[axis + 1 :]], 0
    )
    outputs = tf.reduce_max(tf.reshape(inputs, runs), axis + 1)
    outputs.set_shape([*shape[:axis], num_units, *shape[axis + 1 :]])
    return outputs


@add_arg_scope
def bias_add(
    inputs: Any,
    activation_fn: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    reuse: Any = None,
    trainable: bool = True,
    scope: Any = None,
    **unused: Any,
) -> Any:
    """activation(inputs + b)."""
    with tf.variable_scope(scope, "BiasAdd", [inputs], reuse=reuse):
        return _activated(_biased(inputs, initializer or 0, regularizer, trainable), activation_fn)


@add_arg_scope
def one_hot_encoding(
    labels: Any,
    num_classes: int,
    on_value: float = 1.0,
    off_value: float = 0.0,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """Labels [B] -> [B, num_classes] float32."""
    return tf.one_hot(tf.cast(labels, tf.int64), num_classes, on_value, off_value)


@add_arg_scope
def softmax(logits: Any, scope: Any = None) -> Any:
    """Softmax over the last dimension."""
    return tf.nn.softmax(logits)


@add_arg_scope
def unit_norm(inputs: Any, dim: int, epsilon: float = 1e-7, scope: Any = None) -> Any:
    """Inputs over their length along a dimension."""
    return tf.nn.l2_normalize(inputs, dim, epsilon)


def embed_sequence(
    ids: Any, vocab_size: int, embed_dim: int, scope: Any = None, reuse: Any = None, **unused: Any
) -> Any:
    """ids [B, time] -> [B, time, embed_dim]."""
    with tf.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        table = tf.get_variable("embeddings", [vocab_size, embed_dim])
        return tf.nn.embedding_lookup(table, ids)


def linear(*args: Any, **kwargs: Any) -> Any:
    """fully_connected without an activation."""
    return fully_connected(*args, **{"activation_fn": None, **kwargs})


def elu(*args: Any, **kwargs: Any) -> Any:
    """fully_connected with an elu."""
    return fully_connected(*args, **{"activation_fn": tf.nn.elu, **kwargs})


def relu(*args: Any, **kwargs: Any) -> Any:
    """fully_connected with a ReLU."""
    return fully_connected(*args, **{"activation_fn": tf.nn.relu, **kwargs})


def relu6(*args: Any, **kwargs: Any) -> Any:
    """fully_connected with a ReLU of at most 6."""
    return fully_connected(*args, **{"activation_fn": tf.nn.relu6, **kwargs})


def legacy_fully_connected(
    x: Any, num_output_units: int, activation_fn: Any = None, **old: Any
) -> Any:
    """fully_connected, as it was called until 0.8."""
    return fully_connected(x, num_output_units, activation_fn, scope=old.get("name"))


legacy_linear = linear
legacy_relu = relu


def repeat(inputs: Any, repetitions: int, layer: Any, *args: Any, **kwargs: Any) -> Any:
    """A layer several times, in the scopes scope/scope_1, scope/scope_2 ..."""
    scope = kwargs.pop("scope", None)
    with tf.variable_scope(scope, "Repeat", [inputs]):
        name = scope or getattr(layer, "__name__", "repeat")
        for number in range(repetitions):
            inputs = layer(inputs, *args, scope=f"{name}_{number + 1}", **kwargs)
        return inputs


def stack(inputs: Any, layer: Any, stack_args: Any, **kwargs: Any) -> Any:
    """A layer once for each of stack_args."""
    scope = kwargs.pop("scope", None)
    with tf.variable_scope(scope, "Stack", [inputs]):
        name = scope or getattr(layer, "__name__", "stack")
        for number, args in enumerate(stack_args):
            args = args if isinstance(args, list | tuple) else [args]
            inputs = layer(inputs, *args, scope=f"{name}_{number + 1}", **kwargs)
        return inputs


# Training ----------------------------------------------------------------------

OPTIMIZER_CLS_NAMES: dict[str, Any] = {
    "Adagrad": tf.train.AdagradOptimizer,
    "Adam": tf.train.AdamOptimizer,
    "Ftrl": tf.train.FtrlOptimizer,
    "Momentum": lambda rate: tf.train.MomentumOptimizer(rate, 0.9),
    "RMSProp": tf.train.RMSPropOptimizer,
    "SGD": tf.train.GradientDescentOptimizer,
}


def optimize_loss(
    loss: Any,
    global_step: Any,
    learning_rate: Any,
    optimizer: Any,
    gradient_noise_scale: Any = None,
    gradient_multipliers: Any = None,
    clip_gradients: Any = None,
    learning_rate_decay_fn: Any = None,
    update_ops: Any = None,
    variables: Any = None,
    name: Any = None,
    summaries: Any = None,
    **unused: Any,
) -> Any:
    """The op of one training step; its value is the loss."""
    with tf.variable_scope(name, "OptimizeLoss", [loss, global_step]):
        if global_step is None:
            global_step = tf.train.get_or_create_global_step()
        if learning_rate is not None and learning_rate_decay_fn is not None:
            learning_rate = learning_rate_decay_fn(learning_rate, global_step)
        if isinstance(optimizer, str):
            optimizer = OPTIMIZER_CLS_NAMES[optimizer]
        if not isinstance(optimizer, tf.train.Optimizer):
            optimizer = optimizer(learning_rate) if learning_rate is not None else optimizer()
        updates = update_ops or tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        with tf.control_dependencies(updates):
            pairs = optimizer.compute_gradients(loss, variables or tf.trainable_variables())
        if clip_gradients is not None:
            gradients, of = zip(*pairs, strict=True)
            clipped, _ = tf.clip_by_global_norm(gradients, clip_gradients)
            pairs = list(zip(clipped, of, strict=True))
        with tf.control_dependencies([optimizer.apply_gradients(pairs, global_step)]):
            return tf.identity(loss)


def summarize_tensor(tensor: Any, tag: Any = None) -> Any:
    """A scalar or histogram summary of a tensor."""
    if tensor.shape.ndims == 0:
        return tf.summary.scalar(tag or tensor.op.name, tensor)
    return tf.summary.histogram(tag or tensor.op.name, tensor)


summarize_activation = summarize_tensor


def summarize_tensors(tensors: Any, summarizer: Any = summarize_tensor) -> Any:
    """A summary of each."""
    return [summarizer(tensor) for tensor in tensors]


def summarize_collection(collection: Any, name_filter: Any = None, **unused: Any) -> Any:
    """A summary of each of a collection."""
    return summarize_tensors(tf.get_collection(collection))


def summarize_activations(**unused: Any) -> Any:
    """A summary of each of ACTIVATIONS."""
    return summarize_collection(tf.GraphKeys.ACTIVATIONS)


def _weights(shape: Any, initializer: Any, regularizer: Any, trainable: bool, inputs: Any) -> Any:
    return framework.model_variable(
        "weights",
        shape if not hasattr(initializer, "shape") else None,
        inputs.dtype.base_dtype,
        xavier_initializer() if initializer is None else initializer,
        regularizer,
        trainable,
    )


def _biased(
    outputs: Any, initializer: Any, regularizer: Any, trainable: bool, data_format: Any = None
) -> Any:
    """outputs + b; an initializer of None means no bias, one of 0 means zeros."""
    if initializer is None:
        return outputs
    width = int(outputs.shape[1 if data_format == "NCHW" else -1])
    start = tf.zeros_initializer() if isinstance(initializer, int) else initializer
    kind = outputs.dtype.base_dtype
    biases = framework.model_variable("biases", [width], kind, start, regularizer, trainable)
    return tf.nn.bias_add(outputs, biases, data_format)


def _normalized_or_biased(
    outputs: Any,
    normalizer: Any,
    parameters: Any,
    initializer: Any,
    regularizer: Any,
    trainable: bool,
    data_format: Any = None,
) -> Any:
    if normalizer is not None:
        return normalizer(outputs, **(parameters or {}))
    return _biased(outputs, initializer, regularizer, trainable, data_format)


def _activated(outputs: Any, activation: Any) -> Any:
    return outputs if activation is None else activation(outputs)


def _collected(outputs: Any, collections: Any, scope: Any) -> Any:
    if collections:
        names = collections if isinstance(collections, list | tuple) else [collections]
        tf.add_to_collections(names, outputs)
        outputs.alias = scope.name
    return outputs


def _pooled(
    pool: Any, name: str, inputs: Any, kernel: Any, stride: Any, padding: str, scope: Any
) -> Any:
    with tf.name_scope(scope, name, [inputs]):
        sizes, strides = [1, *_pair(kernel), 1], [1, *_pair(stride), 1]
        return pool(inputs, sizes, strides, padding.upper())


def _standardized(
    name: str,
    inputs: Any,
    axes: list[int],
    center: bool,
    scale: bool,
    epsilon: float,
    activation: Any,
    reuse: Any,
    trainable: bool,
    scope: Any,
) -> Any:
    with tf.variable_scope(scope, name, [inputs], reuse=reuse):
        width, beta, gamma = [int(inputs.shape[-1])], None, None
        if center:
            beta = framework.model_variable(
                "beta", width, initializer=tf.zeros_initializer(), trainable=trainable
            )
        if scale:
            gamma = framework.model_variable(
                "gamma", width, initializer=tf.ones_initializer(), trainable=trainable
            )
        mean, variance = tf.nn.moments(inputs, axes, keepdims=True)
        outputs = tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, epsilon)
        outputs.set_shape(inputs.shape)
        return _activated(outputs, activation)


def _pair(value: Any) -> tuple[int, int]:
    if isinstance(value, list | tuple):
        return (int(value[0]), int(value[-1]))
    return (int(value), int(value))
