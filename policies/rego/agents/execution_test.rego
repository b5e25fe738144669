package countersign.rules.execution_test

import data.countersign.facts_test.tenant
import data.countersign.rules.execution
import data.countersign.tool_test.call

on := tenant({"execution": {"tools": ["files/*"]}})

test_sandbox if {
	denials := execution.deny with input as call with data.tenants as on
	some reason in denials
	reason.rule == "execution.sandbox"
	reason.message == "The tool write runs code and is open only to attested agents."
	count(execution.deny) == 0 with input as object.union(call, {"agent": {"attested": true}}) with data.tenants as on
}

test_other_tools if {
	count(execution.deny) == 0 with input as call with data.tenants as tenant({"execution": {"tools": ["shell"]}})
	count(execution.deny) == 0 with input as call
	count(execution.deny) == 0 with input as object.union(call, {"point": "tool.result"}) with data.tenants as on
}
