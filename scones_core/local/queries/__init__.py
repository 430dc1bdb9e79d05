"""Evaluation of state machine expressions within limits.

A regular expression or `$range` can take minutes and gigabytes, and blocks all threads of a process meanwhile. So all
but cheap expressions are evaluated in a separate process with system limits.

costs.py       classification of cheap expressions
jsonata_.py    JSONata, with the functions that Step Functions adds; jsonpath_.py JSONPath
limits.py      its limits
worker.py      the process that evaluates; pool.py keeps such processes
"""
