package countersign.main_test

import data.countersign.facts_test.approval
import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.tenant
import data.countersign.facts_test.waiver
import data.countersign.main
import data.countersign.tool_test.asking
import data.countersign.tool_test.call
import data.countersign.tool_test.offer

rules(reasons) := {reason.rule | some reason in reasons}

# One set of parameters for each rule, which alone decides the call.
denied := {
	"agents.input": {"input": object.union(base, {"version": 2})},
	"delegation.attested": {
		"input": object.union(call, {"agent": {"id": "bot"}}),
		"tenant": {"delegation": {"attested": true}},
	},
	"execution.sandbox": {"input": call, "tenant": {"execution": {"tools": ["*"]}}},
	"exfiltration.sink": {"input": object.union(call, {"session": {"taint": ["pii"]}}), "tenant": {"exfiltration": {}}},
	"loops.tool_calls": {"input": call, "tenant": {"loops": {"tool_calls": 0}}},
	"payments.amount": {"input": call, "tenant": {"payments": [{"tool": "*", "amount": "sum", "max": 1}]}},
	"tool_egress.host": {"input": asking({"targets": ["a.net"]}), "tenant": {"tool_hosts": []}},
	"tool_pinning.drift": {"input": object.union(call, {"tools": {"offered": []}}), "tenant": {"tool_pinning": true}},
}

test_denied[rule] if {
	some rule, case in denied
	decision := main.decision with input as case.input with data.tenants as tenant(object.get(case, "tenant", {}))
	decision.effect == "deny"
	rules(decision.reasons) == {rule}
	decision.user_message == decision.reasons[0].message
	decision.obligations == []
}

asked := {
	"loops.low_budget": {
		"input": object.union(call, {"budget": {"scopes": [{"id": "s", "remaining_ratio_ppm": 1}]}}),
		"tenant": {"low_budget": {"below_ppm": 2}},
	},
	"payments.approval": {
		"input": asking({"args": {"sum": 5}}),
		"tenant": {"payments": [{"tool": "*", "amount": "sum", "max": 9, "approve_from": 5}]},
	},
	"tool_approval.required": {"input": call, "tenant": {"tool_approval": {"for": "all"}}},
}

test_asked[rule] if {
	some rule, case in asked
	parameters := tenant(case.tenant)
	decision := main.decision with input as case.input with data.tenants as parameters
	decision.effect == "require_approval"
	rules(decision.reasons) == {rule}
	decision.user_message == decision.reasons[0].message
	approved := main.decision with input as object.union(case.input, {"approvals": [approval]}) with data.tenants as parameters
	approved.effect == "allow"
}

test_nothing_to_say if {
	nothing := {"effect": "allow", "reasons": [], "obligations": [], "user_message": ""}
	main.decision == nothing with input as base
	main.decision == nothing with input as call
	main.decision == nothing with input as {"point": "admin.keys.list"}
}

test_deny_beats_approval if {
	parameters := tenant({"tool_approval": {"for": "all"}, "loops": {"tool_calls": 0}, "tool_pinning": true})
	decision := main.decision with input as call with data.tenants as parameters
	decision.effect == "deny"
	rules(decision.reasons) == {"loops.tool_calls"}
}

test_obligations if {
	facts := object.union(base, {"tools": {"offered": [object.union(offer, {"pinned": false})]}})
	decision := main.decision with input as facts with data.tenants as tenant({"tool_pinning": true})
	decision.effect == "allow"
	decision.obligations == [{"type": "strip_tools", "names": ["write"]}]
	stopped := main.decision with input as object.union(facts, {"session": {"denials": 1}})
		with data.tenants as tenant({"tool_pinning": true, "loops": {"denials": 1}})
	stopped.effect == "deny"
	stopped.obligations == []
	observed := main.decision with input as object.union(facts, {"session": {"denials": 1}, "mode": "observe"})
		with data.tenants as tenant({"tool_pinning": true, "loops": {"denials": 1}})
	observed.effect == "deny"
	observed.obligations == decision.obligations
}

test_waived if {
	parameters := tenant({"tool_hosts": [], "tool_approval": {"for": "all"}})
	given := {"waivers": [
		object.union(waiver, {"rule": "tool_egress.host"}),
		object.union(waiver, {"id": "w2", "rule": "tool_approval.required"}),
	]}
	decision := main.decision with input as object.union(asking({"targets": ["a.net"]}), given) with data.tenants as parameters
	decision.effect == "allow"
	decision.obligations == [{"type": "label", "add": ["waiver:w1:tool_egress.host", "waiver:w2:tool_approval.required"]}]
}

test_unreadable_facts[note] if {
	some note, facts in {
		"another version": object.union(base, {"version": 2}),
		"delegation": changed("agent", {"delegation": null}),
		"taint": changed("session", {"taint": null}),
		"history": changed("session", {"history": null}),
		"scopes": changed("budget", {"scopes": null}),
		"offers": changed("tools", {"offered": null}),
		"waivers": changed("waivers", null),
		"no call": object.union(base, {"point": "tool.call"}),
		"no name": asking({"name": null}),
		"no arguments": asking({"args": null}),
		"no targets": asking({"targets": null}),
	}
	denials := main.deny with input as facts
	rules(denials) == {"agents.input"}
	{reason.message | some reason in denials} == {"The policy could not read the facts of this call."}
}

test_unreadable_parameters if {
	denials := main.deny with input as base with data.tenants as {"acme": ["loops"]}
	rules(denials) == {"agents.input"}
}

test_nothing_at_all_is_denied if {
	decision := main.decision with input as {}
	decision.effect == "deny"
	nothing := main.decision with input as null
	nothing.effect == "deny"
}
