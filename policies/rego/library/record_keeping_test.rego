package countersign.rules.record_keeping_test

import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.tenant
import data.countersign.facts_test.under
import data.countersign.rules.record_keeping

kept(days) := {{"type": "record", "content": "full", "retention_days": days}}

none := tenant({"record": {"content": "none"}})

test_terms[framework] if {
	some framework, days in {"eu_ai_act": 184, "finra": 2192, "hipaa": 2192, "sec_17a_4": 1096}
	record_keeping.obligations == kept(days) with input as under(framework)
}

test_longest if {
	several := changed("tenant", {"frameworks": ["eu_ai_act", "gdpr", "sec_17a_4"]})
	record_keeping.obligations == kept(1096) with input as several
}

test_points[point] if {
	some point, want in {
		"model.request": kept(184), "model.response": kept(184), "tool.call": kept(184), "tool.result": kept(184),
		"tools.list": set(), "admin.keys.list": set(),
	}
	facts := object.union(under("eu_ai_act"), {"point": point})
	record_keeping.obligations == want with input as facts
	count(record_keeping.deny) == count(want) with input as facts with data.tenants as none
}

test_off if {
	record_keeping.obligations == set() with input as base
	record_keeping.obligations == set() with input as under("gdpr")
	count(record_keeping.deny) == 0 with input as under("gdpr") with data.tenants as none
}

test_records_turned_off if {
	denials := record_keeping.deny with input as under("finra") with data.tenants as none
	some reason in denials
	reason.rule == "record_keeping.content"
	reason.message == "The tenant keeps no records although a framework it works under asks for them."
	count(record_keeping.deny) == 0 with input as under("finra") with data.tenants as tenant({"record": {"content": "digest"}})
	count(record_keeping.deny) == 0 with input as under("finra")
}
