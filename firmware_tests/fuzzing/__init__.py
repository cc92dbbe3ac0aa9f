"""Files that lie: damaged models, and what tinygen makes of them.

    python -m firmware_tests.fuzzing --seed 1 --minutes 10 --jobs 2

Mutants of real models go through `inspect` and `generate` within bounds of time and memory. Each
must end in success or in one error; what is accepted is compiled and run under sanitizers.
"""
