package countersign.facts_test

import data.countersign.facts

# A request nothing has to be said about, for the tests of all rules.
base := {
	"version": 1,
	"point": "model.request",
	"time": {"unix_ms": 1790000000000, "weekday": "tuesday", "hour_utc": 9},
	"tenant": {"id": "acme", "frameworks": []},
	"principal": {"type": "user", "id": "u1", "roles": ["caller"], "claims": {}},
	"agent": {"id": null, "attested": false, "delegation": []},
	"claimed": {},
	"purpose": {"declared": null, "use_case": null, "eu_risk": null},
	"data": {"classification": null, "residency": []},
	"model": {
		"requested": "gpt-4o-mini",
		"deployment": "openai/gpt-4o-mini",
		"model": "gpt-4o-mini",
		"region": "us",
		"hosting": "external",
		"retention_days": 30,
		"trains_on_data": false,
		"tags": [],
	},
	"request": {"max_tokens": null, "tokens_estimate": 100, "modalities": ["text"], "urls": [], "digest": "d1"},
	"tools": {"offered": [], "call": null},
	"findings": [],
	"unscanned": [],
	"response": null,
	"session": {"tool_calls": 0, "denials": 0, "taint": [], "history": []},
	"budget": {"scopes": []},
	"approvals": [],
	"waivers": [],
}

answer := object.union(base, {"point": "model.response", "response": {"finish_reason": null, "bytes": 0, "tool_calls": []}})

email := finding("EMAIL_ADDRESS", "pii")

key := {
	"type": "AWS_ACCESS_KEY", "kind": "secret", "count": 2, "max_score": 1000,
	"paths": ["/messages/2/content", "/messages/0/content"],
}

finding(type, kind) := {
	"type": type, "kind": kind, "count": 1, "max_score": 900,
	"paths": ["/messages/1/content"],
}

changed(section, value) := object.union(base, {section: value})

under(framework) := changed("tenant", {"frameworks": [framework]})

tenant(parameters) := {"acme": parameters}

approval := {
	"id": "a1", "by": "u2", "role": "approver", "binds": "d1",
	"decision": "approved", "expires_unix_ms": 1, "applies": true,
}

denial := {
	"rule": "a.rule", "title": "A", "message": "No.", "severity": "high",
	"controls": [], "path": "",
}

waiver := {
	"id": "w1", "rule": "a.rule", "scope": "tenant", "expires_unix_ms": 1,
	"break_glass": false, "applies": true,
}

test_absent_tenant_has_no_parameters if {
	facts.parameters == {} with input as base with data.tenants as {"other": {"hours": {}}}
	facts.parameters == {} with input as base
	facts.parameters == {"a": 1} with input as base with data.tenants as {"acme": {"a": 1}}
}

test_content_of_calls_alone if {
	points := {"model.request", "model.response", "tool.call", "tool.result"}
	every point in points {
		facts.has_content with input as {"point": point}
	}
	every point in {"tools.list", "admin.keys.list", "model.other", ""} {
		not facts.has_content with input as {"point": point}
	}
	not facts.has_content with input as {}
}

test_external_unless_known_otherwise if {
	facts.external with input as base
	facts.external with input as changed("model", {"hosting": "somewhere"})
	facts.external with input as object.remove(base, ["model"])
	not facts.external with input as changed("model", {"hosting": "private"})
	not facts.external with input as changed("model", {"hosting": "local"})
}

test_under if {
	facts.under({"gdpr", "hipaa"}) with input as under("gdpr")
	not facts.under({"gdpr", "hipaa"}) with input as under("coppa")
	not facts.under({"gdpr", "hipaa"}) with input as base
}

test_patterns if {
	facts.listed(["a", "b"], "b")
	facts.listed(["gpt-*"], "gpt-4")
	facts.listed(["*mini"], "gpt-mini")
	facts.listed(["ab*ba"], "abba")
	not facts.listed(["ab*ba"], "aba")
	not facts.listed(["gpt-*"], "my-gpt-4")
	not facts.listed(["*mini"], "minimal")
	not facts.listed(["a"], "ab")
	not facts.listed([], "a")
	not facts.listed(["*"], null)
}

test_approved_by_another if {
	facts.approved(null) with input as changed("approvals", [approval])
	facts.approved(["approver"]) with input as changed("approvals", [approval])
	not facts.approved(["dpo"]) with input as changed("approvals", [approval])
	not facts.approved(null) with input as base
}

test_not_approved[note] if {
	some note, change in {
		"denied": {"decision": "denied"},
		"another request, or too late": {"applies": false},
		"own": {"by": "u1"},
	}
	not facts.approved(null) with input as changed("approvals", [object.union(approval, change)])
}

test_summary if {
	facts.summary(set()) == ""
	facts.summary({object.union(denial, {"message": message}) | some message in ["C.", "A.", "B."]}) == "A. B. C."
	four := {object.union(denial, {"message": message}) | some message in ["D.", "C.", "A.", "B."]}
	facts.summary(four) == "A. B. C. There are 1 more reasons."
	many := {object.union(denial, {"message": message}) | some message in ["D.", "C.", "A.", "E.", "B."]}
	facts.summary(many) == "A. B. C. There are 2 more reasons."
}

test_reason if {
	rule := {"title": "T", "custom": {"rule": "a.b", "severity": "low", "controls": ["x:2", "x:1"]}}
	facts.reason(rule, "M", "/p") == {
		"rule": "a.b", "title": "T", "message": "M", "severity": "low",
		"controls": ["x:1", "x:2"], "path": "/p",
	}
}

test_classification_is_the_stricter[note] if {
	some note, case in {
		"nothing said": {"call": null, "tenant": {}, "want": "internal"},
		"call is lower": {"call": "public", "tenant": {"classification": "confidential"}, "want": "confidential"},
		"call is higher": {"call": "restricted", "tenant": {"classification": "public"}, "want": "restricted"},
		"public on both": {"call": "public", "tenant": {"classification": "public"}, "want": "public"},
		"nothing said to a public tenant": {"call": null, "tenant": {"classification": "public"}, "want": "public"},
		"unknown word": {"call": "topsecret", "tenant": {}, "want": "restricted"},
	}
	facts.classification == case.want with input as changed("data", {"classification": case.call})
		with data.tenants as tenant(case.tenant)
}

test_places if {
	facts.places({"paths": []}) == ""
	facts.places({"paths": ["/a"]}) == " at /a"
	facts.places({"paths": ["/b", "/a"]}) == " at /a (and 1 more)"
	facts.places({"paths": ["/b", "/a", "/c"]}) == " at /a (and 2 more)"
	facts.first_path({"paths": []}) == ""
}
