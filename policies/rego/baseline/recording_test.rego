package countersign.rules.recording_test

import data.countersign.facts_test.answer
import data.countersign.facts_test.base
import data.countersign.facts_test.tenant
import data.countersign.rules.recording

test_record if {
	recording.obligations == {{"type": "record", "content": "redacted"}} with input as base
	recording.obligations == {{"type": "record", "content": "redacted"}} with input as answer
	recording.obligations == {{"type": "record", "content": "digest", "retention_days": 30}} with input as base
		with data.tenants as tenant({"record": {"content": "digest", "retention_days": 30}})
	recording.obligations == {{"type": "record", "content": "redacted", "retention_days": 7}} with input as base
		with data.tenants as tenant({"record": {"retention_days": 7}})
}

test_answer if {
	parameters := {"disclose": "You talk to a machine.", "response": {"buffer": true}}
	want := {
		{"type": "record", "content": "redacted"},
		{"type": "buffer"},
		{"type": "disclose", "text": "You talk to a machine."},
	}
	recording.obligations == want with input as answer with data.tenants as tenant(parameters)
	count(recording.obligations) == 1 with input as base with data.tenants as tenant(parameters)
}

test_no_buffer if {
	count(recording.obligations) == 1 with input as answer with data.tenants as tenant({"response": {"buffer": false}})
}

test_administration_has_no_content if {
	count(recording.obligations) == 0 with input as object.union(base, {"point": "admin.keys.list"})
}

test_tools[point] if {
	some point, want in {"tool.call": 1, "tool.result": 1, "tools.list": 0}
	count(recording.obligations) == want with input as object.union(base, {"point": point})
}
