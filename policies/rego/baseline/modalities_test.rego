package countersign.rules.modalities_test

import data.countersign.facts_test.answer
import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.tenant
import data.countersign.rules.modalities

part(what) := {"what": what, "path": "/messages/0/content/1"}

test_refused[what] if {
	some what in ["image", "audio", "video", "file", "too_many", "too_large", "hologram"]
	count(modalities.deny) == 1 with input as changed("unscanned", [part(what)])
}

test_accepted[what] if {
	some what in ["image", "audio", "video", "file", "too_many", "too_large"]
	count(modalities.deny) == 0 with input as changed("unscanned", [part(what)])
		with data.tenants as tenant({"modalities": [what]})
}

test_another_is_still_refused if {
	denials := modalities.deny with input as changed("unscanned", [part("image"), part("audio")])
		with data.tenants as tenant({"modalities": ["image"]})
	some reason in denials
	reason.message == concat(" ", [
		"The part at /messages/0/content/1 could not be scanned (audio)",
		"and this tenant does not accept that.",
	])
}

test_remote_url_is_left_to_the_host_rules if {
	remote := changed("unscanned", [part("remote_url")])
	url := {"scheme": "https", "host": "example.com", "private": false}
	count(modalities.deny) == 0 with input as object.union(remote, {"request": {"urls": [url]}})
	count(modalities.deny) == 1 with input as remote
	count(modalities.deny) == 1 with input as remote with data.tenants as tenant({"modalities": ["remote_url"]})
}

unscanned_answer(what) := object.union(answer, {"unscanned": [part(what)]})

test_answer_refused[what] if {
	some what in ["image", "audio", "video", "file", "too_many", "too_large"]
	count(modalities.deny) == 1 with input as unscanned_answer(what)
}

test_answer_accepted[what] if {
	some what in ["image", "audio", "video", "file", "too_many", "too_large"]
	count(modalities.deny) == 0 with input as unscanned_answer(what)
		with data.tenants as tenant({"modalities": [what]})
}

test_url_in_an_answer_is_text if count(modalities.deny) == 0 with input as unscanned_answer("remote_url")

test_scanned if count(modalities.deny) == 0 with input as base

test_points[point] if {
	some point, denied in {"model.response": 1, "tool.call": 1, "tool.result": 1, "tools.list": 0, "admin.keys.list": 0}
	count(modalities.deny) == denied with input as object.union(changed("unscanned", [part("image")]), {"point": point})
}

test_urls_excuse_nothing_else if {
	urls := changed("request", {"urls": [{"scheme": "https", "host": "a.example", "private": false}]})
	count(modalities.deny) == 1 with input as object.union(urls, {"unscanned": [part("image")]})
}
