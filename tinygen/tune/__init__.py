"""Which kernel computes each layer: what a row costs, and which rows a board has room for.

``cost.py`` estimates cycles from a table, ``choose.py`` weighs them against bytes, ``report.py``
tells what came of it. docs/choosing-kernels.md is the same for users.
"""
