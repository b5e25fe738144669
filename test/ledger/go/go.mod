module countersign/test/ledger

go 1.26.0

require (
	github.com/transparency-dev/merkle v0.0.3-0.20260727102338-4491f478b7dc
	golang.org/x/mod v0.41.0
)
