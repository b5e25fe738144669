package countersign.rules.payments_test

import data.countersign.facts_test.approval
import data.countersign.facts_test.tenant
import data.countersign.rules.payments
import data.countersign.tool_test.asking
import data.countersign.tool_test.call

term := {"tool": "files/write", "amount": "sum", "max": 1000, "approve_from": 100, "scope": "payments:day"}

on := tenant({"payments": [term]})

paying(sum, remaining) := object.union(asking({"args": {"sum": sum}}), {"budget": {"scopes": [
	{"id": "tenant:acme", "remaining_ratio_ppm": 1, "remaining_micro_usd": 9000000000},
	{"id": "payments:day", "remaining_ratio_ppm": 1, "remaining_micro_usd": remaining},
]}})

rules(reasons) := {reason.rule | some reason in reasons}

test_amounts[note] if {
	some note, case in {
		"the most": {"sum": 1000, "want": set()},
		"too much": {"sum": 1000.01, "want": {"payments.amount"}},
		"a little": {"sum": 0.01, "want": set()},
		"nothing": {"sum": 0, "want": {"payments.amount", "payments.rolling"}},
		"less than nothing": {"sum": -5, "want": {"payments.amount", "payments.rolling"}},
		"not a number": {"sum": "5", "want": {"payments.amount", "payments.rolling"}},
	}
	denials := payments.deny with input as paying(case.sum, 5000000000) with data.tenants as on
	rules(denials) == case.want
}

test_unreadable_amount if {
	denials := payments.deny with input as call with data.tenants as tenant({"payments": [object.remove(term, ["scope"])]})
	{reason.message | some reason in denials} == {"The tool write may not move this amount, or its amount could not be read."}
}

test_rolling[note] if {
	some note, case in {
		"enough": {"remaining": 50000000, "want": set()},
		"a little less": {"remaining": 49999999, "want": {"payments.rolling"}},
		"used up": {"remaining": 0, "want": {"payments.rolling"}},
		"not known": {"remaining": null, "want": {"payments.rolling"}},
	}
	denials := payments.deny with input as paying(50, case.remaining) with data.tenants as on
	rules(denials) == case.want
	every reason in denials { reason.message == "The limit for the tool write is used up." }
}

test_scope_that_is_not_there if {
	facts := object.union(paying(50, 1), {"budget": {"scopes": []}})
	denials := payments.deny with input as facts with data.tenants as on
	rules(denials) == {"payments.rolling"}
	count(payments.deny) == 0 with input as facts with data.tenants as tenant({"payments": [object.remove(term, ["scope"])]})
}

test_approval[note] if {
	some note, case in {
		"below": {"sum": 99.99, "approvals": [], "asked": 0},
		"from there on": {"sum": 100, "approvals": [], "asked": 1},
		"approved": {"sum": 100, "approvals": [approval], "asked": 0},
		"not a number": {"sum": "100", "approvals": [], "asked": 0},
	}
	facts := object.union(paying(case.sum, 5000000000), {"approvals": case.approvals})
	asked := payments.require_approval with input as facts with data.tenants as on
	count(asked) == case.asked
	every reason in asked {
		reason.rule == "payments.approval"
		reason.message == "The tool write may move this amount after another person has approved it."
	}
}

test_no_approval_amount if {
	parameters := tenant({"payments": [object.remove(term, ["approve_from"])]})
	count(payments.require_approval) == 0 with input as paying(999, 5000000000) with data.tenants as parameters
}

test_other_tools if {
	parameters := tenant({"payments": [object.union(term, {"tool": "mail/*"})]})
	count(payments.deny) == 0 with input as paying(9999, 0) with data.tenants as parameters
	count(payments.require_approval) == 0 with input as paying(9999, 0) with data.tenants as parameters
	count(payments.deny) == 0 with input as paying(9999, 0)
	result := object.union(paying(9999, 0), {"point": "tool.result"})
	count(payments.deny) == 0 with input as result with data.tenants as on
	count(payments.require_approval) == 0 with input as result with data.tenants as on
}

test_strictest_of_two_terms if {
	parameters := tenant({"payments": [term, object.union(term, {"tool": "*", "max": 10, "scope": "payments:day"})]})
	denials := payments.deny with input as paying(50, 5000000000) with data.tenants as parameters
	rules(denials) == {"payments.amount"}
}
