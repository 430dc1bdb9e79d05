"""State machines of every kind, for the comparison with moto's interpreter."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.unit.asl.machines import CATCH_ALL, END, FUNCTION, invoke, mapping, one, parallel, passing, task


@dataclass(frozen=True)
class Case:
    definition: Mapping[str, Any]
    given: Any
    concurrent: bool = False


DATA = {"a": {"b": [1, 2, 3], "c": None}, "text": "hello", "n": 5, "f": 1.5, "yes": True, "list": [{"k": 1}, {"k": 2}]}

CORPUS: dict[str, Case] = {}


def add(name: str, definition: Mapping[str, Any], given: Any = DATA, **more: Any) -> None:
    assert name not in CORPUS
    CORPUS[name] = Case(definition, given, **more)


# Pass, and how data flows

add("pass", passing())
add("pass null", passing(), None)
add("pass text", passing(), "text")
add("pass result", passing(Result={"x": [1, None, "y"]}))
add("pass result at path", passing(Result=7, ResultPath="$.a.new.deep"))
add("pass result over array element", passing(Result=9, ResultPath="$.a.b[1]"), DATA)
add("pass result under a number", passing(Result=9, ResultPath="$.n.deeper"))
add("pass result discarded", passing(Result=7, ResultPath=None))
add("pass input path", passing(InputPath="$.a"))
add("pass input discarded", passing(InputPath=None))
add("pass output path", passing(OutputPath="$.list[0].k"))
add("pass output discarded", passing(OutputPath=None))
add("pass input path and result path", passing(InputPath="$.a", ResultPath="$.copy"))
add("pass brackets", passing(InputPath="$['a']['b'][2]"))
add("pass slice", passing(InputPath="$.a.b[0:2]"))
add("pass slice to the end", passing(InputPath="$.a.b[1:]"))
add("pass negative index", passing(InputPath="$.a.b[-1:]"))
add("pass wildcard", passing(InputPath="$.list[*].k"))
add("pass filter", passing(InputPath="$.list[?(@.k==2)]"))
add("pass descent", passing(InputPath="$..k"))
add("pass context", passing(Parameters={"state.$": "$$.State.Name", "in.$": "$$.Execution.Input"}))
add(
    "pass parameters", passing(Parameters={"x.$": "$.a.b", "y": {"z.$": "$.text", "list": [1, {"q": 2}]}, "all.$": "$"})
)
add("pass missing parameter", passing(Parameters={"x.$": "$.no"}))
add(
    "two passes",
    {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": 1, "ResultPath": "$.x", "Next": "B"}, "B": END}},
)
add("assign", passing(Assign={"x": 1, "y": {"z": [True, None]}, "from.$": "$.n"}))

# Intrinsic functions

for number, (text, given) in enumerate(
    [
        ("States.Format('{} and {}', $.text, $.n)", DATA),
        ("States.Format('{}', $.list)", DATA),
        ("States.Format('{} {} {}', $.yes, $.f, $.a.c)", DATA),
        (r"States.Format('it\'s {}', 1)", DATA),
        ("States.StringToJson('[1,{\"a\":null}]')", DATA),
        ("States.JsonToString($.a)", DATA),
        ("States.Array()", DATA),
        ("States.Array(1, 'two', $.a, null)", DATA),
        ("States.ArrayPartition($.a.b, 2)", DATA),
        ("States.ArrayContains($.a.b, 3)", DATA),
        ("States.ArrayContains($.a.b, 'x')", DATA),
        ("States.ArrayRange(1, 9, 2)", DATA),
        ("States.ArrayGetItem($.a.b, 1)", DATA),
        ("States.ArrayLength($.list)", DATA),
        ("States.ArrayUnique($)", [1, 2, 2, "2", 3, 1]),
        ("States.Base64Encode($.text)", DATA),
        ("States.Base64Decode('aGVsbG8=')", DATA),
        ("States.Hash($.text, 'SHA-256')", DATA),
        ("States.Hash($.text, 'MD5')", DATA),
        ("States.JsonMerge($.a, $.list[0], false)", DATA),
        ("States.MathAdd($.n, -7)", DATA),
        ("States.MathAdd($.f, 1)", DATA),
        ("States.StringSplit('a,b;c', ',;')", DATA),
        ("States.ArrayLength(States.StringSplit('1.2.3', '.'))", DATA),
        ("States.Format('{}', States.MathAdd(States.ArrayLength($.a.b), 1))", DATA),
    ]
):
    add(f"intrinsic {number} {text}", passing(Parameters={"x.$": text}), given)

# Choice

RULES: list[tuple[str, Any, list[Any]]] = [
    ("StringEquals", "b", ["a", "b", "c", 1, None]),
    ("StringLessThan", "b", ["a", "b"]),
    ("StringGreaterThan", "b", ["b", "c"]),
    ("StringLessThanEquals", "b", ["b", "c"]),
    ("StringGreaterThanEquals", "b", ["a", "b"]),
    ("NumericEquals", 1, [1, 1.0, 2]),
    ("NumericLessThan", 1.5, [1, 2]),
    ("NumericGreaterThan", 1, [1, 2]),
    ("NumericLessThanEquals", 1, [1, 2]),
    ("NumericGreaterThanEquals", 1, [0, 1]),
    ("BooleanEquals", True, [True, False, 1]),
    ("TimestampEquals", "2020-01-01T00:00:00Z", ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"]),
    ("TimestampLessThan", "2020-01-01T00:00:00Z", ["2019-01-01T00:00:00Z", "2020-01-01T00:00:00Z"]),
    ("TimestampGreaterThan", "2020-01-01T00:00:00Z", ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z"]),
    ("StringMatches", "a*.log", ["a1.log", "b.log", "a.log.txt"]),
    ("IsNull", True, [None, 0]),
    ("IsNumeric", True, [1.5, "1"]),
    ("IsString", True, ["", 1]),
    ("IsBoolean", True, [False, 0]),
    ("IsTimestamp", True, ["2020-01-01T00:00:00Z", "2020"]),
]


def choosing(*rules: Mapping[str, Any], default: bool = True) -> Mapping[str, Any]:
    states = {"Y": END, **({"N": END} if default else {})}
    choices = {"Type": "Choice", "Choices": [{**rule, "Next": "Y"} for rule in rules]}
    return one(choices | ({"Default": "N"} if default else {}), **states)


for operator, operand, values in RULES:
    # Every value goes through a rule of its own in one machine, and the path taken tells the answer.
    states: dict[str, Any] = {}
    for place in range(len(values)):
        after = f"S{place + 1}"
        states[f"S{place}"] = {
            "Type": "Choice",
            "Choices": [{"Variable": f"$[{place}]", operator: operand, "Next": f"Y{place}"}],
            "Default": after,
        }
        states[f"Y{place}"] = {"Type": "Pass", "Next": after}
    states[f"S{len(values)}"] = {"Type": "Succeed"}
    add(f"choice {operator}", {"StartAt": "S0", "States": states}, values)

add("choice path operand", choosing({"Variable": "$.n", "NumericGreaterThanPath": "$.f"}))
add("choice and", choosing({"And": [{"Variable": "$.n", "IsPresent": True}, {"Variable": "$.n", "NumericEquals": 5}]}))
add(
    "choice or",
    choosing({"Or": [{"Variable": "$.n", "NumericEquals": 1}, {"Variable": "$.text", "StringEquals": "hello"}]}),
)
add("choice not", choosing({"Not": {"Variable": "$.text", "StringEquals": "hello"}}))
add("choice is present", choosing({"Variable": "$.no", "IsPresent": True}))
add("choice is absent", choosing({"Variable": "$.no", "IsPresent": False}))
add(
    "choice guard",
    choosing({"And": [{"Variable": "$.no", "IsPresent": True}, {"Variable": "$.no", "NumericEquals": 1}]}),
)
add("choice without default", choosing({"Variable": "$.n", "NumericEquals": 1}, default=False))
add("choice of what is missing", choosing({"Variable": "$.no", "NumericEquals": 1}))

# Wait, Succeed, Fail

add("wait", one({"Type": "Wait", "Seconds": 0}))
add("wait path", one({"Type": "Wait", "SecondsPath": "$.s"}), {"s": 0})
add("wait until", one({"Type": "Wait", "Timestamp": "2016-03-14T01:59:00Z"}))
add("wait until path", one({"Type": "Wait", "TimestampPath": "$.t"}), {"t": "2016-03-14T01:59:00Z"})
add("wait negative", one({"Type": "Wait", "SecondsPath": "$.s"}), {"s": -1})
add("wait for what is missing", one({"Type": "Wait", "SecondsPath": "$.no"}))
add("wait until no time", one({"Type": "Wait", "TimestampPath": "$.text"}))
add("succeed", one({"Type": "Succeed"}))
add("succeed paths", one({"Type": "Succeed", "InputPath": "$.a", "OutputPath": "$.b"}))
add("fail", one({"Type": "Fail"}))
add("fail error", one({"Type": "Fail", "Error": "E", "Cause": "c"}))
add("fail paths", one({"Type": "Fail", "ErrorPath": "$.text", "CausePath": "States.Format('n is {}', $.n)"}))

# Task

add("task", one(task("echo")))
add("task null", one(task("nothing")))
add(
    "task flow",
    one(task("constant", InputPath="$.a", ResultSelector={"x.$": "$.a.b"}, ResultPath="$.r", OutputPath="$.r")),
)
add("task parameters", one(task("echo", Parameters={"x.$": "$.n", "y": "z"})))
add(
    "task two",
    {"StartAt": "A", "States": {"A": task("echo", OutputPath="$.list", Next="B"), "B": task("double", End=True)}},
)
add("task fails", one(task("refuse")))
add("task caught", one(task("refuse", Catch=CATCH_ALL), C=END))
add(
    "task caught by name",
    one(task("refuse", Catch=[{"ErrorEquals": ["Refused"], "ResultPath": "$.e", "Next": "C"}]), C=END),
)
add(
    "task caught by TaskFailed", one(task("refuse", Catch=[{"ErrorEquals": ["States.TaskFailed"], "Next": "C"}]), C=END)
)
add("task not caught", one(task("refuse", Catch=[{"ErrorEquals": ["Other"], "Next": "C"}]), C=END))
add(
    "task caught, discarded",
    one(task("refuse", Catch=[{"ErrorEquals": ["States.ALL"], "ResultPath": None, "Next": "C"}]), C=END),
)
add("task never retried", one(task("refuse", Retry=[{"ErrorEquals": ["States.ALL"], "MaxAttempts": 0}])))
add("task no function", one(task("missing")))
add("task output missing", one(task("echo", OutputPath="$.no")))
add("task result too large", one(task("large")))
add("task result too large, caught", one(task("large", Catch=CATCH_ALL), C=END))
add("invoke", one(invoke("echo")))
add("invoke payload", one(invoke("echo", OutputPath="$.Payload")))
add("invoke selector", one(invoke("constant", ResultSelector={"got.$": "$.Payload.a"}, ResultPath="$.r")))
add("invoke null payload", one(invoke("echo", Parameters={"FunctionName": FUNCTION + "echo", "Payload": None})))
add("invoke fails", one(invoke("refuse")))
add("invoke caught", one(invoke("refuse", Catch=CATCH_ALL), C=END))
add("invoke result too large", one(invoke("large", Catch=CATCH_ALL), C=END))

# Map


LIST = [1, "two", {"three": 3}, None]
add("map", one(mapping({"I": END})), LIST)
add("map empty", one(mapping({"I": END})), [])
add("map items path", one(mapping({"I": END}, ItemsPath="$.list", ResultPath="$.out")))
add("map input path", one(mapping({"I": END}, InputPath="$.list", ResultSelector={"all.$": "$"})))
add(
    "map selector",
    one(
        mapping(
            {"I": END},
            ItemsPath="$.list",
            ItemSelector={"i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "t.$": "$.text"},
        )
    ),
)
add("map parameters", one(mapping({"I": END}, ItemsPath="$.list", Parameters={"v.$": "$$.Map.Item.Value.k"})))
add("map iterator", one({"Type": "Map", "MaxConcurrency": 1, "Iterator": {"StartAt": "I", "States": {"I": END}}}), LIST)
add("map tasks", one(mapping({"I": task("double", Next="J"), "J": END})), [1, 2, 3])
add("map fails", one(mapping({"I": {"Type": "Fail", "Error": "E", "Cause": "c"}})), LIST)
add(
    "map fails later",
    one(
        mapping(
            {
                "I": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "F"}],
                    "Default": "P",
                },
                "F": {"Type": "Fail", "Error": "Two"},
                "P": END,
            }
        )
    ),
    [1, 2, 3],
)
add("map caught", one(mapping({"I": {"Type": "Fail", "Error": "E", "Cause": "c"}}, Catch=CATCH_ALL), C=END), LIST)
add("map task fails", one(mapping({"I": task("refuse", End=True)})), [1, 2])
add(
    "map task caught inside",
    one(mapping({"I": task("refuse", Catch=[{"ErrorEquals": ["States.ALL"], "Next": "J"}], End=True), "J": END})),
    [1, 2],
)
add("map in map", one(mapping({"I": {**mapping({"K": END}, "K"), "End": True}})), [[1], [], [2, 3]])
add("map all at once", one(mapping({"I": task("double", End=True)}, MaxConcurrency=0)), [1, 2, 3], concurrent=True)
add("map of what is no list", one(mapping({"I": END}, ItemsPath="$.text")))
add(
    "map bad concurrency",
    one(
        {
            "Type": "Map",
            "MaxConcurrencyPath": "$.text",
            "ItemsPath": "$.list",
            "ItemProcessor": {"StartAt": "I", "States": {"I": END}},
        }
    ),
)
DISTRIBUTED = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
add(
    "map distributed",
    one({"Type": "Map", "MaxConcurrency": 1, "ItemProcessor": {**DISTRIBUTED, "StartAt": "I", "States": {"I": END}}}),
    LIST,
)

# Parallel


add("parallel of one", one(parallel({"A": END})))
add(
    "parallel",
    one(parallel({"A": END}, {"B": task("echo", End=True)}, {"D": {"Type": "Pass", "Result": 1, "End": True}})),
    concurrent=True,
)
add("parallel selector", one(parallel({"A": END}, ResultSelector={"first.$": "$[0].n"}, ResultPath="$.r")))
add("parallel parameters", one(parallel({"A": END}, Parameters={"x.$": "$.n"})))
add("parallel fails", one(parallel({"A": {"Type": "Fail", "Error": "E"}})))
add("parallel caught", one(parallel({"A": {"Type": "Fail", "Error": "E", "Cause": "c"}}, Catch=CATCH_ALL), C=END))
add("parallel task fails", one(parallel({"A": task("refuse", End=True)})))
add("parallel in map", one(mapping({"I": {**parallel({"A": END}), "End": True}})), [1, 2])
add("map in parallel", one(parallel({"A": {**mapping({"I": END}), "End": True}})), [1, 2])
