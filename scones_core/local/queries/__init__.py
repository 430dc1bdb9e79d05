"""The expressions of state machines, evaluated within limits.

A regular expression or `$range` can take minutes and gigabytes, and holds all threads of a process meanwhile. So what
is not plainly cheap is evaluated by a process of its own, which the system ends beyond its limits.

costs.py       which expressions are plainly cheap
jsonata_.py    JSONata, with the functions that Step Functions adds; jsonpath_.py JSONPath
worker.py      the process that evaluates; pool.py keeps such processes
"""
