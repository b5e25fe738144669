package countersign.main_test

import data.countersign.facts_test.approval
import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.finding
import data.countersign.facts_test.tenant
import data.countersign.facts_test.under
import data.countersign.facts_test.waiver
import data.countersign.main

rules(reasons) := {reason.rule | some reason in reasons}

# One call for each rule, which alone decides it.
denied := {
	"children.education_records": {"input": object.union(under("ferpa"), {"model": {"trains_on_data": null}})},
	"hipaa.baa": {"input": under("hipaa")},
	"hours.closed": {"input": base, "tenant": {"hours": {"days": [], "from": 0, "to": 24}}},
	"injection.refused": {
		"input": changed("findings", [finding("PROMPT_INJECTION", "injection")]),
		"tenant": {"injection": {}},
	},
	"library.framework": {"input": under("hippa")},
	"library.input": {"input": object.union(base, {"version": 2})},
	"marking.provider": {"input": object.union(under("eu_ai_act"), {"request": {"modalities": ["output:image"]}})},
	"oversight.person": {"input": object.union(under("eu_ai_act"), {"purpose": {"eu_risk": "high"}})},
	"payment_cards.refused": {
		"input": object.union(under("pci_dss"), {"findings": [finding("CREDIT_CARD", "pii")]}),
		"tenant": {"payment_cards": {"request": "deny"}},
	},
	"prohibited.practice": {"input": object.union(under("eu_ai_act"), {"purpose": {"eu_risk": "prohibited"}})},
	"purposes.unlisted": {"input": base, "tenant": {"purposes": {}}},
	"record_keeping.content": {"input": under("eu_ai_act"), "tenant": {"record": {"content": "none"}}},
	"special_categories.refused": {"input": object.union(under("gdpr"), {"findings": [finding("NRP", "pii")]})},
}

test_denied[rule] if {
	some rule, case in denied
	decision := main.decision with input as case.input with data.tenants as tenant(object.get(case, "tenant", {}))
	decision.effect == "deny"
	rules(decision.reasons) == {rule}
	decision.user_message == decision.reasons[0].message
	every obligation in decision.obligations { obligation.type == "record" }
}

asked := {
	"automated_decisions.review": {"input": object.union(under("gdpr"), {"purpose": {"declared": "credit"}})},
	"oversight.approval": {
		"input": object.union(under("eu_ai_act"), {"purpose": {"eu_risk": "high"}}),
		"tenant": {"oversight": {"person": "Ada", "per_call": true}},
	},
}

test_asked[rule] if {
	some rule, case in asked
	parameters := tenant(object.get(case, "tenant", {}))
	decision := main.decision with input as case.input with data.tenants as parameters
	decision.effect == "require_approval"
	rules(decision.reasons) == {rule}
	decision.user_message == decision.reasons[0].message
	approved := main.decision with input as object.union(case.input, {"approvals": [approval]}) with data.tenants as parameters
	approved.effect == "allow"
}

test_nothing_to_say if {
	nothing := {"effect": "allow", "reasons": [], "obligations": [], "user_message": ""}
	main.decision == nothing with input as base
	main.decision == nothing with input as object.union(base, {"point": "tool.call", "model": null, "request": null})
	main.decision == nothing with input as {"point": "admin.keys.list"}
}

test_deny_beats_approval if {
	call := object.union(under("gdpr"), {"purpose": {"declared": "credit"}})
	decision := main.decision with input as call with data.tenants as tenant({"purposes": {}})
	decision.effect == "deny"
	rules(decision.reasons) == {"purposes.unlisted"}
}

test_denial_keeps_the_record if {
	decision := main.decision with input as under("hipaa") with data.tenants as tenant({"use": {"channel": "public"}})
	decision.obligations == [{"type": "record", "content": "full", "retention_days": 2192}]
}

test_obligations_are_united if {
	call := object.union(changed("tenant", {"frameworks": ["eu_ai_act", "pci_dss"]}), {
		"findings": [finding("CREDIT_CARD", "pii"), finding("PROMPT_INJECTION", "injection")],
		"request": {"modalities": ["text"]},
	})
	parameters := tenant({"injection": {"treatment": "label"}, "use": {"channel": "public"}})
	decision := main.decision with input as call with data.tenants as parameters
	decision.effect == "allow"
	decision.reasons == []
	decision.obligations == sort([
		{"type": "label", "add": ["generated:text"]},
		{"type": "label", "add": ["injection"]},
		{"type": "record", "content": "full", "retention_days": 184},
		{"type": "redact", "types": ["CREDIT_CARD"], "operator": "mask"},
	])
	answered := main.decision with input as object.union(call, {"point": "model.response"}) with data.tenants as parameters
	{obligation.type | some obligation in answered.obligations} == {"disclose", "record", "redact"}
}

test_waived if {
	call := object.union(under("hipaa"), {"waivers": [object.union(waiver, {"rule": "hipaa.baa"})]})
	decision := main.decision with input as call
	decision.effect == "allow"
	{"type": "label", "add": ["waiver:w1:hipaa.baa"]} in decision.obligations
	review := object.union(
		object.union(under("gdpr"), {"purpose": {"declared": "credit"}}),
		{"waivers": [object.union(waiver, {"rule": "automated_decisions.review"})]},
	)
	waived := main.decision with input as review
	waived.effect == "allow"
	{"type": "label", "add": ["waiver:w1:automated_decisions.review"]} in waived.obligations
}

test_prohibited_practices_are_not_waived if {
	call := object.union(under("eu_ai_act"), {
		"purpose": {"eu_risk": "prohibited"},
		"waivers": [object.union(waiver, {"rule": "prohibited.practice"})],
	})
	decision := main.decision with input as call
	decision.effect == "deny"
}

test_observed_call_keeps_what_protects if {
	call := object.union(changed("tenant", {"frameworks": ["hipaa", "pci_dss"]}), {"findings": [finding("CREDIT_CARD", "pii")]})
	denied_call := main.decision with input as call
	{obligation.type | some obligation in denied_call.obligations} == {"record"}
	decision := main.decision with input as object.union(call, {"mode": "observe"})
	decision.effect == "deny"
	{obligation.type | some obligation in decision.obligations} == {"record", "redact"}
}

test_known_frameworks[framework] if {
	some framework in [
		"ca_bot_act", "ccpa", "co_admt", "coppa", "dora", "ecoa", "eu_ai_act", "ferpa", "finra", "gdpr", "hipaa",
		"iso_27001", "iso_42001", "nist_800_63", "nist_ai_rmf", "nyc_ll144", "owasp_asi", "owasp_llm", "pci_dss",
		"psd2", "sec_17a_4", "soc2", "sox", "ut_ai_act",
	]
	denials := main.deny with input as under(framework)
	count(denials) == 0
}

test_unknown_framework if {
	denials := main.deny with input as under("hippa")
	{reason.message | some reason in denials} == {"The framework hippa of the tenant is not one the policies know."}
	count(main.deny) == 0 with input as object.union(under("hippa"), {"point": "admin.keys.list"})
}

test_unreadable_facts[note] if {
	some note, facts in {
		"another version": object.union(base, {"version": 2}),
		"frameworks": changed("tenant", {"frameworks": null}),
		"findings": changed("findings", null),
		"unscanned": changed("unscanned", null),
		"waivers": changed("waivers", null),
		"taint": changed("session", {"taint": null}),
		"no model": changed("model", null),
		"tags": changed("model", {"tags": null}),
		"modalities": changed("request", {"modalities": null}),
	}
	denials := main.deny with input as facts
	rules(denials) == {"library.input"}
	{reason.message | some reason in denials} == {"The policy could not read the facts of this call."}
}

test_unreadable_parameters if {
	denials := main.deny with input as base with data.tenants as {"acme": ["hours"]}
	rules(denials) == {"library.input"}
}

test_nothing_at_all_is_denied if {
	decision := main.decision with input as {}
	decision.effect == "deny"
	nothing := main.decision with input as null
	nothing.effect == "deny"
}
