package countersign.rules.tool_pinning_test

import data.countersign.facts_test.base
import data.countersign.facts_test.tenant
import data.countersign.rules.tool_pinning
import data.countersign.tool_test.call
import data.countersign.tool_test.offer
import data.countersign.tool_test.offered

on := tenant({"tool_pinning": true})

test_call if {
	count(tool_pinning.deny) == 0 with input as call with data.tenants as on
	denials := tool_pinning.deny with input as offered({"pinned": false}) with data.tenants as on
	some reason in denials
	reason.rule == "tool_pinning.drift"
	reason.message == "The tool write is not as it was reviewed, or was never reviewed."
	result := object.union(offered({"pinned": false}), {"point": "tool.result"})
	count(tool_pinning.deny) == 0 with input as result with data.tenants as on
}

test_on[note] if {
	some note, case in {
		"yes": {"tenant": {"tool_pinning": true}, "denied": 1},
		"neither": {"tenant": {"tool_pinning": "later"}, "denied": 1},
		"no": {"tenant": {"tool_pinning": false}, "denied": 0},
		"not said": {"tenant": {}, "denied": 0},
	}
	count(tool_pinning.deny) == case.denied with input as offered({"pinned": false}) with data.tenants as tenant(case.tenant)
}

offers := [
	offer,
	object.union(offer, {"name": "drop", "pinned": false}),
	object.union(offer, {"name": "copy", "pinned": null}),
	object.union(offer, {"name": "local", "server": null, "pinned": false}),
]

test_hidden[point] if {
	some point, want in {
		"model.request": {{"type": "strip_tools", "names": ["copy", "drop"]}},
		"tools.list": {{"type": "strip_tools", "names": ["copy", "drop"]}},
		"tool.call": set(),
	}
	facts := object.union(base, {"point": point, "tools": {"offered": offers}})
	tool_pinning.obligations == want with input as facts with data.tenants as on
	tool_pinning.obligations == set() with input as facts
}

test_nothing_to_hide if {
	facts := object.union(base, {"tools": {"offered": [offer]}})
	tool_pinning.obligations == set() with input as facts with data.tenants as on
}
