"""tf.layers on raw ops, with the original's variable names: `conv2d/kernel`, `dense_1/bias`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from deep_mnist.lazy_tensorflow import tf

__all__ = [
    "AveragePooling1D",
    "AveragePooling2D",
    "AveragePooling3D",
    "BatchNormalization",
    "Conv1D",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Dense",
    "Dropout",
    "Flatten",
    "InputSpec",
    "Layer",
    "MaxPooling1D",
    "MaxPooling2D",
    "MaxPooling3D",
    "SeparableConv2D",
    "average_pooling1d",
    "average_pooling2d",
    "average_pooling3d",
    "batch_normalization",
    "conv1d",
    "conv2d",
    "conv2d_transpose",
    "conv3d",
    "dense",
    "dropout",
    "flatten",
    "max_pooling1d",
    "max_pooling2d",
    "max_pooling3d",
    "separable_conv2d",
]


class Layer:
    """A layer makes its variables on the first call, in a scope of its own, and reuses them.

    A subclass gives `build(input_shape)`, which calls `add_variable`, and `call(inputs)`.
    """

    base_name = "layer"

    def __init__(
        self,
        trainable: bool = True,
        name: Any = None,
        dtype: Any = None,
        activity_regularizer: Any = None,
        _scope: Any = None,
        _reuse: Any = None,
        **unused: Any,
    ) -> None:
        self.trainable = trainable
        self.built = False
        self.dtype = dtype
        self.activity_regularizer = activity_regularizer
        self.weights: list[Any] = []
        self._name = _scope if _scope is not None else name
        self._reuse = _reuse
        self._scope: Any = None

    @property
    def name(self) -> str:
        return self.scope_name.rpartition("/")[2]

    @property
    def scope_name(self) -> str:
        return str(self._scope.name if self._scope is not None else self._name or self.base_name)

    @property
    def variables(self) -> list[Any]:
        return self.weights

    @property
    def trainable_weights(self) -> list[Any]:
        trainable = tf.trainable_variables()
        return [weight for weight in self.weights if any(weight is v for v in trainable)]

    trainable_variables = trainable_weights

    @property
    def non_trainable_variables(self) -> list[Any]:
        trainable = self.trainable_weights
        return [weight for weight in self.weights if not any(weight is v for v in trainable)]

    @property
    def losses(self) -> list[Any]:
        return tf.losses.get_regularization_losses(self.scope_name)  # type: ignore[no-any-return]

    def build(self, input_shape: Any) -> None:
        """Makes the variables; a layer without any has nothing to do."""
        self.built = True

    def call(self, *args: Any, **arguments: Any) -> Any:
        """inputs -> outputs."""
        raise NotImplementedError

    def __call__(self, inputs: Any, *args: Any, **arguments: Any) -> Any:
        if not isinstance(inputs, list | tuple):
            inputs = tf.convert_to_tensor(inputs)
        if self._scope is None:
            opened = tf.variable_scope(self._name, self.base_name, reuse=self._reuse)
        else:
            opened = tf.variable_scope(self._scope, reuse=True if self.built else None)
        with opened as scope:
            self._scope = scope
            if not self.built:
                self.dtype = self.dtype or getattr(inputs, "dtype", None)
                self.build(getattr(inputs, "shape", None))
                self.built = True
            arguments.pop("scope", None)
            outputs = self.call(inputs, *args, **arguments)
            if self.activity_regularizer is not None:
                loss = self.activity_regularizer(outputs)
                tf.add_to_collection(tf.GraphKeys.REGULARIZATION_LOSSES, loss)
        return outputs

    apply = __call__

    def add_variable(
        self,
        name: str,
        shape: Sequence[int],
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
        **unused: Any,
    ) -> Any:
        """A variable of the layer's scope; an initializer may be a class or a function."""
        variable = tf.get_variable(
            name,
            shape,
            dtype or self.dtype or tf.float32,
            initializer,
            regularizer=regularizer,
            trainable=trainable and self.trainable,
            constraint=constraint,
        )
        self.weights.append(variable)
        return variable

    add_weight = add_variable


class InputSpec:
    """What a layer of a script's own says of its inputs; kept, not checked."""

    def __init__(self, **spec: Any) -> None:
        self.__dict__.update(spec)


class _Weighted(Layer):
    """A kernel, a bias, an activation."""

    def __init__(
        self,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = None,
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.activation = activation
        self.use_bias = use_bias
        self._kernel = (kernel_initializer, kernel_regularizer, kernel_constraint)
        self._bias = (bias_initializer, bias_regularizer, bias_constraint)
        self.kernel: Any = None
        self.bias: Any = None

    def _add(self, name: str, shape: Sequence[int], settings: tuple[Any, Any, Any]) -> Any:
        initializer, regularizer, constraint = settings
        return self.add_variable(
            name,
            shape,
            initializer=initializer,
            regularizer=regularizer,
            constraint=constraint,
        )

    def _add_kernel_and_bias(self, kernel_shape: Sequence[int], width: int) -> None:
        self.kernel = self._add("kernel", kernel_shape, self._kernel)
        self._add_bias(width)

    def _add_bias(self, width: int) -> None:
        if self.use_bias:
            initializer, *rest = self._bias
            first = tf.zeros_initializer() if initializer is None else initializer
            self.bias = self._add("bias", [width], (first, rest[0], rest[1]))

    def _finish(self, outputs: Any, data_format: str | None = None) -> Any:
        if self.bias is not None:
            outputs = tf.nn.bias_add(outputs, self.bias, data_format)
        return outputs if self.activation is None else self.activation(outputs)


class Dense(_Weighted):
    """activation(inputs W + b) over the last dimension."""

    base_name = "dense"

    def __init__(self, units: int, activation: Any = None, use_bias: bool = True, **more: Any):
        super().__init__(activation, use_bias, **more)
        self.units = int(units)

    def build(self, input_shape: Any) -> None:
        width = _known(input_shape[-1], "dense", input_shape)
        self._add_kernel_and_bias([width, self.units], self.units)

    def call(self, inputs: Any) -> Any:
        if inputs.shape.ndims == 2:
            outputs = tf.matmul(inputs, self.kernel)
        else:
            outputs = tf.tensordot(inputs, self.kernel, [[inputs.shape.ndims - 1], [0]])
            outputs.set_shape([*inputs.shape.as_list()[:-1], self.units])
        return self._finish(outputs)


class _Convolution(_Weighted):
    dimensions = 2

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        **more: Any,
    ) -> None:
        super().__init__(activation, use_bias, **more)
        self.filters = int(filters)
        self.kernel_size = each(kernel_size, self.dimensions)
        self.strides = each(strides, self.dimensions)
        self.padding = padding.upper()
        self.dilation_rate = each(dilation_rate, self.dimensions)
        self.format = _format(data_format, self.dimensions)

    def channels(self, input_shape: Any) -> int:
        axis = -1 if self.format.endswith("C") else 1
        return _known(input_shape[axis], self.base_name, input_shape)

    def build(self, input_shape: Any) -> None:
        shape = [*self.kernel_size, self.channels(input_shape), self.filters]
        self._add_kernel_and_bias(shape, self.filters)

    def call(self, inputs: Any) -> Any:
        outputs = tf.nn.convolution(
            inputs,
            self.kernel,
            padding=self.padding,
            strides=self.strides,
            dilation_rate=self.dilation_rate,
            data_format=self.format,
        )
        return self._finish(outputs, self.format[0] + "C" + "HW" if self.format[1] == "C" else None)


class Conv1D(_Convolution):
    """Convolution over one dimension."""

    base_name = "conv1d"
    dimensions = 1


class Conv2D(_Convolution):
    """Convolution over two dimensions."""

    base_name = "conv2d"


class Conv3D(_Convolution):
    """Convolution over three dimensions."""

    base_name = "conv3d"
    dimensions = 3


class Conv2DTranspose(_Convolution):
    """The gradient of a convolution as a layer; its kernel is [height, width, out, in]."""

    base_name = "conv2d_transpose"

    def build(self, input_shape: Any) -> None:
        shape = [*self.kernel_size, self.filters, self.channels(input_shape)]
        self._add_kernel_and_bias(shape, self.filters)

    def call(self, inputs: Any) -> Any:
        first = 1 if self.format == "NHWC" else 2
        dynamic, static = tf.shape(inputs), inputs.shape.as_list()
        sizes = [
            _transposed(size, kernel, stride, self.padding)
            for size, kernel, stride in zip(
                [static[first + i] or dynamic[first + i] for i in range(2)],
                self.kernel_size,
                self.strides,
                strict=True,
            )
        ]
        if self.format == "NHWC":
            shape, strides = [dynamic[0], *sizes, self.filters], [1, *self.strides, 1]
        else:
            shape, strides = [dynamic[0], self.filters, *sizes], [1, 1, *self.strides]
        outputs = tf.nn.conv2d_transpose(
            inputs, self.kernel, tf.stack(shape), strides, self.padding, self.format
        )
        outputs.set_shape([static[0], *[d if isinstance(d, int) else None for d in shape[1:]]])
        return self._finish(outputs, self.format)


class SeparableConv2D(_Convolution):
    """A convolution of each channel by itself, then one of 1x1 across the channels."""

    base_name = "separable_conv2d"

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str = "channels_last",
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        depthwise_initializer: Any = None,
        pointwise_initializer: Any = None,
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(filters, kernel_size, strides, padding, data_format, dilation_rate, **more)
        self.depth_multiplier = depth_multiplier
        self._depthwise = (depthwise_initializer, depthwise_regularizer, depthwise_constraint)
        self._pointwise = (pointwise_initializer, pointwise_regularizer, pointwise_constraint)

    def build(self, input_shape: Any) -> None:
        channels = self.channels(input_shape)
        self.depthwise_kernel = self._add(
            "depthwise_kernel",
            [*self.kernel_size, channels, self.depth_multiplier],
            self._depthwise,
        )
        self.pointwise_kernel = self._add(
            "pointwise_kernel",
            [1, 1, channels * self.depth_multiplier, self.filters],
            self._pointwise,
        )
        self._add_bias(self.filters)

    def call(self, inputs: Any) -> Any:
        strides = [1, *self.strides, 1] if self.format == "NHWC" else [1, 1, *self.strides]
        outputs = tf.nn.separable_conv2d(
            inputs,
            self.depthwise_kernel,
            self.pointwise_kernel,
            strides,
            self.padding,
            self.dilation_rate,
            data_format=self.format,
        )
        return self._finish(outputs, self.format)


class _Pooling(Layer):
    dimensions = 2
    kind = "MAX"

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str = "channels_last",
        name: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(name=name, **more)
        self.pool_size = each(pool_size, self.dimensions)
        self.strides = self.pool_size if strides is None else each(strides, self.dimensions)
        self.padding = padding.upper()
        self.format = _format(data_format, self.dimensions)

    def call(self, inputs: Any) -> Any:
        return tf.nn.pool(
            inputs,
            self.pool_size,
            self.kind,
            self.padding,
            strides=self.strides,
            data_format=self.format,
        )


class MaxPooling1D(_Pooling):
    """The largest of each window."""

    base_name = "max_pooling1d"
    dimensions = 1


class MaxPooling2D(_Pooling):
    """The largest of each window."""

    base_name = "max_pooling2d"


class MaxPooling3D(_Pooling):
    """The largest of each window."""

    base_name = "max_pooling3d"
    dimensions = 3


class AveragePooling1D(_Pooling):
    """The mean of each window."""

    base_name = "average_pooling1d"
    dimensions = 1
    kind = "AVG"


class AveragePooling2D(_Pooling):
    """The mean of each window."""

    base_name = "average_pooling2d"
    kind = "AVG"


class AveragePooling3D(_Pooling):
    """The mean of each window."""

    base_name = "average_pooling3d"
    dimensions = 3
    kind = "AVG"


class Flatten(Layer):
    """[B, ...] -> [B, all the rest]."""

    base_name = "flatten"

    def call(self, inputs: Any) -> Any:
        sizes = inputs.shape.as_list()[1:]
        if None in sizes:
            return tf.reshape(inputs, [tf.shape(inputs)[0], -1])
        width = 1
        for size in sizes:
            width *= size
        return tf.reshape(inputs, [-1, width])


class Dropout(Layer):
    """Zeros a part `rate` of its inputs and scales the rest up, while training."""

    base_name = "dropout"

    def __init__(
        self,
        rate: Any = 0.5,
        noise_shape: Any = None,
        seed: Any = None,
        name: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(name=name, **more)
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed

    def call(self, inputs: Any, training: Any = False) -> Any:
        def dropped() -> Any:
            return tf.nn.dropout(
                inputs, rate=self.rate, noise_shape=self.noise_shape, seed=self.seed
            )

        return _choose(training, dropped, lambda: tf.identity(inputs))


class BatchNormalization(Layer):
    """gamma (x - mean) / sqrt(variance + epsilon) + beta.

    Mean and variance are the batch's in training, else the moving ones, whose updates go to
    UPDATE_OPS.
    """

    base_name = "batch_normalization"

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = None,
        gamma_initializer: Any = None,
        moving_mean_initializer: Any = None,
        moving_variance_initializer: Any = None,
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self.axis = axis[0] if isinstance(axis, list | tuple) else axis
        self.momentum, self.epsilon, self.center, self.scale = momentum, epsilon, center, scale
        self._initializers = (
            beta_initializer,
            gamma_initializer,
            moving_mean_initializer,
            moving_variance_initializer,
        )
        self._regularizers = (beta_regularizer, gamma_regularizer)
        self.updates: list[Any] = []
        self.gamma: Any = None
        self.beta: Any = None

    def build(self, input_shape: Any) -> None:
        width = [_known(input_shape[self.axis], "batch_normalization", input_shape)]
        beta, gamma, mean, variance = self._initializers
        zeros, ones = tf.zeros_initializer(), tf.ones_initializer()
        if self.scale:
            self.gamma = self.add_variable(
                "gamma", width, initializer=gamma or ones, regularizer=self._regularizers[1]
            )
        if self.center:
            self.beta = self.add_variable(
                "beta", width, initializer=beta or zeros, regularizer=self._regularizers[0]
            )
        self.moving_mean = self.add_variable(
            "moving_mean", width, initializer=mean or zeros, trainable=False
        )
        self.moving_variance = self.add_variable(
            "moving_variance", width, initializer=variance or ones, trainable=False
        )

    def call(self, inputs: Any, training: Any = False) -> Any:
        rank = inputs.shape.ndims
        axis = self.axis % rank
        others = [i for i in range(rank) if i != axis]
        batch_mean, batch_variance = tf.nn.moments(inputs, others)
        mean = _choose(training, lambda: batch_mean, lambda: tf.identity(self.moving_mean))
        variance = _choose(
            training, lambda: batch_variance, lambda: tf.identity(self.moving_variance)
        )
        if _constant(training) is not False:
            for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
                # Where the moving one was chosen above, it moves by nothing.
                update = tf.assign_sub(moving, (moving - now) * (1 - self.momentum))
                self.updates.append(update.op if hasattr(update, "op") else update)
                tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, self.updates[-1])
        shape = [-1 if i == axis else 1 for i in range(rank)]

        def broad(value: Any) -> Any:
            return value if value is None or axis == rank - 1 else tf.reshape(value, shape)

        outputs = tf.nn.batch_normalization(
            inputs, broad(mean), broad(variance), broad(self.beta), broad(self.gamma), self.epsilon
        )
        outputs.set_shape(inputs.shape)
        return outputs


def _function(layer: type[Layer], *positional: str) -> Callable[..., Any]:
    """The function form of a layer: layer(settings)(inputs) in the scope `name`.

    Args:
      positional: the settings in the order in which the function takes them.
    """

    def function(inputs: Any, *args: Any, **settings: Any) -> Any:
        settings.update(zip(positional, args, strict=False))
        arguments = {"training": settings.pop("training")} if "training" in settings else {}
        reuse, name = settings.pop("reuse", None), settings.pop("name", None)
        return layer(**settings, name=name, _scope=name, _reuse=reuse)(inputs, **arguments)

    function.__name__ = function.__qualname__ = layer.base_name
    function.__doc__ = layer.__doc__
    return function


_WEIGHTS = (
    *("activation", "use_bias", "kernel_initializer", "bias_initializer", "kernel_regularizer"),
    *("bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint"),
    *("trainable", "name", "reuse"),
)
_WINDOW = ("filters", "kernel_size", "strides", "padding", "data_format")
_POOL = ("pool_size", "strides", "padding", "data_format", "name")

dense = _function(Dense, "units", *_WEIGHTS)
conv1d = _function(Conv1D, *_WINDOW, "dilation_rate", *_WEIGHTS)
conv2d = _function(Conv2D, *_WINDOW, "dilation_rate", *_WEIGHTS)
conv3d = _function(Conv3D, *_WINDOW, "dilation_rate", *_WEIGHTS)
conv2d_transpose = _function(Conv2DTranspose, *_WINDOW, *_WEIGHTS)
separable_conv2d = _function(
    SeparableConv2D, *_WINDOW, "dilation_rate", "depth_multiplier", "activation", "use_bias"
)
max_pooling1d = _function(MaxPooling1D, *_POOL)
max_pooling2d = _function(MaxPooling2D, *_POOL)
max_pooling3d = _function(MaxPooling3D, *_POOL)
average_pooling1d = _function(AveragePooling1D, *_POOL)
average_pooling2d = _function(AveragePooling2D, *_POOL)
average_pooling3d = _function(AveragePooling3D, *_POOL)
flatten = _function(Flatten, "name")
dropout = _function(Dropout, "rate", "noise_shape", "seed", "training", "name")
batch_normalization = _function(
    BatchNormalization,
    *("axis", "momentum", "epsilon", "center", "scale", "beta_initializer", "gamma_initializer"),
    *("moving_mean_initializer", "moving_variance_initializer", "beta_regularizer"),
    *("gamma_regularizer", "beta_constraint", "gamma_constraint", "training", "trainable", "name"),
    "reuse",
)


def each(value: Any, dimensions: int) -> list[int]:
    """One number for every dimension, or one for all."""
    if isinstance(value, list | tuple):
        return [int(v) for v in value]
    return [int(value)] * dimensions


def _format(data_format: str, dimensions: int) -> str:
    space = {1: "W", 2: "HW", 3: "DHW"}[dimensions]
    return f"NC{space}" if data_format == "channels_first" else f"N{space}C"


def _known(size: Any, layer: str, shape: Any) -> int:
    value = getattr(size, "value", size)
    if value is None:
        raise ValueError(
            f"{layer}: expected inputs whose size there is known when the graph is built, "
            f"found shape {shape}; give the placeholder a shape, or reshape before"
        )
    return int(value)


def _transposed(size: Any, kernel: int, stride: int, padding: str) -> Any:
    """How long a dimension is after a transposed convolution."""
    return size * stride + (max(kernel - stride, 0) if padding == "VALID" else 0)


def _constant(training: Any) -> bool | None:
    """The value of a flag that is known when the graph is built; None if only a run tells."""
    if isinstance(training, tf.Tensor | tf.Variable):
        value = tf.get_static_value(training) if isinstance(training, tf.Tensor) else None
        return None if value is None else bool(value)
    return bool(training)


def _choose(training: Any, yes: Callable[[], Any], no: Callable[[], Any]) -> Any:
    known = _constant(training)
    if known is not None:
        return yes() if known else no()
    flag = training if training.dtype.base_dtype == tf.bool else tf.cast(training, tf.bool)
    return tf.cond(flag, yes, no)
