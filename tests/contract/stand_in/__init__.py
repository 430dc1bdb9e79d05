"""AWS on loopback: moto's server, and stand-ins for what moto lacks.

deployment.py  what `sam deploy` does with infra/template.yaml
iam.py         IAM: which policies allow which request
roles.py       who makes it: the app, a role of the template, an administrator
functions.py   Lambda: runs the handlers out of the deployed zips, without Docker
sagemaker.py   SageMaker: trains, deploys and answers with the real classifier, and writes real captures
prices.py      the price list
patches.py     which of moto's names are replaced
server.py      puts it all together; `python -m tests.contract.stand_in` serves it until it is interrupted
"""
