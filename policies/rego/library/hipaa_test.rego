package countersign.rules.hipaa_test

import data.countersign.facts_test.base
import data.countersign.facts_test.email
import data.countersign.facts_test.finding
import data.countersign.facts_test.tenant
import data.countersign.facts_test.under
import data.countersign.rules.hipaa

found := tenant({"hipaa": {"phi": "found"}})

test_every_call if {
	denials := hipaa.deny with input as under("hipaa")
	some reason in denials
	reason.rule == "hipaa.baa"
	reason.message == "The provider of the model gpt-4o-mini has no business associate agreement."
	reason.path == "/model"
	count(hipaa.deny) == 1 with input as under("hipaa") with data.tenants as tenant({"hipaa": {"phi": "every_call"}})
}

test_tag if {
	count(hipaa.deny) == 0 with input as object.union(under("hipaa"), {"model": {"tags": ["eu", "baa"]}})
	count(hipaa.deny) == 1 with input as object.union(under("hipaa"), {"model": {"tags": ["no-baa"]}})
	count(hipaa.deny) == 1 with input as object.union(under("hipaa"), {"model": {"tags": null}})
}

test_off if {
	count(hipaa.deny) == 0 with input as base
	count(hipaa.deny) == 0 with input as under("gdpr")
	count(hipaa.deny) == 0 with input as object.union(under("hipaa"), {"model": {"hosting": "private"}})
	count(hipaa.deny) == 0 with input as object.union(under("hipaa"), {"point": "model.response"})
}

test_only_what_was_found[note] if {
	some note, case in {
		"nothing": {"facts": {}, "denied": 0},
		"personal data": {"facts": {"findings": [email]}, "denied": 1},
		"only an injection": {"facts": {"findings": [finding("PROMPT", "injection")]}, "denied": 0},
		"a picture": {"facts": {"unscanned": [{"what": "image", "path": "/x"}]}, "denied": 1},
	}
	count(hipaa.deny) == case.denied with input as object.union(under("hipaa"), case.facts) with data.tenants as found
}
