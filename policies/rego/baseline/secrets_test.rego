package countersign.rules.secrets_test

import data.countersign.facts_test.answer
import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.email
import data.countersign.facts_test.key
import data.countersign.rules.secrets

test_denied_with_type_and_place if {
	denials := secrets.deny with input as changed("findings", [email, key])
	count(denials) == 1
	some reason in denials
	reason.path == "/messages/0/content"
	reason.message == concat(" ", [
		"A secret of type AWS_ACCESS_KEY was found at /messages/0/content (and 1 more).",
		"Secrets are not sent to a model.",
	])
}

test_own_models_too if {
	findings := changed("findings", [key])
	count(secrets.deny) == 1 with input as object.union(findings, {"model": {"hosting": "local"}})
}

test_nothing_found if {
	count(secrets.deny) == 0 with input as changed("findings", [email])
	count(secrets.obligations) == 0 with input as base
}

test_cut_out_of_answers if {
	secrets.obligations == {{"type": "redact", "types": ["secret"], "operator": "redact"}} with input as answer
}

test_tools if {
	denials := secrets.deny with input as object.union(changed("findings", [key]), {"point": "tool.call"})
	some reason in denials
	endswith(reason.message, "Secrets are not sent to a tool.")
	result := object.union(changed("findings", [key]), {"point": "tool.result"})
	count(secrets.deny) == 0 with input as result
	secrets.obligations == {{"type": "redact", "types": ["secret"], "operator": "redact"}} with input as result
}

test_observed_requests_lose_them if {
	observed := object.union(changed("findings", [email, key]), {"mode": "observe"})
	secrets.obligations == {{"type": "redact", "types": ["secret"], "operator": "redact"}} with input as observed
	count(secrets.obligations) == 0 with input as object.union(changed("findings", [email]), {"mode": "observe"})
	count(secrets.obligations) == 0 with input as changed("findings", [key])
	count(secrets.obligations) == 0 with input as object.union(observed, {"point": "tools.list"})
}
