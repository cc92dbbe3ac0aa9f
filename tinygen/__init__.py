"""tinygen compiles quantized TensorFlow Lite models to bit-exact firmware."""

__version__ = "0.1.0"
