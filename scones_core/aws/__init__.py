"""The AWS backend: S3, SageMaker, Step Functions and Lambda behind the ports; the files are named as in `local/`.

session.py                    clients with the ordinary credential chain and botocore's retries; the stack's outputs
errors.py                     translation of AWS errors into SconesErrors
algorithms.py, source.py      the algorithms, and the code sent to their containers; container/ runs there
models.py, transform.py       SageMaker's Model objects; batch inference
waiting.py                    until an endpoint is in service
training_log.py, scaling.py   log lines and their metrics; more instances for a busy endpoint
functions.py                  the environment variables of the functions
checks.py, permissions.py     checks for `doctor`; what IAM must allow
"""
