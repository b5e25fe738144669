package countersign.rules.limits_test

import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.tenant
import data.countersign.rules.limits

test_input[note] if {
	some note, case in {
		"below": {"cap": 101, "denied": 0},
		"exactly": {"cap": 100, "denied": 0},
		"above": {"cap": 99, "denied": 1},
	}
	denials := limits.deny with input as base with data.tenants as tenant({"limits": {"max_input_tokens": case.cap}})
	count(denials) == case.denied
}

test_missing_estimate if {
	unknown := object.remove(base, ["request"])
	count(limits.deny) == 1 with input as unknown with data.tenants as tenant({"limits": {"max_input_tokens": 5}})
}

test_output[note] if {
	some note, case in {
		"no limit asked": {"asked": null, "want": {{"type": "limit", "max_tokens": 500}}},
		"higher asked": {"asked": 501, "want": {{"type": "limit", "max_tokens": 500}}},
		"exactly": {"asked": 500, "want": set()},
		"lower asked": {"asked": 1, "want": set()},
	}
	limits.obligations == case.want with input as changed("request", {"max_tokens": case.asked})
		with data.tenants as tenant({"limits": {"max_output_tokens": 500}})
}

test_no_limits if {
	count(limits.obligations) == 0 with input as base
	count(limits.deny) == 0 with input as base
}

test_only_at_the_request if {
	caps := tenant({"limits": {"max_input_tokens": 1, "max_output_tokens": 1}})
	count(limits.deny) == 1 with input as base with data.tenants as caps
	count(limits.obligations) == 1 with input as base with data.tenants as caps
	later := object.union(base, {"point": "model.response"})
	count(limits.deny) == 0 with input as later with data.tenants as caps
	count(limits.obligations) == 0 with input as later with data.tenants as caps
}

test_estimate_that_is_no_number_is_too_long if {
	null_estimate := changed("request", {"tokens_estimate": null})
	count(limits.deny) == 1 with input as null_estimate with data.tenants as tenant({"limits": {"max_input_tokens": 5}})
}
