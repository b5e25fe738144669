package countersign.rules.tool_egress_test

import data.countersign.facts_test.tenant
import data.countersign.rules.tool_egress
import data.countersign.tool_test.asking
import data.countersign.tool_test.call

on := tenant({"tool_hosts": ["example.com", "*.example.org"]})

test_hosts[note] if {
	some note, case in {
		"none": {"targets": [], "denied": 0},
		"listed": {"targets": ["example.com"], "denied": 0},
		"another spelling": {"targets": ["Example.COM."], "denied": 0},
		"below": {"targets": ["a.b.example.org"], "denied": 0},
		"the domain itself": {"targets": ["example.org"], "denied": 1},
		"one of two": {"targets": ["example.com", "evil.net"], "denied": 1},
		"looks like it": {"targets": ["badexample.com"], "denied": 1},
	}
	count(tool_egress.deny) == case.denied with input as asking({"targets": case.targets}) with data.tenants as on
}

test_empty_list_lists_nothing if {
	count(tool_egress.deny) == 1 with input as asking({"targets": ["a.net"]}) with data.tenants as tenant({"tool_hosts": []})
	count(tool_egress.deny) == 0 with input as call with data.tenants as tenant({"tool_hosts": []})
}

test_off if {
	count(tool_egress.deny) == 0 with input as asking({"targets": ["evil.net"]})
	result := object.union(asking({"targets": ["evil.net"]}), {"point": "tool.result"})
	count(tool_egress.deny) == 0 with input as result with data.tenants as on
}

test_reason if {
	denials := tool_egress.deny with input as asking({"targets": ["evil.net"]}) with data.tenants as on
	some reason in denials
	reason.rule == "tool_egress.host"
	reason.message == "The tool write is pointed at a host this tenant has not listed."
}
