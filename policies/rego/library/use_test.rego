package countersign.use_test

import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.tenant
import data.countersign.use

test_purposes_of_call_and_tenant if {
	use.purposes == set() with input as base
	use.purposes == {"support", "triage", "claimed"} with input as object.union(
		changed("purpose", {"declared": "support", "use_case": "triage"}),
		{"claimed": {"purpose": "claimed"}},
	)
	use.purposes == {"hiring", "support"} with input as changed("purpose", {"declared": "support"})
		with data.tenants as tenant({"use": {"purpose": "hiring"}})
}

test_risks_of_call_and_tenant if {
	use.risks == {null} with input as base
	use.risks == {"limited", "high"} with input as changed("purpose", {"eu_risk": "limited"})
		with data.tenants as tenant({"use": {"eu_risk": "high"}})
}

test_public if {
	use.public with input as base with data.tenants as tenant({"use": {"channel": "public"}})
	not use.public with input as base with data.tenants as tenant({"use": {"channel": "internal"}})
	not use.public with input as base
}
