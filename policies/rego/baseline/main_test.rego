package countersign.main_test

import data.countersign.facts_test.answer
import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.email
import data.countersign.facts_test.key
import data.countersign.facts_test.tenant
import data.countersign.facts_test.waiver
import data.countersign.main

test_allow if {
	main.decision == {
		"effect": "allow",
		"reasons": [],
		"obligations": [{"type": "record", "content": "redacted"}],
		"user_message": "",
	} with input as base
}

test_obligations_are_united if {
	decision := main.decision with input as changed("findings", [email])
		with data.tenants as tenant({"limits": {"max_output_tokens": 5}})
	decision.effect == "allow"
	{obligation.type | some obligation in decision.obligations} == {"limit", "record", "redact"}
}

test_deny_keeps_only_the_record if {
	decision := main.decision with input as changed("findings", [email, key])
	decision.effect == "deny"
	[reason.rule | some reason in decision.reasons] == ["secrets.outbound"]
	decision.obligations == [{"type": "record", "content": "redacted"}]
	decision.user_message == decision.reasons[0].message
}

test_deny_beats_approval if {
	parameters := tenant({"approval": {"models": ["*"]}, "models": []})
	decision := main.decision with input as base with data.tenants as parameters
	decision.effect == "deny"
	[reason.rule | some reason in decision.reasons] == ["models.allow_list"]
}

test_require_approval if {
	decision := main.decision with input as changed("findings", [email])
		with data.tenants as tenant({"approval": {"models": ["gpt-*"]}})
	decision.effect == "require_approval"
	[reason.rule | some reason in decision.reasons] == ["models.approval"]
	"redact" in {obligation.type | some obligation in decision.obligations}
	decision.user_message != ""
}

test_message_of_many_reasons if {
	findings := [object.union(key, {"type": type}) | some type in ["K1", "K2", "K3", "K4", "K5"]]
	decision := main.decision with input as changed("findings", findings)
	count(decision.reasons) == 5
	endswith(decision.user_message, "There are 2 more reasons.")
}

test_answer if {
	decision := main.decision with input as answer
	decision.effect == "allow"
	{obligation.type | some obligation in decision.obligations} == {"record", "redact"}
}

test_points_nothing_is_written_about[point] if {
	some point in ["tools.lists", "tool.calls", "policy.change", "ledger.export", "model.requests", "", "ADMIN.x"]
	decision := main.decision with input as object.union(base, {"point": point})
	decision.effect == "deny"
	"main.point" in {reason.rule | some reason in decision.reasons}
}

test_unreadable_facts[note] if {
	some note, facts in {
		"another version": object.union(base, {"version": 2}),
		"no version": object.remove(base, ["version"]),
		"unknown kind of finding": changed("findings", [object.union(email, {"kind": "mood"})]),
		"no findings": object.remove(base, ["findings"]),
		"no unscanned": object.remove(base, ["unscanned"]),
		"no model": changed("model", null),
		"no request": changed("request", null),
		"no urls": object.union(object.remove(base, ["request"]), {"request": {"max_tokens": 1}}),
		"no tenant": object.remove(base, ["tenant"]),
		"no model, but a tool": called("model.request", {}),
		"no tool": object.union(base, {"point": "tool.call"}),
		"no tool of a result": object.union(base, {"point": "tool.result"}),
		"a tool without a name": called("tool.call", {"name": null}),
		"a tool, nothing unscanned": object.remove(called("tool.call", {}), ["unscanned"]),
		"an unscanned part without a place": changed("unscanned", [{"what": "image"}]),
		"a finding without a type": changed("findings", [object.remove(email, ["type"])]),
		"a finding without places": changed("findings", [object.remove(email, ["paths"])]),
		"no residency": changed("data", {"residency": null}),
	}
	decision := main.decision with input as facts
	decision.effect == "deny"
	"main.input" in {reason.rule | some reason in decision.reasons}
}

called(point, change) := object.union(base, {
	"point": point,
	"model": null,
	"request": null,
	"tools": {"call": object.union({"name": "read", "server": "files"}, change)},
})

listed := tenant({"tools": ["files/*"]})

test_tools[point] if {
	some point, types in {"tool.call": {"record"}, "tool.result": {"record", "redact"}, "tools.list": set()}
	decision := main.decision with input as called(point, {}) with data.tenants as listed
	decision.effect == "allow"
	{obligation.type | some obligation in decision.obligations} == types
}

test_tool_that_is_not_listed if {
	decision := main.decision with input as called("tool.call", {"server": "mail"}) with data.tenants as listed
	decision.effect == "deny"
	[reason.rule | some reason in decision.reasons] == ["tools.allow_list"]
	decision.obligations == [{"type": "record", "content": "redacted"}]
}

test_injection_is_no_unknown_kind if {
	decision := main.decision with input as changed("findings", [object.union(email, {"kind": "injection"})])
	decision.effect == "allow"
}

test_waived if {
	given := changed("waivers", [object.union(waiver, {"rule": "models.allow_list"})])
	decision := main.decision with input as given with data.tenants as tenant({"models": []})
	decision.effect == "allow"
	{"type": "label", "add": ["waiver:w1:models.allow_list"]} in decision.obligations
	approval := changed("waivers", [object.union(waiver, {"rule": "models.approval"})])
	unasked := main.decision with input as approval with data.tenants as tenant({"approval": {"models": ["*"]}})
	unasked.effect == "allow"
	{"type": "label", "add": ["waiver:w1:models.approval"]} in unasked.obligations
}

test_secrets_are_not_waived if {
	given := object.union(changed("findings", [key]), {"waivers": [object.union(waiver, {"rule": "secrets.outbound"})]})
	decision := main.decision with input as given
	decision.effect == "deny"
}

test_nothing_at_all_is_denied if {
	decision := main.decision with input as {}
	decision.effect == "deny"
	nothing := main.decision with input as null
	nothing.effect == "deny"
}

test_administration if {
	call := object.union(base, {
		"point": "admin.keys.create",
		"model": null,
		"request": null,
		"principal": {"roles": ["key-admin"]},
	})
	decision := main.decision with input as call
	decision == {"effect": "allow", "reasons": [], "obligations": [], "user_message": ""}
}
