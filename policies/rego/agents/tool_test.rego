package countersign.tool_test

import data.countersign.facts_test.base
import data.countersign.tool

# A reviewed tool of a server, called with nothing in its arguments.
offer := {"name": "write", "server": "files", "digest": "d", "pinned": true, "annotations": {}}

asked := {"name": "write", "server": "files", "args": {}, "args_digest": "a", "targets": []}

call := object.union(base, {"point": "tool.call", "tools": {"offered": [offer], "call": asked}})

annotated(annotations) := object.union(call, {"tools": {"offered": [object.union(offer, {"annotations": annotations})]}})

offered(change) := object.union(call, {"tools": {"offered": [object.union(offer, change)]}})

asking(change) := object.union(call, {"tools": {"call": change}})

test_called_only_at_a_call if {
	tool.called == asked with input as call
	not tool.called with input as object.union(call, {"point": "tool.result"})
}

test_names if {
	tool.listed(["write"]) with input as call
	tool.listed(["files/*"]) with input as call
	not tool.listed(["read", "mail/*", "files"]) with input as call
}

test_definition[note] if {
	some note, facts in {
		"not pinned": offered({"pinned": false}),
		"another name": offered({"name": "read"}),
		"another server": offered({"server": "mail"}),
		"not offered": object.union(call, {"tools": {"offered": []}}),
		"offered twice": object.union(call, {"tools": {"offered": [offer, offer]}}),
	}
	not tool.definition with input as facts
	tool.definition == offer with input as call
}

test_annotations[note] if {
	some note, case in {
		"nothing said": {"annotations": {}, "want": set()},
		"reads": {"annotations": {"readOnlyHint": true}, "want": {"read_only", "harmless"}},
		"writes": {"annotations": {"readOnlyHint": false, "destructiveHint": true}, "want": set()},
		"adds": {"annotations": {"destructiveHint": false}, "want": {"harmless"}},
		"stays": {"annotations": {"openWorldHint": false}, "want": {"closed"}},
		"reaches out": {"annotations": {"openWorldHint": true}, "want": set()},
	}
	seen(annotated(case.annotations)) == case.want
}

test_annotations_of_an_unreviewed_tool_do_not_count if {
	facts := offered({"pinned": false, "annotations": {"readOnlyHint": true, "openWorldHint": false}})
	seen(facts) == set()
}

seen(facts) := {name |
	some name, holds in {
		"read_only": read_only(facts), "harmless": harmless(facts),
		"closed": closed(facts),
	}
	holds
}

default read_only(_) := false

read_only(facts) if tool.read_only with input as facts

default harmless(_) := false

harmless(facts) if tool.harmless with input as facts

default closed(_) := false

closed(facts) if tool.closed with input as facts
