"""Conformance: drawn models of one operator against both reference interpreters, and as firmware.

``python -m firmware_tests.conformance --help`` tells how to run it; what it counts is what
``tinygen ops`` lists.
"""
