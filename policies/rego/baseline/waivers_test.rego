package countersign.waivers_test

import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.email
import data.countersign.facts_test.key
import data.countersign.facts_test.tenant
import data.countersign.main

waiver := {
	"id": "wv-1", "rule": "models.allow_list", "scope": "tenant", "expires_unix_ms": 1790000100000,
	"break_glass": false, "applies": true,
}

label := {"type": "label", "add": ["waiver:wv-1:models.allow_list"]}

decision(change) := decided if {
	decided := main.decision with input as object.union(base, change) with data.tenants as tenant({"models": []})
}

test_lifts_the_rule_it_names_and_is_recorded if {
	decided := decision({"waivers": [waiver], "findings": [email]})
	decided.effect == "allow"
	decided.reasons == []
	label in decided.obligations
	"redact" in {obligation.type | some obligation in decided.obligations}
}

test_lifts_nothing_else if {
	other := object.union(waiver, {"rule": "models.other"})
	without := [{}, {"waivers": []}, {"waivers": [other]}, {"waivers": [object.union(waiver, {"applies": false})]}]
	every change in without {
		decided := decision(change)
		decided.effect == "deny"
		decided.obligations == [{"type": "record", "content": "redacted"}]
	}
}

test_a_waiver_beside_a_denial_is_recorded_too if {
	decided := decision({"waivers": [waiver], "findings": [key]})
	decided.effect == "deny"
	[reason.rule | some reason in decided.reasons] == ["secrets.outbound"]
	label in decided.obligations
}

test_lifts_the_wish_for_an_approval if {
	waived := object.union(waiver, {"rule": "models.approval"})
	decided := main.decision with input as changed("waivers", [waived])
		with data.tenants as tenant({"approval": {"models": ["*"]}})
	decided.effect == "allow"
}

test_critical_rules_are_not_lifted if {
	waived := object.union(waiver, {"rule": "secrets.outbound"})
	decided := main.decision with input as object.union(base, {"waivers": [waived], "findings": [key]})
	decided.effect == "deny"
	not "label" in {obligation.type | some obligation in decided.obligations}
}

test_what_the_library_cannot_read_is_not_lifted if {
	waivers := [object.union(waiver, {"rule": rule}) | some rule in ["main.point", "main.input", "administration.role"]]
	unknown := object.union(base, {"waivers": waivers, "point": "tool.unheard"})
	main.decision.effect == "deny" with input as unknown
	admin := object.union(base, {"waivers": waivers, "point": "admin.keys.create"})
	main.decision.effect == "deny" with input as admin
}

test_observed_denials_protect if {
	parameters := tenant({"pii": {"types": {"EMAIL_ADDRESS": "deny"}}})
	decided := main.decision with input as object.union(base, {"mode": "observe", "findings": [email, key]})
		with data.tenants as parameters
	decided.effect == "deny"
	redactions := {[obligation.operator, obligation.types] |
		some obligation in decided.obligations
		obligation.type == "redact"
	}
	redactions == {["redact", ["secret"]], ["tokenize", ["EMAIL_ADDRESS"]]}
}
