package countersign.rules.purposes_test

import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.tenant
import data.countersign.rules.purposes

parameters := tenant({"purposes": {"support": {"models": ["gpt-*"]}, "research": {"models": ["openai/*-mini", "claude"]}, "law": {"models": []}}})

rules(reasons) := {reason.rule | some reason in reasons}

test_off_without_the_section if {
	count(purposes.deny) == 0 with input as changed("purpose", {"declared": "anything"})
}

test_purposes[note] if {
	some note, case in {
		"listed": {"purpose": {"declared": "support"}, "want": set()},
		"by its deployment": {"purpose": {"declared": "research"}, "want": set()},
		"unlisted": {"purpose": {"declared": "hiring"}, "want": {"purposes.unlisted"}},
		"none": {"purpose": {}, "want": {"purposes.unlisted"}},
		"one of two": {"purpose": {"declared": "support", "use_case": "hiring"}, "want": {"purposes.unlisted"}},
	}
	denials := purposes.deny with input as changed("purpose", case.purpose) with data.tenants as parameters
	rules(denials) == case.want
}

test_model_of_another_purpose if {
	call := object.union(changed("purpose", {"declared": "support"}), {"model": {"requested": "claude", "deployment": "x/claude"}})
	denials := purposes.deny with input as call with data.tenants as parameters
	rules(denials) == {"purposes.model"}
	some reason in denials
	reason.message == "The model claude may not be used for this purpose."
	reason.path == "/model"
}

test_malformed_purpose_is_none if {
	denials := purposes.deny with input as changed("purpose", {"declared": "support"})
		with data.tenants as tenant({"purposes": {"support": "all"}})
	rules(denials) == {"purposes.unlisted"}
}

test_answers_are_not_asked if {
	count(purposes.deny) == 0 with input as object.union(base, {"point": "model.response"}) with data.tenants as parameters
	other := object.union(changed("purpose", {"declared": "support"}), {"point": "model.response", "model": {"requested": "claude", "deployment": "x/y"}})
	count(purposes.deny) == 0 with input as other with data.tenants as parameters
}
