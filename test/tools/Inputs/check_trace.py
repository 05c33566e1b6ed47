# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""usage: check_trace.py FILE LAUNCHES: every launch once on track 0, its shares on other tracks, within its time, doing all its tasks."""
import collections
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    events = json.load(file)["traceEvents"]
named = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
timed = [event for event in events if event["ph"] == "X"]
assert {event["tid"] for event in timed} == set(named), "every track has a name"
wholes = {event["args"]["launch"]: event for event in timed if event["tid"] == 0}
assert sorted(wholes) == list(range(int(sys.argv[2]))), sorted(wholes)
done = collections.Counter()
for event in timed:
    if event["tid"] == 0:
        continue
    whole = wholes[event["args"]["launch"]]
    assert whole["ts"] <= event["ts"] and event["ts"] + event["dur"] <= whole["ts"] + whole["dur"] + 1e-3, (whole, event)
    done[event["args"]["launch"]] += event["args"]["tasks"]
assert all(done[launch] == event["args"]["tasks"] for launch, event in wholes.items()), done
