package countersign.rules.delegation_test

import data.countersign.facts_test.base
import data.countersign.facts_test.tenant
import data.countersign.rules.delegation

on(terms) := tenant({"delegation": terms})

acting(id, delegation) := object.union(base, {"agent": {"id": id, "delegation": delegation, "attested": false}})

rules(reasons) := {reason.rule | some reason in reasons}

test_agents[note] if {
	some note, case in {
		"known": {"agent": acting("bot-1", []), "want": set()},
		"known, for a known one": {"agent": acting("bot-1", ["bot-2"]), "want": set()},
		"unknown": {"agent": acting("imp", []), "want": {"delegation.agent"}},
		"known, for an unknown one": {"agent": acting("bot-1", ["bot-2", "imp"]), "want": {"delegation.agent"}},
		"nameless, for a known one": {"agent": acting(null, ["bot-2"]), "want": {"delegation.agent"}},
		"nobody between": {"agent": acting(null, []), "want": set()},
	}
	denials := delegation.deny with input as case.agent with data.tenants as on({"agents": ["bot-*"]})
	rules(denials) == case.want
	every reason in denials { reason.message == "This agent, or one it acts for, is not known to the tenant." }
}

test_depth[note] if {
	some note, case in {
		"within": {"actors": ["a", "b"], "want": set()},
		"too deep": {"actors": ["a", "b", "c"], "want": {"delegation.depth"}},
	}
	denials := delegation.deny with input as acting("a", case.actors) with data.tenants as on({"depth": 2})
	rules(denials) == case.want
	every reason in denials { reason.message == "The task was handed on more than 2 times." }
}

test_unknown_depth_is_too_deep if {
	denials := delegation.deny with input as object.remove(base, ["agent"]) with data.tenants as on({"depth": 2})
	rules(denials) == {"delegation.depth"}
}

test_attested[note] if {
	some note, case in {
		"asked": {"terms": {"attested": true}, "want": {"delegation.attested"}},
		"neither yes nor no": {"terms": {"attested": "later"}, "want": {"delegation.attested"}},
		"not asked": {"terms": {"attested": false}, "want": set()},
		"not said": {"terms": {}, "want": set()},
	}
	denials := delegation.deny with input as acting("bot-1", []) with data.tenants as on(case.terms)
	rules(denials) == case.want
	every reason in denials { reason.message == "This agent has not proven what it is." }
	proven := object.union(acting("bot-1", []), {"agent": {"attested": true}})
	count(delegation.deny) == 0 with input as proven with data.tenants as on(case.terms)
	count(delegation.deny) == 0 with input as base with data.tenants as on(case.terms)
}

test_points[point] if {
	some point, count_of in {"model.request": 3, "tools.list": 3, "tool.call": 3, "model.response": 0, "tool.result": 0}
	facts := object.union(acting("imp", ["x"]), {"point": point})
	strict := {"agents": [], "depth": 0, "attested": true}
	count(delegation.deny) == count_of with input as facts with data.tenants as on(strict)
	count(delegation.deny) == 0 with input as facts
}
