package countersign.rules.models_test

import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.tenant
import data.countersign.rules.models

test_allow_list[note] if {
	some note, case in {
		"name itself": {"models": ["gpt-4o-mini"], "denied": 0},
		"deployment": {"models": ["openai/gpt-4o-mini"], "denied": 0},
		"start": {"models": ["gpt-4*"], "denied": 0},
		"end": {"models": ["*-mini"], "denied": 0},
		"both ends": {"models": ["openai/*-mini"], "denied": 0},
		"everything": {"models": ["*"], "denied": 0},
		"one of several": {"models": ["claude-*", "gpt-4o-mini"], "denied": 0},
		"another": {"models": ["gpt-4o"], "denied": 1},
		"no start": {"models": ["gpt-4"], "denied": 1},
		"ends may not overlap": {"models": ["gpt-4o-mini*gpt-4o-mini"], "denied": 1},
		"dots are letters": {"models": ["gpt.4o.mini"], "denied": 1},
		"empty list": {"models": [], "denied": 1},
	}
	denials := models.deny with input as base with data.tenants as tenant({"models": case.models})
	count(denials) == case.denied
}

test_no_list_allows if count(models.deny) == 0 with input as base with data.tenants as tenant({})

test_only_at_the_request if {
	count(models.deny) == 0 with input as object.union(base, {"point": "model.response"})
		with data.tenants as tenant({"models": []})
}

test_reason_carries_its_metadata if {
	denials := models.deny with input as base with data.tenants as tenant({"models": []})
	some reason in denials
	reason.rule == "models.allow_list"
	reason.severity == "medium"
	"nist_ai_rmf:GOVERN-1.2" in reason.controls
	reason.message == "The model gpt-4o-mini is not one this tenant may use."
}

good := {
	"id": "a1", "by": "u2", "role": "approver", "binds": "d1", "decision": "approved",
	"expires_unix_ms": 1790000000001, "applies": true,
}

test_approval[note] if {
	some note, case in {
		"none": {"approvals": [], "asked": 1},
		"good": {"approvals": [good], "asked": 0},
		"own": {"approvals": [object.union(good, {"by": "u1"})], "asked": 1},
		"denied": {"approvals": [object.union(good, {"decision": "denied"})], "asked": 1},
		"of another request, or expired": {"approvals": [object.union(good, {"applies": false})], "asked": 1},
		"of unknown reach": {"approvals": [object.remove(good, {"applies"})], "asked": 1},
	}
	asked := models.require_approval with input as changed("approvals", case.approvals)
		with data.tenants as tenant({"approval": {"models": ["gpt-4o*"]}})
	count(asked) == case.asked
}

test_approval_of_other_models if {
	count(models.require_approval) == 0 with input as base
		with data.tenants as tenant({"approval": {"models": ["claude-*"]}})
	count(models.require_approval) == 0 with input as base
}

test_approval_is_asked_only_at_the_request if {
	later := object.union(base, {"point": "model.response"})
	count(models.require_approval) == 0 with input as later with data.tenants as tenant({"approval": {"models": ["*"]}})
}
