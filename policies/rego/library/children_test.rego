package countersign.rules.children_test

import data.countersign.facts_test.answer
import data.countersign.facts_test.base
import data.countersign.facts_test.tenant
import data.countersign.facts_test.under
import data.countersign.rules.children

# A provider that forgets, and nobody who consented.
call(framework, claims) := object.union(under(framework), {
	"principal": {"claims": claims},
	"model": {"retention_days": 0, "trains_on_data": false},
})

rules(reasons) := {reason.rule | some reason in reasons}

test_who_is_a_child[note] if {
	some note, case in {
		"coppa under 13": {"framework": "coppa", "age": "under_13", "denied": 1},
		"coppa 13": {"framework": "coppa", "age": "13_15", "denied": 0},
		"coppa 16": {"framework": "coppa", "age": "16_17", "denied": 0},
		"coppa adult": {"framework": "coppa", "age": "adult", "denied": 0},
		"coppa another word": {"framework": "coppa", "age": "grown", "denied": 1},
		"gdpr under 13": {"framework": "gdpr", "age": "under_13", "denied": 1},
		"gdpr 13": {"framework": "gdpr", "age": "13_15", "denied": 1},
		"gdpr 16": {"framework": "gdpr", "age": "16_17", "denied": 0},
		"gdpr another word": {"framework": "gdpr", "age": "grown", "denied": 0},
		"another framework": {"framework": "soc2", "age": "under_13", "denied": 0},
	}
	count(children.deny) == case.denied with input as call(case.framework, {"age_band": case.age})
}

test_unknown_age if {
	count(children.deny) == 1 with input as call("coppa", {})
	count(children.deny) == 1 with input as call("coppa", {}) with data.tenants as tenant({"children": {"unknown": "child"}})
	count(children.deny) == 0 with input as call("coppa", {}) with data.tenants as tenant({"children": {"unknown": "adult"}})
	count(children.deny) == 0 with input as call("gdpr", {})
	count(children.deny) == 1 with input as call("coppa", {"age_band": "under_13"})
		with data.tenants as tenant({"children": {"unknown": "adult"}})
}

test_consent if {
	denials := children.deny with input as call("gdpr", {"age_band": "under_13", "parental_consent": "false"})
	rules(denials) == {"children.consent"}
	{reason.message | some reason in denials} == {"A parent has to consent before a child may use this."}
	count(children.deny) == 0 with input as call("gdpr", {"age_band": "under_13", "parental_consent": "true"})
}

test_provider_of_a_child[note] if {
	some note, case in {
		"forgets": {"model": {"retention_days": 0, "trains_on_data": false}, "denied": 0},
		"keeps a day": {"model": {"retention_days": 1, "trains_on_data": false}, "denied": 1},
		"trains": {"model": {"retention_days": 0, "trains_on_data": true}, "denied": 1},
		"does not say": {"model": {"retention_days": null, "trains_on_data": null}, "denied": 1},
		"own": {"model": {"hosting": "private", "retention_days": null, "trains_on_data": null}, "denied": 0},
	}
	consented := call("coppa", {"age_band": "under_13", "parental_consent": "true"})
	denials := children.deny with input as object.union(consented, {"model": case.model})
	count(denials) == case.denied
	every reason in denials {
		reason.rule == "children.provider"
		reason.message == "The provider of the model gpt-4o-mini may keep or train on a child's data."
	}
}

test_adults_are_left_out if {
	count(children.deny) == 0 with input as object.union(
		call("coppa", {"age_band": "adult"}),
		{"model": {"retention_days": 30, "trains_on_data": true}},
	)
}

test_education_records[note] if {
	some note, case in {
		"not trained on": {"framework": "ferpa", "model": {"trains_on_data": false}, "denied": 0},
		"trained on": {"framework": "ferpa", "model": {"trains_on_data": true}, "denied": 1},
		"not said": {"framework": "ferpa", "model": {"trains_on_data": null}, "denied": 1},
		"own": {"framework": "ferpa", "model": {"hosting": "local", "trains_on_data": null}, "denied": 0},
		"another framework": {"framework": "gdpr", "model": {"trains_on_data": true}, "denied": 0},
	}
	denials := children.deny with input as object.union(under(case.framework), {"model": case.model})
	count(denials) == case.denied
	every reason in denials {
		reason.rule == "children.education_records"
		reason.message == "The provider of the model gpt-4o-mini may train on education records."
	}
}

test_answers if {
	asked := object.union(answer, {"tenant": {"frameworks": ["coppa", "ferpa"]}, "model": {"trains_on_data": true}})
	count(children.deny) == 0 with input as asked
	count(children.deny) == 0 with input as base
}
