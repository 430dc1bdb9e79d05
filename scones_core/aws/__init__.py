"""The AWS backend: S3, SageMaker, Step Functions and Lambda behind the ports; the files are named as in `local/`.

session.py                    clients with the ordinary credential chain and botocore's retries; the stack's outputs
errors.py                     every answer of AWS in plain words, in one place
algorithms.py, source.py      what trains and serves, and the code that is sent along; container/ runs there
models.py, transform.py       SageMaker's Model objects; batch inference
training_log.py, scaling.py   log lines and their metrics; more instances for a busy endpoint
functions.py                  the environment variables of the functions
checks.py                     what `doctor` asks
"""
