"""The embedded workflow service: runs state machines of the Amazon States Language in this process.

asl/             the language: compiled states and their interpreter
functions.py     the Lambda functions of `lambdas/`, run in this process
engine.py        one thread for all executions; workers.py a few for the functions and for costly expressions
store.py         executions and histories in SQLite; locks.py tells whose process still lives
service.py       the ports WorkflowService and StateMachines
"""

from scones_core.local.workflow.service import LocalWorkflows

__all__ = ["LocalWorkflows"]
