# METADATA
# title: Remote addresses the provider would fetch
# description: >-
#   A picture or file by address is fetched by the provider, so the address is on a public host that the tenant has
#   listed.
# custom:
#   on: always; `url_hosts`
#   needs: [request.urls]
package countersign.rules.hosts

import data.countersign.facts

# METADATA
# title: Private host
# description: Loopback, link-local and private addresses are refused whatever the tenant lists.
# custom:
#   rule: hosts.private
#   severity: critical
#   controls: ["owasp_asi:ASI02", "owasp_llm:LLM02"]
deny contains reason if {
	input.point == "model.request"
	some url in input.request.urls
	not public(url)
	reason := facts.reason(rego.metadata.rule(), "The request refers to a URL on a private host.", "/messages")
}

# METADATA
# title: Unlisted host
# description: >-
#   http and https URLs to the hosts of data.tenants[].url_hosts only. `*.example.com` stands for every host below
#   example.com, not for example.com itself.
# custom:
#   rule: hosts.unlisted
#   severity: high
#   controls: ["owasp_asi:ASI02", "owasp_llm:LLM02"]
deny contains reason if {
	input.point == "model.request"
	some url in input.request.urls
	not listed(url)
	reason := facts.reason(
		rego.metadata.rule(),
		"The request refers to a URL on a host this tenant has not listed.",
		"/messages",
	)
}

public(url) if url.private == false

listed(url) if {
	url.scheme in {"http", "https"}
	host := trim_suffix(lower(url.host), ".")
	some pattern in facts.parameters.url_hosts
	matches(pattern, host)
}

matches(pattern, host) if pattern == host

matches(pattern, host) if {
	startswith(pattern, "*.")
	endswith(host, trim_prefix(pattern, "*"))
}
