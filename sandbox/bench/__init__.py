"""The benchmark: our uploads beside other clients', in one run, against a data centre that only counts.

Nothing here knows the engine: `run.py` hands its uploads in, as it starts every other client.
"""
