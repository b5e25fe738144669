package countersign.rules.residency_test

import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.tenant
import data.countersign.rules.residency

test_regions_of_the_tenant[note] if {
	some note, case in {
		"listed": {"regions": ["eu", "us"], "denied": 0},
		"not listed": {"regions": ["eu"], "denied": 1},
		"empty": {"regions": [], "denied": 1},
	}
	count(residency.deny) == case.denied with input as base with data.tenants as tenant({"regions": case.regions})
}

test_no_list if count(residency.deny) == 0 with input as base

test_unknown_region if {
	nowhere := object.union(object.remove(base, ["model"]), {"model": {"requested": "m", "hosting": "external"}})
	count(residency.deny) == 1 with input as nowhere with data.tenants as tenant({"regions": ["us"]})
}

test_residency_of_the_data if {
	european := changed("data", {"residency": ["eu"]})
	count(residency.deny) == 1 with input as european
	count(residency.deny) == 0 with input as object.union(european, {"model": {"region": "eu"}})
	count(residency.deny) == 0 with input as object.union(european, {"model": {"hosting": "local"}})
}

test_only_at_the_request if {
	later := object.union(changed("data", {"residency": ["eu"]}), {"point": "model.response"})
	count(residency.deny) == 0 with input as later with data.tenants as tenant({"regions": ["eu"]})
	now := object.union(later, {"point": "model.request"})
	rules := {reason.rule | some reason in residency.deny} with input as now with data.tenants as tenant({"regions": ["eu"]})
	rules == {"residency.data", "residency.tenant"}
}

test_own_models_elsewhere_are_held_to_the_residency if {
	own := object.union(changed("data", {"residency": ["eu"]}), {"model": {"hosting": "private"}})
	count(residency.deny) == 1 with input as own
}
