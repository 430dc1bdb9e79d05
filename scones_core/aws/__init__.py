"""The AWS backend: S3, SageMaker, Step Functions and Lambda behind the ports; the files are named as in `local/`.

session.py   clients with the ordinary credential chain and botocore's retries; the stack's outputs
errors.py    every answer of AWS in plain words, in one place
"""
