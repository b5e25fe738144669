package countersign.rules.special_categories_test

import data.countersign.facts_test.changed
import data.countersign.facts_test.email
import data.countersign.facts_test.finding
import data.countersign.facts_test.tenant
import data.countersign.rules.special_categories

call(types, framework) := object.union(
	changed("findings", [finding(type, "pii") | some type in types]),
	{"tenant": {"frameworks": [framework]}, "purpose": {"declared": "care"}},
)

test_types[type] if {
	some type in ["AU_MEDICARE", "DE_HEALTH_INSURANCE", "MEDICAL_LICENSE", "NRP", "UK_NHS", "US_MBI"]
	count(special_categories.deny) == 1 with input as call([type], "gdpr")
}

test_other_types if {
	count(special_categories.deny) == 0 with input as call(["EMAIL_ADDRESS"], "gdpr")
	count(special_categories.deny) == 1 with input as call(["EMAIL_ADDRESS"], "gdpr")
		with data.tenants as tenant({"special_categories": {"types": ["EMAIL_ADDRESS"]}})
	count(special_categories.deny) == 2 with input as call(["UK_NHS", "US_MBI", "EMAIL_ADDRESS"], "gdpr")
}

test_on[note] if {
	some note, case in {
		"gdpr": {"framework": "gdpr", "tenant": {}, "denied": 1},
		"hipaa": {"framework": "hipaa", "tenant": {}, "denied": 1},
		"another framework": {"framework": "soc2", "tenant": {}, "denied": 0},
		"the section": {"framework": "soc2", "tenant": {"special_categories": {}}, "denied": 1},
	}
	count(special_categories.deny) == case.denied with input as call(["UK_NHS"], case.framework)
		with data.tenants as tenant(case.tenant)
}

test_grounds[note] if {
	some note, case in {
		"the purpose has one": {"purpose": {"declared": "care"}, "denied": 0},
		"one of two has none": {"purpose": {"declared": "care", "use_case": "ads"}, "denied": 1},
		"another purpose": {"purpose": {"declared": "ads"}, "denied": 1},
		"no purpose": {"purpose": {"declared": null}, "denied": 1},
	}
	facts := object.union(call(["UK_NHS"], "gdpr"), {"purpose": case.purpose})
	count(special_categories.deny) == case.denied with input as facts
		with data.tenants as tenant({"special_categories": {"purposes": ["care"]}})
}

test_reason if {
	denials := special_categories.deny with input as call(["UK_NHS"], "gdpr")
	some reason in denials
	reason.rule == "special_categories.refused"
	reason.message == "Data of type UK_NHS is a special category and may not be sent for this purpose."
	reason.path == "/messages/1/content"
	nowhere := object.union(call([], "gdpr"), {"findings": [object.union(email, {"type": "NRP", "paths": []})]})
	placeless := special_categories.deny with input as nowhere
	{one.path | some one in placeless} == {""}
}

test_own_models_and_answers if {
	own := object.union(call(["UK_NHS"], "gdpr"), {"model": {"hosting": "private"}})
	count(special_categories.deny) == 0 with input as own
	count(special_categories.deny) == 0 with input as object.union(call(["UK_NHS"], "gdpr"), {"point": "model.response"})
}
