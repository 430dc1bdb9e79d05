"""The Amazon States Language: https://states-language.net/spec.html, as AWS Step Functions runs it.

compile*.py      from a definition to compiled states; fields.py refuses what is wrong
interpreter.py   runs compiled states one after another, with Retry and Catch
task.py, simple.py, choice.py, parallel.py, map_inline.py, map_distributed.py   the states
jsonpath_language.py, jsonata_language.py   the query languages: how data flows through a state
history.py, frame.py   the events, and where a line of states stands among them
"""
