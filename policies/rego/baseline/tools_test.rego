package countersign.rules.tools_test

import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.tenant
import data.countersign.rules.tools

offered := changed("tools", {"offered": [{"name": "shell"}, {"name": "search"}, {"name": "delete"}]})

test_stripped if {
	tools.obligations == {{"type": "strip_tools", "names": ["delete", "shell"]}} with input as offered
		with data.tenants as tenant({"strip_tools": ["shell", "delete", "absent"]})
}

test_nothing_to_strip if {
	count(tools.obligations) == 0 with input as offered
	count(tools.obligations) == 0 with input as base with data.tenants as tenant({"strip_tools": ["shell"]})
}

called(point, name, server) := object.union(base, {"point": point, "tools": {"call": {"name": name, "server": server}}})

listed := tenant({"tools": ["files/*", "search"]})

test_allow_list[note] if {
	some note, case in {
		"of the server": {"name": "read", "server": "files", "denied": 0},
		"by its name": {"name": "search", "server": "web", "denied": 0},
		"of another server": {"name": "read", "server": "mail", "denied": 1},
		"of no server": {"name": "read", "server": null, "denied": 1},
	}
	every point in ["tool.call", "tool.result"] {
		count(tools.deny) == case.denied with input as called(point, case.name, case.server) with data.tenants as listed
	}
	count(tools.deny) == 0 with input as called("model.request", case.name, case.server) with data.tenants as listed
}

test_without_a_list_no_tool_is_called if {
	denials := tools.deny with input as called("tool.call", "read", "files")
	some reason in denials
	reason.rule == "tools.allow_list"
	reason.message == "The tool read is not one this tenant may use."
	reason.path == "/tools/call"
}

test_hidden if {
	list := object.union(base, {"point": "tools.list", "tools": {"offered": [
		{"name": "read", "server": "files"}, {"name": "send", "server": "mail"}, {"name": "drop", "server": "db"},
	]}})
	tools.obligations == {{"type": "strip_tools", "names": ["drop", "send"]}} with input as list with data.tenants as listed
	tools.obligations == set() with input as list with data.tenants as tenant({"tools": ["*"]})
	tools.obligations == set() with input as object.union(list, {"point": "model.request"}) with data.tenants as listed
}

test_one_tool_is_enough if {
	one := changed("tools", {"offered": [{"name": "shell", "server": "host"}]})
	taken := {{"type": "strip_tools", "names": ["shell"]}}
	tools.obligations == taken with input as one with data.tenants as tenant({"strip_tools": ["shell"]})
	tools.obligations == taken with input as object.union(one, {"point": "tools.list"})
}

test_stripped_only_from_requests if {
	later := object.union(offered, {"point": "model.response"})
	count(tools.obligations) == 0 with input as later with data.tenants as tenant({"strip_tools": ["shell"]})
}
