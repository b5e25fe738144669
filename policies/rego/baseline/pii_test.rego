package countersign.rules.pii_test

import data.countersign.facts_test.answer
import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.email
import data.countersign.facts_test.key
import data.countersign.facts_test.tenant
import data.countersign.rules.pii

phone := object.union(email, {"type": "PHONE_NUMBER"})

found := changed("findings", [email, phone, key])

local := object.union(found, {"model": {"hosting": "local"}})

redact(types, operator) := {"type": "redact", "types": types, "operator": operator}

test_tokenized_by_default if {
	pii.obligations == {redact(["EMAIL_ADDRESS", "PHONE_NUMBER"], "tokenize")} with input as found
	count(pii.deny) == 0 with input as found
}

test_nothing_found if {
	count(pii.obligations) == 0 with input as base
	count(pii.deny) == 0 with input as base
}

test_operator_of_the_tenant if {
	pii.obligations == {redact(["EMAIL_ADDRESS", "PHONE_NUMBER"], "mask")} with input as found
		with data.tenants as tenant({"pii": {"external": "mask"}})
}

test_operator_by_type if {
	pii.obligations == {redact(["EMAIL_ADDRESS"], "tokenize"), redact(["PHONE_NUMBER"], "hash")} with input as found
		with data.tenants as tenant({"pii": {"types": {"PHONE_NUMBER": "hash"}}})
}

test_refused if {
	denials := pii.deny with input as found with data.tenants as tenant({"pii": {"types": {"EMAIL_ADDRESS": "deny"}}})
	some reason in denials
	reason.message == concat(" ", [
		"Personal data of type EMAIL_ADDRESS was found at /messages/1/content",
		"and may not be sent to this model.",
	])
	reason.path == "/messages/1/content"
}

test_leave_is_not_for_external_models if {
	count(pii.deny) == 2 with input as found with data.tenants as tenant({"pii": {"external": "leave"}})
}

test_own_models_get_it_as_it_is if {
	count(pii.obligations) == 0 with input as local
	count(pii.deny) == 0 with input as local
}

test_own_models_by_parameter if {
	pii.obligations == {redact(["EMAIL_ADDRESS", "PHONE_NUMBER"], "replace")} with input as local
		with data.tenants as tenant({"pii": {"internal": "replace"}})
	count(pii.deny) == 2 with input as local with data.tenants as tenant({"pii": {"internal": "deny"}})
}

test_unknown_hosting_is_external if {
	unknown := object.union(found, {"model": {"hosting": "moon"}})
	pii.obligations == {redact(["EMAIL_ADDRESS", "PHONE_NUMBER"], "tokenize")} with input as unknown
}

test_answer if {
	count(pii.obligations) == 0 with input as answer
	count(pii.obligations) == 0 with input as answer with data.tenants as tenant({"response": {"pii": "leave"}})
	pii.obligations == {redact(["pii"], "mask")} with input as answer
		with data.tenants as tenant({"response": {"pii": "mask"}})
}

refusing := tenant({"pii": {"types": {"EMAIL_ADDRESS": "deny"}}})

test_only_at_the_request if {
	later := object.union(found, {"point": "tool.result", "mode": "observe"})
	count(pii.deny) == 0 with input as later with data.tenants as refusing
	count(pii.obligations) == 0 with input as later with data.tenants as refusing
}

test_observed_calls_are_tokenized_where_they_would_be_refused if {
	observed := object.union(found, {"mode": "observe"})
	wanted := {redact(["EMAIL_ADDRESS"], "tokenize"), redact(["PHONE_NUMBER"], "tokenize")}
	pii.obligations == wanted with input as observed with data.tenants as refusing
	pii.obligations == {redact(["PHONE_NUMBER"], "tokenize")} with input as found with data.tenants as refusing
	pii.obligations == {redact(["EMAIL_ADDRESS", "PHONE_NUMBER"], "tokenize")} with input as observed
}

test_observed_own_models_get_it_as_it_is if {
	count(pii.obligations) == 0 with input as object.union(local, {"mode": "observe"})
}

test_every_operator[operator] if {
	some operator in ["redact", "replace", "hash", "surrogate", "mask", "tokenize"]
	pii.obligations == {redact(["EMAIL_ADDRESS", "PHONE_NUMBER"], operator)} with input as found
		with data.tenants as tenant({"pii": {"external": operator}})
	count(pii.deny) == 0 with input as found with data.tenants as tenant({"pii": {"external": operator}})
	pii.obligations == {redact(["pii"], operator)} with input as answer
		with data.tenants as tenant({"response": {"pii": operator}})
}

test_response_treatment_is_not_for_requests if {
	count(pii.obligations) == 0 with input as base with data.tenants as tenant({"response": {"pii": "mask"}})
}
