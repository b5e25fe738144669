# What the mutants of the rules showed no other test asked: the narrow side of conditions that only some inputs reach.
package countersign.boundaries_test

import data.countersign.facts_test.answer
import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.tenant
import data.countersign.main
import data.countersign.rules.hosts
import data.countersign.rules.modalities
import data.countersign.rules.tools

# Without a star a pattern is one host, not the end of others.
test_host_that_ends_like_a_listed_one if {
	urls := [{"scheme": "https", "host": "evilimg.example.com", "private": false}]
	denials := hosts.deny with input as changed("request", {"urls": urls})
		with data.tenants as tenant({"url_hosts": ["img.example.com"]})
	count(denials) == 1
}

# A named tool does not make facts about a model call complete.
test_model_call_without_a_model_that_names_a_tool if {
	input_without_model := object.union(base, {"model": null, "tools": {"call": {"name": "search"}}})
	some reason in main.deny with input as input_without_model
	reason.rule == "main.input"
}

# Addresses in a request accept nothing but remote addresses.
test_image_beside_an_address if {
	urls := [{"scheme": "https", "host": "img.example.com", "private": false}]
	facts := object.union(changed("request", {"urls": urls}), {"unscanned": [{"what": "image", "path": "/messages/0"}]})
	count(modalities.deny) == 1 with input as facts
}

test_one_tool_is_stripped if {
	one := changed("tools", {"offered": [{"name": "shell"}]})
	tools.obligations == {{"type": "strip_tools", "names": ["shell"]}} with input as one
		with data.tenants as tenant({"strip_tools": ["shell"]})
}

test_nothing_is_stripped_from_an_answer if {
	one := object.union(answer, {"tools": {"offered": [{"name": "shell"}]}})
	count(tools.obligations) == 0 with input as one with data.tenants as tenant({"strip_tools": ["shell"]})
}

test_one_unlisted_tool_is_hidden if {
	one := object.union(base, {"point": "tools.list", "tools": {"offered": [{"name": "shell", "server": "files"}]}})
	tools.obligations == {{"type": "strip_tools", "names": ["shell"]}} with input as one
}
