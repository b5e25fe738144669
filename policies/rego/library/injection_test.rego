package countersign.rules.injection_test

import data.countersign.facts_test.base
import data.countersign.facts_test.email
import data.countersign.facts_test.finding
import data.countersign.facts_test.tenant
import data.countersign.rules.injection

suspect(score) := object.union(finding("PROMPT_INJECTION", "injection"), {"max_score": score})

call(score) := object.union(base, {
	"findings": [email, suspect(score)],
	"tools": {"offered": [{"name": "shell"}, {"name": "mail"}]},
})

treat(word) := tenant({"injection": {"treatment": word}})

on := tenant({"injection": {}})

stripped := {"type": "strip_tools", "names": ["mail", "shell"]}

label := {"type": "label", "add": ["injection"]}

test_off_without_the_section if {
	count(injection.deny) == 0 with input as call(1000)
	injection.obligations == set() with input as call(1000)
}

test_scores[note] if {
	some note, case in {
		"below the default": {"score": 499, "tenant": {}, "denied": 0},
		"the default": {"score": 500, "tenant": {}, "denied": 1},
		"below the tenant's": {"score": 799, "tenant": {"min_score": 800}, "denied": 0},
		"the tenant's": {"score": 800, "tenant": {"min_score": 800}, "denied": 1},
		"any": {"score": 0, "tenant": {"min_score": 0}, "denied": 1},
	}
	count(injection.deny) == case.denied with input as call(case.score) with data.tenants as tenant({"injection": case.tenant})
}

test_other_findings if {
	count(injection.deny) == 0 with input as object.union(base, {"findings": [email]}) with data.tenants as on
	injection.obligations == set() with input as object.union(base, {"findings": [email]}) with data.tenants as treat("label")
	injection.obligations == set() with input as object.union(call(1), {"findings": [email]})
		with data.tenants as treat("strip_tools")
}

test_treatments[word] if {
	some word, want in {
		"deny": {"denied": 1, "obligations": set()},
		"strip_tools": {"denied": 0, "obligations": {stripped, label}},
		"label": {"denied": 0, "obligations": {label}},
		"anything": {"denied": 1, "obligations": set()},
	}
	count(injection.deny) == want.denied with input as call(900) with data.tenants as treat(word)
	injection.obligations == want.obligations with input as call(900) with data.tenants as treat(word)
}

test_no_tools_to_strip if {
	bare := object.union(call(900), {"tools": {"offered": []}})
	injection.obligations == {label} with input as bare with data.tenants as treat("strip_tools")
}

test_one_tool_to_strip if {
	one := object.union(call(900), {"tools": {"offered": [{"name": "mail"}]}})
	injection.obligations == {{"type": "strip_tools", "names": ["mail"]}, label} with input as one
		with data.tenants as treat("strip_tools")
}

test_taint[word] if {
	some word in ["label", "strip_tools"]
	tainted := object.union(call(900), {"session": {"taint": ["pii", "untrusted:web"]}})
	count(injection.deny) == 1 with input as tainted with data.tenants as treat(word)
	injection.obligations == set() with input as tainted with data.tenants as treat(word)
	calm := object.union(call(900), {"session": {"taint": ["pii"]}})
	count(injection.deny) == 0 with input as calm with data.tenants as treat(word)
}

test_points[point] if {
	some point, denied in {"tool.call": 1, "tool.result": 1, "model.response": 0, "tools.list": 0}
	count(injection.deny) == denied with input as object.union(call(900), {"point": point}) with data.tenants as treat("label")
	injection.obligations == set() with input as object.union(call(900), {"point": point}) with data.tenants as treat("label")
}

test_reason if {
	denials := injection.deny with input as call(900) with data.tenants as on
	some reason in denials
	reason.rule == "injection.refused"
	reason.message == "The text contains instructions that try to change the model's task."
}
