"""Trained weights as files for other runtimes, each checked in its own before it is announced.

Read in this order:

    __main__.py        the command
    formats.py         the formats by name: what each is called, writes, runs in and may differ by
    model.py           what is exported; what an export answers
    inference_graph.py the forward passes alone, from a placeholder to scores and classes
    saved_model.py     for TensorFlow Serving; run_saved_model.py loads it as its users would
    tflite.py          TensorFlow Lite, in float32 or all in int8
    onnx.py            ONNX, through tf2onnx
    frozen.py          a GraphDef with the weights as constants
    npz.py             NumPy arrays by the names of the variables
    check.py           whether an export answers as the weights do
    publish.py         a folder where nothing is ever overwritten, and nothing is left half
    library_output.py  converters without their talk
"""
