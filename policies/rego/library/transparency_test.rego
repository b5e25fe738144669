package countersign.rules.transparency_test

import data.countersign.facts_test.answer
import data.countersign.facts_test.tenant
import data.countersign.facts_test.under
import data.countersign.rules.transparency

public := {"use": {"channel": "public"}}

call(framework) := object.union(answer, {"tenant": {"frameworks": [framework]}})

notice := {{"type": "disclose", "text": "You are talking to an AI system, not to a person."}}

test_notice[framework] if {
	some framework in ["ca_bot_act", "eu_ai_act", "ut_ai_act"]
	transparency.obligations == notice with input as call(framework) with data.tenants as tenant(public)
}

test_no_notice[note] if {
	some note, case in {
		"another framework": {"input": call("gdpr"), "tenant": public},
		"internal": {"input": call("eu_ai_act"), "tenant": {"use": {"channel": "internal"}}},
		"own words": {"input": call("eu_ai_act"), "tenant": object.union(public, {"disclose": "A machine."})},
		"a request": {"input": under("eu_ai_act"), "tenant": public},
	}
	transparency.obligations == set() with input as case.input with data.tenants as tenant(case.tenant)
}
