package countersign.facts_test

import data.countersign.facts

# A request nothing has to be said about, for the tests of all rules.
base := {
	"version": 1,
	"point": "model.request",
	"time": {"unix_ms": 1790000000000},
	"tenant": {"id": "acme"},
	"principal": {"type": "user", "id": "u1", "roles": ["caller"]},
	"data": {"classification": null, "residency": []},
	"model": {
		"requested": "gpt-4o-mini",
		"deployment": "openai/gpt-4o-mini",
		"model": "gpt-4o-mini",
		"region": "us",
		"hosting": "external",
		"retention_days": 30,
		"trains_on_data": false,
	},
	"request": {"max_tokens": null, "tokens_estimate": 100, "modalities": ["text"], "urls": [], "digest": "d1"},
	"tools": {"offered": [], "call": null},
	"findings": [],
	"unscanned": [],
	"approvals": [],
}

answer := object.union(base, {"point": "model.response", "response": {"finish_reason": null, "bytes": 0, "tool_calls": []}})

email := {
	"type": "EMAIL_ADDRESS", "kind": "pii", "count": 1, "max_score": 900,
	"paths": ["/messages/1/content"],
}

key := {
	"type": "AWS_ACCESS_KEY", "kind": "secret", "count": 2, "max_score": 1000,
	"paths": ["/messages/2/content", "/messages/0/content"],
}

changed(section, value) := object.union(base, {section: value})

tenant(parameters) := {"acme": parameters}

test_absent_tenant_has_no_parameters if {
	facts.parameters == {} with input as base with data.tenants as {"other": {"models": []}}
	facts.parameters == {} with input as base
}

test_external_unless_known_otherwise if {
	facts.external with input as base
	facts.external with input as changed("model", {"hosting": "somewhere"})
	facts.external with input as object.remove(base, ["model"])
	not facts.external with input as changed("model", {"hosting": "private"})
	not facts.external with input as changed("model", {"hosting": "local"})
}

test_classification_is_the_stricter[note] if {
	some note, case in {
		"nothing said": {"call": null, "tenant": {}, "want": "internal"},
		"call is lower": {"call": "public", "tenant": {"classification": "confidential"}, "want": "confidential"},
		"call is higher": {"call": "restricted", "tenant": {"classification": "public"}, "want": "restricted"},
		"public on both": {"call": "public", "tenant": {"classification": "public"}, "want": "public"},
		"unknown word": {"call": "topsecret", "tenant": {}, "want": "restricted"},
	}
	facts.classification == case.want with input as changed("data", {"classification": case.call})
		with data.tenants as tenant(case.tenant)
}

test_places if {
	facts.places({"paths": []}) == ""
	facts.places({"paths": ["/a"]}) == " at /a"
	facts.places({"paths": ["/b", "/a", "/c"]}) == " at /a (and 2 more)"
	facts.first_path({"paths": []}) == ""
}
