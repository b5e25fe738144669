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
