/**
 * JSON as the signatures of bundles hash it (openpolicyagent.org/docs/management-bundles#signature-format): members in
 * the order of their keys' bytes, no space, numbers as they were written, text as Go's encoder writes it.
 */
export function canonicalJson(text: string): string {
  JSON.parse(text);
  const tokens = text.match(TOKEN) ?? [];
  const [written] = write(tokens, 0, 0);
  return written;
}

const TOKEN = /[[\]{},:]|"(?:[^"\\]|\\.)*"|[^\s[\]{},:"]+/g;
const MAX_DEPTH = 256;

/** The value that begins at a token, and the token after it. The text is known to be JSON. */
function write(tokens: readonly string[], at: number, depth: number): [written: string, next: number] {
  if (depth > MAX_DEPTH) throw new TypeError(`expected at most ${MAX_DEPTH} levels of JSON`);
  const token = tokens[at] ?? '';
  if (token === '[') return writeList(tokens, at + 1, depth);
  if (token === '{') return writeObject(tokens, at + 1, depth);
  return [token.startsWith('"') ? writeText(token) : token, at + 1];
}

function writeList(tokens: readonly string[], start: number, depth: number): [string, number] {
  const items: string[] = [];
  let at = start;
  while (tokens[at] !== ']') {
    const [item, next] = write(tokens, at, depth + 1);
    items.push(item);
    at = tokens[next] === ',' ? next + 1 : next;
  }
  return [`[${items.join(',')}]`, at + 1];
}

function writeObject(tokens: readonly string[], start: number, depth: number): [string, number] {
  const members = new Map<string, string>();
  let at = start;
  while (tokens[at] !== '}') {
    const [value, next] = write(tokens, at + 2, depth + 1);
    members.set(String(JSON.parse(tokens[at] ?? '')), value);
    at = tokens[next] === ',' ? next + 1 : next;
  }
  const sorted = [...members].toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return [`{${sorted.map(([key, value]) => `${writeText(JSON.stringify(key))}:${value}`).join(',')}}`, at + 1];
}

function writeText(token: string): string {
  return JSON.stringify(JSON.parse(token)).replace(/[\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16)}`);
}
