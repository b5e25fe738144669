package countersign.rules.marking_test

import data.countersign.facts_test.base
import data.countersign.facts_test.tenant
import data.countersign.facts_test.under
import data.countersign.rules.marking

call(modalities) := object.union(under("eu_ai_act"), {"request": {"modalities": modalities}})

public := tenant({"use": {"channel": "public"}})

label(names) := {{"type": "label", "add": names}}

test_provider[note] if {
	some note, case in {
		"picture": {"modalities": ["text", "output:image"], "tags": [], "denied": 1},
		"marked picture": {"modalities": ["output:image"], "tags": ["marks_output"], "denied": 0},
		"only text": {"modalities": ["text", "output:text"], "tags": [], "denied": 0},
		"a picture that is sent": {"modalities": ["image"], "tags": [], "denied": 0},
	}
	facts := object.union(call(case.modalities), {"model": {"tags": case.tags}})
	count(marking.deny) == case.denied with input as facts
}

test_labels[note] if {
	some note, case in {
		"picture and sound": {"modalities": ["output:image", "output:audio"], "want": label(["generated:audio", "generated:image"])},
		"text": {"modalities": ["text", "output:text"], "want": set()},
	}
	marking.obligations == case.want with input as call(case.modalities)
}

test_public_text if {
	marking.obligations == label(["generated:text"]) with input as call(["text"]) with data.tenants as public
	both := label(["generated:image", "generated:text"])
	marking.obligations == both with input as call(["output:image"]) with data.tenants as public
}

test_off if {
	other := object.union(call(["output:image"]), {"tenant": {"frameworks": ["gdpr"]}})
	count(marking.deny) == 0 with input as other
	marking.obligations == set() with input as other with data.tenants as public
	later := object.union(call(["output:image"]), {"point": "model.response"})
	count(marking.deny) == 0 with input as later
	marking.obligations == set() with input as later with data.tenants as public
	marking.obligations == set() with input as base with data.tenants as public
}

test_reason if {
	denials := marking.deny with input as call(["output:video"])
	some reason in denials
	reason.message == "The model gpt-4o-mini does not mark what it generates."
	reason.path == "/model"
}
