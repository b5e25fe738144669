import { GO_SIGNATURES } from './verify-go.ts';
import { PYTHON_ENTRIES, PYTHON_FILES, PYTHON_VIEWS } from './verify-python.ts';

const FENCE = '```';

/** Part of VERIFY.md: the newest checkpoint, with nothing but openssl and a shell. */
const OPENSSL_CHECKPOINT = String.raw`WORK=$(mktemp -d)
KEY=$(printenv KEY || cat keys/checkpoint.vkey)
for NOTE in logs/*/checkpoint; do
  NAME=$(head -n 1 "$NOTE")
  test "$NAME" = "$(echo "$KEY" | cut -d + -f 1)" || continue
  sed '/^$/,$d' "$NOTE" > "$WORK/text"
  grep -F "— $NAME " "$NOTE" | head -n 1 | awk '{print $NF}' | base64 -d | tail -c 64 > "$WORK/signature"
  { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; echo "$KEY" | cut -d + -f 3- | base64 -d | tail -c 32; } > "$WORK/key.der"
  openssl pkey -pubin -inform DER -in "$WORK/key.der" -out "$WORK/key.pem"
  openssl pkeyutl -verify -pubin -inkey "$WORK/key.pem" -rawin -in "$WORK/text" -sigfile "$WORK/signature"
  CHECKED=$NOTE
done
echo "ok: signed checkpoint $CHECKED"`;

/** Part of VERIFY.md: what timestamp authorities said. */
const OPENSSL_TIMESTAMPS = String.raw`WORK=$(mktemp -d)
python3 - "$WORK" <<'PY'
import base64, glob, json, sys

for path in glob.glob('logs/*/anchors.jsonl'):
    notes = {}
    for line in open(path.replace('anchors', 'checkpoints'), encoding='utf-8'):
        note = json.loads(line)['note']
        notes[int(note.split('\n')[1])] = note
    for line in open(path, encoding='utf-8'):
        anchors = json.loads(line)
        for index, token in enumerate(anchors['timestamps']):
            name = f"{sys.argv[1]}/{path.split('/')[1][:8]}-{anchors['size']}-{index}"
            open(name + '.note', 'w', encoding='utf-8', newline='').write(notes[anchors['size']])
            open(name + '.tst', 'wb').write(base64.b64decode(token))
PY
for TOKEN in "$WORK"/*.tst; do
  test -e "$TOKEN" || { echo "no timestamps"; break; }
  NOTE=$(echo "$TOKEN" | sed 's/tst$/note/')
  if test -z "$(printenv TSA_CA)"; then echo "a timestamp, not checked: set TSA_CA"; continue; fi
  openssl ts -verify -token_in -in "$TOKEN" -data "$NOTE" -CAfile "$TSA_CA"
  openssl ts -reply -token_in -in "$TOKEN" -token_out -text 2> /dev/null | grep 'Time stamp:'
done`;

/** Written into every export as VERIFY.md. A test runs each of its code blocks as it stands. */
export const VERIFY_NOTE = `# How to check this folder

The short way needs our program, but no network, no database and no key:

    npx countersign ledger verify . --trust auditor.policy

The long way below needs nothing of ours: openssl, Python 3.8 and Go 1.21 or newer, each with what it comes with. Run the blocks in this folder with
bash, with \`set -euo pipefail\`. A block that finds something says \`FAILED\` or stops with an error, and ends with a status other
than 0. What every byte means is in docs/ledger-format.md of the product, completely enough to write another verifier.

## 1. Nothing in the folder was exchanged

\`manifest.json\` names every file but the tiles with its digest. Its own digest stands in the log it is about, in the next entry of kind \`export\`.

${FENCE}sh
${PYTHON_FILES}
${FENCE}

## 2. The entries are what was hashed, in order, none missing

For every line of \`logs/<log>/entries.jsonl\`: \`header\` is exact text, and SHA-256 of a zero byte and that text is the entry's hash and
the next header's \`prev\`. \`leaves\` are the hashes of the sections in a fixed order, their RFC 6962 root is \`body\`. A disclosed section
hashes to its leaf. The hashes are the leaves of an RFC 6962 tree, whose root every epoch and every checkpoint had right.

${FENCE}sh
${PYTHON_ENTRIES}
${FENCE}

## 3. The views show these entries and no others

Every row of \`views/entries.csv\` and every event of \`views/ocsf.jsonl\` is one entry, in their order; the numbers of \`completeness.json\`
are counted again. \`report.html\` shows the same numbers; our program makes it again and compares every byte.

${FENCE}sh
${PYTHON_VIEWS}
${FENCE}

## 4. Somebody signed for them

A key in a folder is no reason to believe it. Set \`KEY\` to the key of the log that you got another way (\`ledger status\` prints it, an
auditor keeps it), or compare \`keys/checkpoint.vkey\` with it.

${FENCE}sh
${OPENSSL_CHECKPOINT}
${FENCE}

All checkpoints, all receipts, and the tree from its tiles (c2sp.org/tlog-tiles). Set \`WITNESS\` to the key of a witness you believe, and its
signature on the newest checkpoint is checked too.

${FENCE}sh
${GO_SIGNATURES}
${FENCE}

## 5. Since when they exist

Set \`TSA_CA\` to a file with the certificate of the authority's CA, from the authority itself.

${FENCE}sh
${OPENSSL_TIMESTAMPS}
${FENCE}

## What this does not show

That recorded content is true, and that no call went around the gateway. That nothing was rewritten by an owner of the database and its
keys: as far as no witness and no timestamp authority you believe has seen a checkpoint. That the end of the log was not cut behind its
last epoch, where nothing refers to it: receipts that callers kept (response header \`x-countersign-receipt\`) name entries that must be
here. A line with \`erased\` names a key that was destroyed: an entry of kind \`erasure\` names it too, with the legal basis.
`;
