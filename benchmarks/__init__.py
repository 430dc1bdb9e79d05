"""Benchmarks, each with a peer or a smaller size in the same run: `python -m benchmarks NAME`."""
