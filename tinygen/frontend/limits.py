"""The most that a model may hold: far above what runs on a microcontroller, and little enough that
reading and compiling any file ends within seconds and within a gigabyte."""

# The front end and every pass walk over the operators; the largest models that run on
# microcontrollers have a few hundred.
MOST_OPERATORS = 2048

# Memory of one activation: more than the RAM of any microcontroller, external RAM included.
LARGEST_ACTIVATION_BYTES = 64 << 20

# Bounds are kept for each index of the last axis of every tensor, 16 bytes each.
MOST_CHANNELS = 1 << 20
MOST_CHANNELS_IN_ALL = 1 << 22
