package countersign.rules.oversight_test

import data.countersign.facts_test.approval
import data.countersign.facts_test.base
import data.countersign.facts_test.tenant
import data.countersign.facts_test.under
import data.countersign.rules.oversight

call := object.union(under("eu_ai_act"), {"purpose": {"eu_risk": "high"}})

approved := object.union(call, {"approvals": [approval]})

test_person[note] if {
	some note, case in {
		"named": {"oversight": {"person": "Ada"}, "denied": 0},
		"named shortly": {"oversight": {"person": "A"}, "denied": 0},
		"nobody": {"oversight": {"person": ""}, "denied": 1},
		"not said": {"oversight": {}, "denied": 1},
		"not a name": {"oversight": {"person": 7}, "denied": 1},
	}
	count(oversight.deny) == case.denied with input as call with data.tenants as tenant({"oversight": case.oversight})
}

test_tenant_declares_the_risk if {
	count(oversight.deny) == 1 with input as under("eu_ai_act") with data.tenants as tenant({"use": {"eu_risk": "high"}})
}

test_off[note] if {
	some note, facts in {
		"another class": object.union(call, {"purpose": {"eu_risk": "limited"}}),
		"another framework": object.union(call, {"tenant": {"frameworks": ["gdpr"]}}),
		"an answer": object.union(call, {"point": "model.response"}),
	}
	count(oversight.deny) == 0 with input as facts
	parameters := tenant({"oversight": {"per_call": true}})
	count(oversight.require_approval) == 0 with input as facts with data.tenants as parameters
}

test_per_call[note] if {
	some note, case in {
		"asked": {"input": call, "oversight": {"per_call": true}, "asked": 1},
		"not a yes or no": {"input": call, "oversight": {"per_call": "yes"}, "asked": 1},
		"approved": {"input": approved, "oversight": {"per_call": true}, "asked": 0},
		"in the right role": {"input": approved, "oversight": {"per_call": true, "roles": ["approver"]}, "asked": 0},
		"in another role": {"input": approved, "oversight": {"per_call": true, "roles": ["dpo"]}, "asked": 1},
		"not asked": {"input": call, "oversight": {"per_call": false}, "asked": 0},
		"by default": {"input": call, "oversight": {}, "asked": 0},
	}
	count(oversight.require_approval) == case.asked with input as case.input
		with data.tenants as tenant({"oversight": case.oversight})
}

test_reasons if {
	denials := oversight.deny with input as call
	{reason.message | some reason in denials} == {"This high-risk use has no person who oversees it."}
	asked := oversight.require_approval with input as call with data.tenants as tenant({"oversight": {"per_call": true}})
	{reason.message | some reason in asked} == {"This high-risk call may be made after another person has approved it."}
	count(oversight.deny) == 0 with input as base
}
