"""Export trained weights to other runtimes; each export is checked in its own runtime.

Modules, in reading order:

    __main__.py         the command
    formats.py          the registry of formats
    model.py            what is exported, and what an export returns
    inference_graph.py  the graph: images -> scores and classes
    frozen.py           a GraphDef with the weights as constants
    saved_model.py      for TensorFlow Serving; run_saved_model.py runs it in a new process
    tflite.py           TensorFlow Lite, in float32 or int8
    onnx.py             ONNX, by tf2onnx
    npz.py              NumPy arrays
    check.py            compares an export with the model
    publish.py          moves a finished export to its name, without overwriting anything
    library_output.py   holds back the logs of converters
"""
