package countersign.rules.automated_decisions_test

import data.countersign.facts_test.approval
import data.countersign.facts_test.tenant
import data.countersign.facts_test.under
import data.countersign.rules.automated_decisions

call(framework) := object.union(under(framework), {"purpose": {"declared": "credit"}})

test_domains[domain] if {
	some domain in ["benefits", "credit", "education", "employment", "healthcare", "housing", "insurance"]
	count(automated_decisions.require_approval) == 1 with input as object.union(call("gdpr"), {"purpose": {"declared": domain}})
	count(automated_decisions.require_approval) == 1 with input as under("gdpr")
		with data.tenants as tenant({"use": {"decides": [domain]}})
}

test_frameworks[framework] if {
	some framework, asked in {"gdpr": 1, "ecoa": 1, "nyc_ll144": 1, "co_admt": 1, "hipaa": 0}
	count(automated_decisions.require_approval) == asked with input as call(framework)
}

test_not_asked[note] if {
	some note, case in {
		"a person reviews": {"input": call("gdpr"), "tenant": {"use": {"review": "person"}}},
		"approved": {"input": object.union(call("gdpr"), {"approvals": [approval]}), "tenant": {}},
		"another purpose": {"input": object.union(call("gdpr"), {"purpose": {"declared": "support"}}), "tenant": {}},
		"an answer": {"input": object.union(call("gdpr"), {"point": "model.response"}), "tenant": {}},
	}
	count(automated_decisions.require_approval) == 0 with input as case.input with data.tenants as tenant(case.tenant)
}

test_no_review if {
	asked := automated_decisions.require_approval with input as call("gdpr") with data.tenants as tenant({"use": {"review": "none"}})
	some reason in asked
	reason.rule == "automated_decisions.review"
	reason.message == "A decision about a person may be prepared after another person has approved the request."
}
