package countersign.rules.retention_test

import data.countersign.facts_test.base
import data.countersign.facts_test.tenant
import data.countersign.rules.retention

call(classification, days, trains) := object.union(base, {
	"data": {"classification": classification},
	"model": {"retention_days": days, "trains_on_data": trains},
})

rules(reasons) := {reason.rule | some reason in reasons}

test_defaults[note] if {
	some note, case in {
		"internal asks nothing": {"call": call("internal", null, null), "want": set()},
		"confidential kept": {"call": call("confidential", 30, false), "want": set()},
		"confidential too long": {"call": call("confidential", 31, false), "want": {"retention.days"}},
		"confidential unknown": {"call": call("confidential", null, null), "want": {"retention.days", "retention.training"}},
		"confidential trained on": {"call": call("confidential", 0, true), "want": {"retention.training"}},
		"restricted": {"call": call("restricted", 0, false), "want": set()},
		"restricted kept a day": {"call": call("restricted", 1, false), "want": {"retention.days"}},
	}
	denials := retention.deny with input as case.call
	rules(denials) == case.want
}

test_own_models if {
	own := object.union(call("restricted", null, null), {"model": {"hosting": "private"}})
	count(retention.deny) == 0 with input as own
}

test_parameters if {
	terms := {"retention": {"confidential": {"max_days": 90}, "internal": {"training": false}}}
	count(retention.deny) == 0 with input as call("confidential", 90, false) with data.tenants as tenant(terms)
	training := retention.deny with input as call("internal", 365, null) with data.tenants as tenant(terms)
	rules(training) == {"retention.training"}
}

test_only_at_the_request if {
	count(retention.deny) == 0 with input as object.union(call("restricted", null, null), {"point": "model.response"})
}

test_term_that_is_no_number_asks_nothing if {
	terms := {"retention": {"internal": {"max_days": "ninety", "training": "no"}}}
	count(retention.deny) == 0 with input as call("internal", 365, null) with data.tenants as tenant(terms)
	none := {"retention": {"internal": {"max_days": null}}}
	count(retention.deny) == 0 with input as call("internal", 365, null) with data.tenants as tenant(none)
}

test_retention_that_is_no_number_is_too_long if {
	denials := retention.deny with input as call("restricted", false, false)
	rules(denials) == {"retention.days"}
}
