"""The JSON bodies of the API. FastAPI generates the OpenAPI schema from them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Label = Annotated[int, Field(ge=0, le=9)]
Probability = Annotated[float, Field(ge=0, le=1)]
Pixel = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]
Row = Annotated[list[Pixel], Field(min_length=28, max_length=28)]
Flat = Annotated[list[Pixel], Field(min_length=784, max_length=784)]
Square = Annotated[list[Row], Field(min_length=28, max_length=28)]


def _layout(pixels: Any) -> str:
    rows = isinstance(pixels, list) and pixels and isinstance(pixels[0], list)
    return "28x28" if rows else "784"


class Pixels(BaseModel):
    """A 28x28 image: 784 numbers, row by row, or 28 rows of 28; 0 is the background."""

    model_config = ConfigDict(extra="forbid")
    pixels: Annotated[
        Annotated[Flat, Tag("784")] | Annotated[Square, Tag("28x28")], Discriminator(_layout)
    ]


class ModelPrediction(BaseModel):
    """The prediction of one model. The mlp's probabilities are the nearest to its outputs."""

    label: Label
    probability: Probability
    probabilities: list[Probability] = Field(min_length=10, max_length=10)


class Digit(BaseModel):
    """A digit in an image. Its label is the prediction of the default model."""

    label: Label
    probability: Probability
    box: tuple[int, int, int, int] = Field(description="x, y, width, height in pixels of the image")
    models: dict[str, ModelPrediction]
    pixels: Flat | None = Field(None, description="the 28x28 image that the models get")


class Prediction(BaseModel):
    """The width and height of an image, and its digits by rows from left to right."""

    size: tuple[int, int]
    digits: list[Digit] = Field(min_length=1)


class Layer(BaseModel):
    """The feature maps of a layer, row by row; 255 is the layer's largest activation."""

    name: str
    size: int = Field(description="width and height of a feature map")
    maps: list[list[Annotated[int, Field(ge=0, le=255)]]]


class FeatureMaps(BaseModel):
    """The feature maps of the CNN."""

    layers: list[Layer]


class Model(BaseModel):
    """A model; its accuracy is that on MNIST's 10,000 test images."""

    name: str
    title: str
    summary: str
    parameters: int
    test_accuracy: Probability


class Models(BaseModel):
    """The models, and the name of the default model."""

    default: str
    models: list[Model]


class Error(BaseModel):
    """The body of each response with a status of 400 or more."""

    error: str
