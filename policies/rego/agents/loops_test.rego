package countersign.rules.loops_test

import data.countersign.facts_test.approval
import data.countersign.facts_test.base
import data.countersign.facts_test.tenant
import data.countersign.rules.loops
import data.countersign.tool_test.call

on(limits) := tenant({"loops": limits})

session(facts, change) := object.union(facts, {"session": change})

messages(reasons) := {reason.message | some reason in reasons}

test_tool_calls[note] if {
	some note, case in {
		"one more": {"made": 2, "want": set()},
		"no more": {"made": 3, "want": {"This session has made the 3 tool calls it may make."}},
	}
	denials := loops.deny with input as session(call, {"tool_calls": case.made}) with data.tenants as on({"tool_calls": 3})
	messages(denials) == case.want
	count(loops.deny) == 0 with input as session(base, {"tool_calls": case.made}) with data.tenants as on({"tool_calls": 3})
}

test_denials[note] if {
	some note, case in {
		"one more": {"denials": 4, "want": set()},
		"no more": {"denials": 5, "want": {"This session was refused 5 times or more and is stopped."}},
	}
	every facts in [base, call] {
		denials := loops.deny with input as session(facts, {"denials": case.denials}) with data.tenants as on({"denials": 5})
		messages(denials) == case.want
	}
}

history(ages) := {"history": [{"point": "tool.call", "effect": "allow", "ms_ago": age} | some age in ages]}

test_rate[note] if {
	some note, case in {
		"one more": {"ages": [0, 9999, 10000, 20000], "want": set()},
		"no more": {"ages": [0, 5, 9999], "want": {"This session has made 3 calls within 10 seconds and has to wait."}},
	}
	limits := on({"rate": {"calls": 3, "seconds": 10}})
	every facts in [base, call] {
		denials := loops.deny with input as session(facts, history(case.ages)) with data.tenants as limits
		messages(denials) == case.want
	}
}

test_unknown_counts_are_too_many if {
	limits := on({"tool_calls": 3, "denials": 5})
	denials := loops.deny with input as object.remove(call, ["session"]) with data.tenants as limits
	{reason.rule | some reason in denials} == {"loops.tool_calls", "loops.denials"}
}

test_low_budget[note] if {
	some note, case in {
		"enough": {"ppm": [100000, 900000], "asked": 0},
		"low": {"ppm": [900000, 99999], "asked": 1},
	}
	scopes := {"budget": {"scopes": [{"id": "s", "remaining_ratio_ppm": ppm} | some ppm in case.ppm]}}
	parameters := tenant({"low_budget": {"below_ppm": 100000}})
	every facts in [base, call] {
		asked := loops.require_approval with input as object.union(facts, scopes) with data.tenants as parameters
		count(asked) == case.asked
		every reason in asked { reason.message == "A budget runs low; another person has to approve this call." }
		approved := object.union(object.union(facts, scopes), {"approvals": [approval]})
		count(loops.require_approval) == 0 with input as approved with data.tenants as parameters
	}
}

test_off[point] if {
	some point in ["model.response", "tool.result", "tools.list"]
	facts := object.union(session(base, object.union(history([1, 1]), {"denials": 9, "tool_calls": 9})), {
		"point": point,
		"budget": {"scopes": [{"id": "s", "remaining_ratio_ppm": 0}]},
	})
	limits := {"loops": {"tool_calls": 1, "denials": 1, "rate": {"calls": 1, "seconds": 1}}, "low_budget": {"below_ppm": 10}}
	count(loops.deny) == 0 with input as facts with data.tenants as tenant(limits)
	count(loops.require_approval) == 0 with input as facts with data.tenants as tenant(limits)
	called := object.union(facts, {"point": "tool.call"})
	count(loops.deny) == 3 with input as called with data.tenants as tenant(limits)
	count(loops.deny) == 0 with input as called
	count(loops.require_approval) == 0 with input as called
}
