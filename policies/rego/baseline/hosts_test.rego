package countersign.rules.hosts_test

import data.countersign.facts_test.base
import data.countersign.facts_test.changed
import data.countersign.facts_test.tenant
import data.countersign.rules.hosts

url(scheme, host, private) := {"scheme": scheme, "host": host, "private": private}

with_url(one) := changed("request", {"urls": [one]})

rules(reasons) := {reason.rule | some reason in reasons}

listed := tenant({"url_hosts": ["img.example.com", "*.cdn.example.com", "10.0.0.1"]})

test_hosts[note] if {
	some note, case in {
		"listed": {"url": url("https", "img.example.com", false), "want": set()},
		"http": {"url": url("http", "img.example.com", false), "want": set()},
		"letters and dot": {"url": url("https", "IMG.Example.com.", false), "want": set()},
		"below the star": {"url": url("https", "a.b.cdn.example.com", false), "want": set()},
		"star itself": {"url": url("https", "cdn.example.com", false), "want": {"hosts.unlisted"}},
		"only looks like it": {"url": url("https", "evilcdn.example.com", false), "want": {"hosts.unlisted"}},
		"longer than listed": {"url": url("https", "evilimg.example.com", false), "want": {"hosts.unlisted"}},
		"prefix": {"url": url("https", "img.example.com.evil.org", false), "want": {"hosts.unlisted"}},
		"another": {"url": url("https", "example.com", false), "want": {"hosts.unlisted"}},
		"scheme": {"url": url("ftp", "img.example.com", false), "want": {"hosts.unlisted"}},
		"private although listed": {"url": url("https", "10.0.0.1", true), "want": {"hosts.private"}},
		"private not told": {"url": {"scheme": "https", "host": "img.example.com"}, "want": {"hosts.private"}},
	}
	denials := hosts.deny with input as with_url(case.url) with data.tenants as listed
	rules(denials) == case.want
}

test_no_list if {
	denials := hosts.deny with input as with_url(url("https", "img.example.com", false))
	rules(denials) == {"hosts.unlisted"}
}

test_no_urls if count(hosts.deny) == 0 with input as base

test_only_at_the_request if {
	later := object.union(with_url(url("ftp", "10.0.0.1", true)), {"point": "model.response"})
	count(hosts.deny) == 0 with input as later
}

test_messages if {
	denials := hosts.deny with input as with_url(url("ftp", "10.0.0.1", true))
	{reason.message | some reason in denials} == {
		"The request refers to a URL on a private host.",
		"The request refers to a URL on a host this tenant has not listed.",
	}
}
