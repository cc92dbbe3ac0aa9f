"""Train a small digit classifier and quantize it to int8, from nothing but scikit-learn's data.

    pip install -e ".[examples]"
    python examples/digits/train.py

writes, next to this file:

- ``digits.tflite``: the network, int8 in and out;
- ``digits_vectors.npz``: test images (``in0``), what the reference kernels of LiteRT (``out0``)
  and of TFLite Micro (``tflm0``) answer to them, and the true digits (``labels``).

Every source of randomness is seeded, so the same machine and versions give the same files.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tflite_micro import runtime

HERE = Path(__file__).resolve().parent
SEED = 8
EPOCHS = 60
BATCH = 32
EDGES = 16
VECTORS = 32

Images = NDArray[np.float32]
Labels = NDArray[np.int64]


def load_data() -> tuple[Images, Images, Labels, Labels]:
    """Return train images, test images, train labels, test labels; pixels run from 0 to 1."""
    digits = load_digits()
    images = (digits.images / 16.0).astype(np.float32)[..., np.newaxis]
    train_x, test_x, train_y, test_y = train_test_split(
        images, digits.target, test_size=0.25, random_state=SEED, stratify=digits.target
    )
    return train_x, test_x, train_y, test_y


def normalized(x: keras.KerasTensor, layer: keras.Layer) -> keras.KerasTensor:
    """Apply ``layer``, normalize, rectify; the converter folds all three into one operator."""
    x = keras.layers.BatchNormalization(name=f"{layer.name}_norm")(layer(x))
    return keras.layers.ReLU(name=f"{layer.name}_relu")(x)


def separable(x: keras.KerasTensor, channels: int, name: str) -> keras.KerasTensor:
    """Filter each channel on its own (3x3), then mix the channels (1x1)."""
    filters = keras.layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"{name}_filter")
    mix = keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_mix")
    return normalized(normalized(x, filters), mix)


def build_network() -> keras.Model:
    """Return the untrained network."""
    image = keras.Input((8, 8, 1), name="image")
    edges = keras.layers.Conv2D(EDGES, 3, padding="same", use_bias=False, name="edges")
    x = normalized(image, edges)
    x = separable(x, 2 * EDGES, "strokes")
    x = keras.layers.MaxPooling2D(2, name="halve")(x)
    x = separable(x, 4 * EDGES, "shapes")
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    digit = keras.layers.Dense(10, activation="softmax", name="digit")(x)
    return keras.Model(image, digit, name="digits")


def train(network: keras.Model, images: Images, labels: Labels) -> None:
    """Fit with Adam, its step falling to nothing along a cosine.

    Smoothed labels keep the network from answers of plain 0 and 1, which would hide rounding.
    """
    steps = EPOCHS * -(-len(images) // BATCH)
    network.compile(
        optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, steps)),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
    )
    network.fit(
        images, keras.utils.to_categorical(labels), batch_size=BATCH, epochs=EPOCHS, verbose=0
    )


def quantize(network: keras.Model, calibration: Images) -> bytes:
    """Return ``network`` as an int8 model whose ranges are those that ``calibration`` reaches."""
    one_image = keras.InputSpec(dtype="float32", shape=(1, 8, 8, 1), name="image")
    with TemporaryDirectory() as folder:
        network.export(folder, verbose=False, input_signature=[one_image])
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image[np.newaxis]] for image in calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        return converter.convert()


def run_litert(model: bytes, images: Images) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Quantize ``images`` and return them with LiteRT's answers, one row an image."""
    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    (source,) = interpreter.get_input_details()
    (target,) = interpreter.get_output_details()
    scale, zero_point = source["quantization"]
    inputs = np.clip(np.round(images / scale) + zero_point, -128, 127).astype(np.int8)
    outputs = []
    for image in inputs:
        interpreter.set_tensor(source["index"], image[np.newaxis])
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(target["index"]))
    return inputs[:, np.newaxis], np.stack(outputs)


def run_tflite_micro(model: bytes, inputs: NDArray[np.int8]) -> NDArray[np.int8]:
    """Return TFLite Micro's answers to the quantized ``inputs``."""
    interpreter = runtime.Interpreter.from_bytes(model)
    outputs = []
    for image in inputs:
        interpreter.set_input(image, 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0))
    return np.stack(outputs)


def accuracy(answers: NDArray[np.generic], labels: Labels) -> float:
    """Return the share of answers whose largest class is the label."""
    return float(np.mean(answers.reshape(len(labels), -1).argmax(axis=1) == labels))


def main() -> None:
    keras.utils.set_random_seed(SEED)
    tf.config.experimental.enable_op_determinism()
    train_x, test_x, train_y, test_y = load_data()
    network = build_network()
    train(network, train_x, train_y)
    model = quantize(network, train_x)

    inputs, litert = run_litert(model, test_x)
    micro = run_tflite_micro(model, inputs)
    (HERE / "digits.tflite").write_bytes(model)
    np.savez_compressed(
        HERE / "digits_vectors.npz",
        in0=inputs[:VECTORS],
        out0=litert[:VECTORS],
        tflm0=micro[:VECTORS],
        labels=test_y[:VECTORS],
    )

    answers = network.predict(test_x, verbose=0)
    print(f"{len(train_x)} training images, {len(test_x)} test images, {len(model)} bytes of model")
    print(f"test accuracy, float                {accuracy(answers, test_y):.4f}")
    print(f"test accuracy, int8, LiteRT         {accuracy(litert, test_y):.4f}")
    print(f"test accuracy, int8, TFLite Micro   {accuracy(micro, test_y):.4f}")


if __name__ == "__main__":
    main()
