"""Checks a trace of encoder-odd-head.onnx for 2 sequences of 5 tokens: `profile.py TRACE`."""

import collections
import json
import sys

ROWS, WIDTH, INNER = 2 * 5, 33, 130

with open(sys.argv[1], encoding="utf-8") as file:
    events = json.load(file)["traceEvents"]
slices = [event for event in events if event["ph"] == "X"]
threads = {event["tid"] for event in events if event["name"] == "thread_name"}
calls = [event for event in slices if event["cat"] == "call"]
kernels = [event for event in slices if event["cat"] == "kernel"]
assert len(calls) == 1, calls
assert all(event["name"] for event in slices), "a slice has no name"
assert {event["tid"] for event in slices} <= threads, "a thread has no name"

by_thread = collections.defaultdict(list)
for event in kernels:
    by_thread[event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
for spans in by_thread.values():
    spans.sort()
    assert all(before[1] <= after[0] for before, after in zip(spans, spans[1:])), "slices of one thread overlap"
    assert spans[0][0] >= calls[0]["ts"] and spans[-1][1] <= calls[0]["ts"] + calls[0]["dur"], "a slice is outside of the call"

loops = {}
for event in kernels:
    args = event["args"]
    loop = loops.setdefault(args["loop"], {"name": event["name"], "flops": 0, "bytes": 0, "total": args["loop_flops"]})
    loop["flops"] += args["flops"]
    loop["bytes"] += args["bytes"]
assert all(loop["flops"] == loop["total"] for loop in loops.values()), "the parts of a loop are not its sum"


def flops_of(*nodes: str) -> list[int]:
    return [loop["flops"] for loop in loops.values() if all(node in loop["name"].split(" + ") for node in nodes)]


# Two operations for each product and one for each bias; the query's, then the second layer of the feed-forward part with
# its residual.
assert flops_of("node_matmul_28") == [2 * ROWS * WIDTH * WIDTH + ROWS * WIDTH], flops_of("node_matmul_28")
assert flops_of("node_matmul_66") == [2 * ROWS * INNER * WIDTH + 2 * ROWS * WIDTH], flops_of("node_matmul_66")
# x, the packed weight, in whole panels, the bias, and the result.
query = next(loop for loop in loops.values() if "node_matmul_28" in loop["name"])
assert query["bytes"] >= 4 * (ROWS * WIDTH + WIDTH * 64 + ROWS * WIDTH), query
# Gathers read and write, and compute nothing.
assert any(loop["flops"] == 0 and loop["bytes"] > 0 for loop in loops.values())
print(f"{len(loops)} loops on {len(by_thread)} threads")
