package countersign.rules.tool_approval_test

import data.countersign.facts_test.approval
import data.countersign.facts_test.tenant
import data.countersign.rules.tool_approval
import data.countersign.tool_test.annotated
import data.countersign.tool_test.call

on(terms) := tenant({"tool_approval": terms})

test_which_tools[note] if {
	some note, case in {
		"all, reading": {"for": "all", "annotations": {"readOnlyHint": true}, "asked": 1},
		"writes, reading": {"for": "writes", "annotations": {"readOnlyHint": true}, "asked": 0},
		"writes, adding": {"for": "writes", "annotations": {"destructiveHint": false}, "asked": 1},
		"destructive, adding": {"for": "destructive", "annotations": {"destructiveHint": false}, "asked": 0},
		"destructive, reading": {"for": "destructive", "annotations": {"readOnlyHint": true}, "asked": 0},
		"destructive, unknown": {"for": "destructive", "annotations": {}, "asked": 1},
		"unknown word": {"for": "some", "annotations": {"readOnlyHint": true}, "asked": 1},
	}
	count(tool_approval.require_approval) == case.asked with input as annotated(case.annotations)
		with data.tenants as on({"for": case.for})
}

test_except if {
	count(tool_approval.require_approval) == 0 with input as call with data.tenants as on({"for": "all", "except": ["files/*"]})
	count(tool_approval.require_approval) == 1 with input as call with data.tenants as on({"for": "all", "except": ["mail/*"]})
}

test_approved if {
	approved := object.union(call, {"approvals": [approval]})
	count(tool_approval.require_approval) == 0 with input as approved with data.tenants as on({"for": "all"})
	count(tool_approval.require_approval) == 0 with input as approved
		with data.tenants as on({"for": "all", "roles": ["approver"]})
	count(tool_approval.require_approval) == 1 with input as approved with data.tenants as on({"for": "all", "roles": ["dpo"]})
}

test_off if {
	count(tool_approval.require_approval) == 0 with input as call
	result := object.union(call, {"point": "tool.result"})
	count(tool_approval.require_approval) == 0 with input as result with data.tenants as on({"for": "all"})
}

test_reason if {
	asked := tool_approval.require_approval with input as call with data.tenants as on({"for": "all"})
	some reason in asked
	reason.rule == "tool_approval.required"
	reason.message == "The tool write may be called after another person has approved this call."
	reason.path == "/tools/call"
}
