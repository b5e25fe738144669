/** Part of VERIFY.md: digests of the files, with nothing but Python's standard library. */
export const PYTHON_FILES = String.raw`python3 - <<'PY'
import hashlib, json, os, re, sys

manifest = json.load(open('manifest.json', encoding='utf-8'))
for path, expected in manifest['files'].items():
    digest, size = hashlib.sha256(), 0
    with open(path, 'rb') as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
    if digest.hexdigest() != expected['sha256'] or size != expected['bytes']:
        sys.exit(f'FAILED: {path} is not the file that was written')
print(f"ok: {len(manifest['files'])} files are the ones that were written")
for folder, _, names in os.walk('.'):
    for name in names:
        path = os.path.relpath(os.path.join(folder, name), '.').replace(os.sep, '/')
        if path != 'manifest.json' and path not in manifest['files'] and not re.fullmatch(r'logs/[0-9a-f]{64}/tile/[0-9a-z/.]+', path):
            print(f'not part of the export: {path!r}')
PY`;

/** Part of VERIFY.md: the views and the statement, counted again. */
export const PYTHON_VIEWS = String.raw`python3 - <<'PY'
import collections, csv, json, re, sys

def fail(where, problem):
    sys.exit(f'FAILED: {where}: {problem}')

def text(value):
    return value[:200] if isinstance(value, str) else 'none'

csv.field_size_limit(1 << 30)
manifest = json.load(open('manifest.json', encoding='utf-8'))
stated = json.load(open('completeness.json', encoding='utf-8'))
rows = csv.DictReader(open('views/entries.csv', encoding='utf-8', newline=''))
events = map(json.loads, open('views/ocsf.jsonl', encoding='utf-8'))
found = collections.Counter(entries=0, open=0, unknown=0, erased=0, booked=0)
names = {'kinds': collections.Counter(), 'effects': collections.Counter(), 'statuses': collections.Counter()}
opened = set()
for log in manifest['logs']:
    if (log['role'] == 'deployment') != (manifest['tenant'] == '_deployment'):
        continue
    for line in map(json.loads, open(f"logs/{log['log']}/entries.jsonl", encoding='utf-8')):
        header, facts = json.loads(line['header']), line['sections']['facts']['value']
        place = (log['log'], header['seq'], line['hash'])
        row, event = next(rows, None), next(events, {}).get('unmapped')
        if not row or (row['log'], int(row['seq']), row['hash']) != place or json.loads(row['facts']) != facts:
            fail('views/entries.csv', f'its row is not entry {place[1]}')
        if not event or (event['log'], event['seq'], event['hash']) != place or event['facts'] != facts:
            fail('views/ocsf.jsonl', f'its event is not entry {place[1]}')
        ledger = facts.get('ledger') or {}
        names['kinds'][header['kind']] += 1
        found['entries'] += 1
        found['erased'] += 'erased' in line
        if header['kind'] == 'decision':
            names['effects'][text(facts.get('effect'))] += 1
            if ledger.get('open') is True:
                opened.add(header['call'])
        if header['kind'] in ('outcome', 'late_outcome'):
            opened.discard(header['call'])
            names['statuses'][text(facts.get('status'))] += 1
            found['unknown'] += facts.get('status') == 'unknown'
            if re.fullmatch('[0-9]{1,20}', ledger.get('booked_nusd', '')):
                found['booked'] += int(ledger['booked_nusd'])
if next(rows, None) or next(events, None):
    fail('views', 'there are more rows than entries')
found['open'] = len(opened)
for name in ('entries', 'open', 'unknown', 'erased'):
    if stated[name] != found[name]:
        fail('completeness.json', f'{name} should be {found[name]}')
if int(stated['booked_nusd']) != found['booked']:
    fail('completeness.json', f"booked_nusd should be {found['booked']}")
for name, counts in names.items():
    if len(counts) < 1000 and stated[name] != counts:
        fail('completeness.json', f'{name} should be {dict(counts)}')
print(f"ok: the views show {found['entries']} entries, and the statement counts them right")
PY`;

/** Part of VERIFY.md: every entry, its sections, the chain, the trees, the epochs. */
export const PYTHON_ENTRIES = String.raw`python3 - <<'PY'
import base64, hashlib, json, os, sys

SECTIONS = {
    'decision': ['facts', 'subject', 'request', 'input', 'findings', 'content'],
    'outcome': ['facts', 'outcome', 'findings', 'content'],
    'late_outcome': ['facts', 'outcome', 'findings', 'content'],
}
MEMBERS = ['body', 'call', 'inc', 'kind', 'log', 'prev', 'seq', 't', 'v', 'wid', 'wseq']

def fail(where, problem):
    sys.exit(f'FAILED: {where}: {problem}')

def canonical(value):
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode('utf-16-be', 'surrogatepass'))
        return '{' + ','.join(canonical(name) + ':' + canonical(value[name]) for name in names) + '}'
    if isinstance(value, list):
        return '[' + ','.join(canonical(each) for each in value) + ']'
    return json.dumps(value, ensure_ascii=False)

def sha(*parts):
    return hashlib.sha256(b''.join(parts)).digest()

def leaf(text):
    return sha(b'\x00', text.encode('utf-8'))

def node(left, right):
    return sha(b'\x01', left, right)

class Tree:
    # What RFC 6962 needs of the leaves so far: the roots of the complete subtrees, largest first.
    def __init__(self, size=0, peaks=()):
        self.size, self.peaks = size, list(peaks)

    def add(self, hashed):
        rest = self.size
        while rest & 1:
            hashed, rest = node(self.peaks.pop(), hashed), rest >> 1
        self.peaks.append(hashed)
        self.size += 1

    def root(self):
        root = self.peaks[-1] if self.peaks else sha()
        for peak in reversed(self.peaks[:-1]):
            root = node(peak, root)
        return root

def root_of(leaves):
    tree = Tree()
    for each in leaves:
        tree.add(each)
    return tree.root()

def included(hashed, index, size, path):
    # RFC 9162, 2.1.3.2: the root that the path leads to.
    last = size - 1
    for other in path:
        if index & 1 or index == last:
            hashed = node(other, hashed)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            hashed = node(hashed, other)
        index, last = index >> 1, last >> 1
    return hashed if last == 0 else None

def continues(old_size, old_root, size, root, path):
    # RFC 9162, 2.1.4.2: is the tree of old_size the beginning of the tree of size?
    if old_size == size:
        return not path and old_root == root
    index, last = old_size - 1, size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    path = list(path) if index else [old_root] + list(path)
    old, new = path[0], path[0]
    for other in path[1:]:
        if index & 1 or index == last:
            old, new = node(other, old), node(other, new)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            new = node(new, other)
        index, last = index >> 1, last >> 1
    return last == 0 and old == old_root and new == root

def lines(path):
    with open(path, encoding='utf-8') as file:
        for line in file:
            yield json.loads(line)

def unhex(texts):
    return [bytes.fromhex(text) for text in texts]

epochs = {}
state = {'prev': '0' * 64}

def heads(log, folder):
    # What others committed to: (size, root, who says so).
    if log['role'] == 'deployment':
        for line in lines(f'{folder}/checkpoints.jsonl'):
            origin, size, root = line['note'].split('\n')[:3]
            if origin != f"{log['origin']}/{log['inc']}":
                fail(folder, 'a checkpoint of another log')
            yield int(size), base64.b64decode(root), f'the checkpoint of size {size}'
        return
    for line in lines(f'{folder}/epochs.jsonl'):
        bound = {'log': log['log'], 'nonce': line['nonce'], 'root': line['root'], 'size': line['size'], 'slot': log['slot']}
        epoch = epochs.get(line['epoch']) or fail(folder, f"epoch {line['epoch']} is not in the deployment's log")
        if included(leaf(canonical(bound)), log['slot'], epoch['slots'], unhex(line['path'])) != bytes.fromhex(epoch['root']):
            fail(folder, f"epoch {line['epoch']} does not bind this head")
        yield line['size'], bytes.fromhex(line['root']), f"epoch {line['epoch']}"

def check_entry(log, line, where, seq, prev):
    header = json.loads(line['header'])
    if canonical(header) != line['header'] or sorted(header) != MEMBERS:
        fail(where, 'the header is not canonical')
    if leaf(line['header']).hex() != line['hash']:
        fail(where, 'the hash is not the hash of the header')
    if (header['log'], header['inc'], header['seq']) != (log['log'], log['inc'], seq):
        fail(where, 'it stands at another place than its header says')
    if header['prev'] != prev:
        fail(where, 'it does not link to the entry before')
    names = SECTIONS.get(header['kind'], ['facts', 'detail'])
    if len(line['leaves']) != len(names) or root_of(unhex(line['leaves'])).hex() != header['body']:
        fail(where, 'its section hashes do not add up to its body')
    if log['role'] == 'tenant' and 'facts' not in line['sections']:
        fail(where, 'its facts are missing')
    for name, section in line['sections'].items():
        text = section['text'] if 'text' in section else canonical(section['value'])
        if leaf('["' + section['salt'] + '",' + text + ']').hex() != line['leaves'][names.index(name)]:
            fail(where, f'section {name} is not what was committed to')
    return header

def note_epoch(line, where):
    facts = line['sections']['facts']['value']
    if facts['epoch'] != len(epochs) or facts['prev'] != state['prev']:
        fail(where, 'it does not follow the epoch before')
    epochs[facts['epoch']] = facts
    state['prev'] = line['hash']

# A call that is open when its log is ended is closed in the one that goes on from it.
opened = set()

def check_log(log, manifest):
    folder = f"logs/{log['log']}"
    if sha(canonical([log['origin'], log['slot'], log['nonce']]).encode('utf-8')).hex() != log['log']:
        fail(folder, 'the log id is not the hash of what it is made of')
    part = next(lines(f'{folder}/range.json')) if os.path.exists(f'{folder}/range.json') else None
    seq, prev = log['first'], part['prev'] if part else '0' * 64
    tree, cover = Tree(seq, unhex(part['peaks']) if part else ()), None
    bound = heads(log, folder)
    due = next(bound, None)
    for line in lines(f'{folder}/entries.jsonl'):
        where = f'{folder}, entry {seq}'
        while due and due[0] <= tree.size:
            due = compare(due, tree, where, bound)
        header = check_entry(log, line, where, seq, prev)
        if header['kind'] == 'epoch':
            note_epoch(line, where)
        ledger = line['sections'].get('facts', {}).get('value', {}).get('ledger', {})
        if log['role'] == 'tenant' and header['kind'] == 'decision' and ledger.get('open'):
            opened.add(header['call'])
        if header['kind'] == 'outcome':
            opened.discard(header['call'])
        tree.add(leaf(line['header']))
        seq, prev = seq + 1, line['hash']
    while due and due[0] <= tree.size:
        due = compare(due, tree, folder, bound)
    if due and part and part['cover'] and continues(tree.size, tree.root(), due[0], due[1], unhex(part['cover']['path'])):
        due = None
    if due:
        fail(folder, f'{due[2]} bound {due[0]} entries, and they are not here as it bound them')
    if seq - log['first'] != log['entries'] or (log['entries'] and prev != log['head']):
        fail(folder, 'it does not end where the manifest says')
    print(f"ok: {log['entries']} entries of {log['role']} log {log['log']}")

def compare(due, tree, where, bound):
    if due[0] != tree.size or due[1] != tree.root():
        fail(where, f'the entries before are not what {due[2]} bound')
    return next(bound, None)

manifest = json.load(open('manifest.json', encoding='utf-8'))
for each in sorted(manifest['logs'], key=lambda log: (log['role'], log['inc'])):
    check_log(each, manifest)
if not opened <= set(manifest['open_calls']):
    fail('manifest.json', 'a call without an outcome is not listed as open')
PY`;
