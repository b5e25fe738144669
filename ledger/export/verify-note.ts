/** Written into every export. */
export const VERIFY_NOTE = `# How to check this folder

\`\`\`
npx countersign ledger verify .
\`\`\`

needs no network, no database and no key. The format is described in docs/ledger-format.md of the product, completely enough to
write another verifier. In short, for every line of \`logs/<log>/entries.jsonl\`:

1. \`header\` is exact text. SHA-256 of a zero byte and that text is the entry's hash, and the next header's \`prev\`.
2. \`leaves\` are the hashes of the entry's sections in a fixed order; their RFC 6962 root is \`body\` in the header.
3. A disclosed section hashes to its leaf: SHA-256 of a zero byte and \`["<salt>",<value in RFC 8785 form>]\`.
4. The hashes are the leaves of an RFC 6962 tree. \`epochs.jsonl\` beside the tenant's entries says which root it had at which size, and
   leads from there to an entry of kind \`epoch\` in the deployment's log; \`checkpoints.jsonl\` holds that log's signed checkpoints
   (c2sp.org/tlog-checkpoint). Compare the newest with one you kept, or with one of \`/ledger/checkpoint\`.

A line with \`erased\` names a key that was destroyed: an entry of kind \`erasure\` in the same log names it too, with the legal basis.

What this folder does not show: that the end of the log was not cut behind its last epoch, that nothing was rewritten by an owner of
the database and its keys (no outside anchor covers it), that recorded content is true, and that no call went around the gateway.
Receipts that callers kept (response header \`x-countersign-receipt\`) name entries that must be here.
`;
