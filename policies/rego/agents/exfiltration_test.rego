package countersign.rules.exfiltration_test

import data.countersign.facts_test.tenant
import data.countersign.rules.exfiltration
import data.countersign.tool_test.annotated
import data.countersign.tool_test.asking
import data.countersign.tool_test.call

on(terms) := tenant({"exfiltration": terms})

tainted(facts, labels) := object.union(facts, {"session": {"taint": labels}})

test_taints[note] if {
	some note, case in {
		"nothing": {"taint": [], "denied": 0},
		"only untrusted": {"taint": ["untrusted:web"], "denied": 0},
		"pii": {"taint": ["untrusted", "pii"], "denied": 1},
		"health": {"taint": ["pii:health"], "denied": 1},
		"secret": {"taint": ["secret"], "denied": 1},
		"confidential": {"taint": ["confidential"], "denied": 1},
		"restricted": {"taint": ["restricted"], "denied": 1},
	}
	count(exfiltration.deny) == case.denied with input as tainted(call, case.taint) with data.tenants as on({})
}

test_taints_of_the_tenant if {
	own := on({"sensitive": ["ledger*"]})
	count(exfiltration.deny) == 1 with input as tainted(call, ["ledger:2026"]) with data.tenants as own
	count(exfiltration.deny) == 0 with input as tainted(call, ["pii"]) with data.tenants as own
}

test_sinks[note] if {
	some note, case in {
		"unknown": {"input": call, "denied": 1},
		"stays inside": {"input": annotated({"openWorldHint": false}), "denied": 0},
		"own host": {"input": asking({"targets": ["acme.example"]}), "denied": 0},
		"own hosts": {"input": asking({"targets": ["a.acme.example", "acme.example"]}), "denied": 0},
		"one other host": {"input": asking({"targets": ["a.acme.example", "evil.net"]}), "denied": 1},
	}
	count(exfiltration.deny) == case.denied with input as tainted(case.input, ["pii"])
		with data.tenants as on({"own_hosts": ["acme.example", "*.acme.example"]})
}

test_off if {
	count(exfiltration.deny) == 0 with input as tainted(call, ["pii"])
	result := object.union(tainted(call, ["pii"]), {"point": "tool.result"})
	count(exfiltration.deny) == 0 with input as result with data.tenants as on({})
}

test_reason if {
	denials := exfiltration.deny with input as tainted(call, ["pii"]) with data.tenants as on({})
	some reason in denials
	reason.rule == "exfiltration.sink"
	reason.message == "This session has read sensitive data, so the tool write may not be called."
}
