import { expect, test } from 'vitest';
import { publicPointer, readRemoteUrl } from '../../redaction/index.ts';
import { isBelow } from '../../redaction/pointer.ts';

const key = new Uint8Array(32).fill(1);

test.each([
  ['', ''],
  ['/messages/0/content', '/messages/0/content'],
  ['/messages/12/tool_calls/0/function/arguments#', '/messages/12/tool_calls/0/function/arguments#'],
  ['/messages/0/content/0/image_url/url#data', '/messages/0/content/0/image_url/url#data'],
])('publicPointer(%j) keeps what the protocol defines', (pointer, expected) => {
  expect(publicPointer(pointer, key)).toBe(expected);
  expect(publicPointer(pointer, null)).toBe(expected);
});

test.each(['/metadata/jane@example.com', '/4111111111111111', '/a~1b', '/x#jane', '/jane#data'])(
  'publicPointer(%j) hashes what the caller chose',
  (pointer) => {
    expect(publicPointer(pointer, key)).toMatch(/^(?:\/metadata)?\/~[0-9a-f]{8}(?:#data)?$/);
    expect(publicPointer(pointer, null)).toMatch(/^(?:\/metadata)?\/~(?:#data)?$/);
    expect(publicPointer(pointer, new Uint8Array(32))).not.toBe(publicPointer(pointer, key));
  },
);

test.each([
  ['/messages/0/content', '/messages', true],
  ['/messages/0/content', '/messages/*/content', true],
  ['/messages/0/content/1/text', '/messages/*/content', true],
  ['/messages/0/name', '/messages/*/content', false],
  ['/a/arguments#/x', '/a/arguments', true],
  ['/a/arguments#/x', '/a/arguments#/x', true],
  ['/messagesx', '/messages', false],
  ['/a', '/a/b', false],
  ['/a', '', true],
])('isBelow(%j, %j) is %j', (pointer, prefix, expected) => {
  expect(isBelow(pointer, prefix)).toBe(expected);
});

test.each([
  ['https://example.com/a.png', 'https', 'example.com', false],
  ['HTTPS://EXAMPLE.COM./a', 'https', 'example.com', false],
  ['https://8.8.8.8/', 'https', '8.8.8.8', false],
  ['https://[2606:4700::1111]/', 'https', '[2606:4700::1111]', false],
  ['http://localhost:8080', 'http', 'localhost', true],
  ['http://printer/', 'http', 'printer', true],
  ['http://a.local', 'http', 'a.local', true],
  ['http://db.prod.internal.', 'http', 'db.prod.internal', true],
  ['http://127.1/', 'http', '127.0.0.1', true],
  ['http://2130706433/', 'http', '127.0.0.1', true],
  ['http://0x7f.0.0.1/', 'http', '127.0.0.1', true],
  ['http://0177.0.0.1/', 'http', '127.0.0.1', true],
  ['http://10.1.2.3', 'http', '10.1.2.3', true],
  ['http://172.31.0.1', 'http', '172.31.0.1', true],
  ['http://172.32.0.1', 'http', '172.32.0.1', false],
  ['http://192.168.1.1', 'http', '192.168.1.1', true],
  ['http://169.254.169.254/latest/meta-data', 'http', '169.254.169.254', true],
  ['http://100.64.0.1', 'http', '100.64.0.1', true],
  ['http://[::1]/', 'http', '[::1]', true],
  ['http://[fd00::1]/', 'http', '[fd00::1]', true],
  ['http://[fe80::1]/', 'http', '[fe80::1]', true],
  ['http://[::ffff:10.0.0.1]/', 'http', '[::ffff:a00:1]', true],
  ['http://[64:ff9b::7f00:1]/', 'http', '[64:ff9b::7f00:1]', true],
  ['http://[2002:7f00:1::]/', 'http', '[2002:7f00:1::]', true],
  ['http://１２７.0.0.1/', 'http', '127.0.0.1', true],
  ['http://example.com@127.0.0.1/', 'http', '127.0.0.1', true],
  ['http://127.0.0.1@example.com/', 'http', 'example.com', true],
  ['http://example.com\\@127.0.0.1/', 'http', 'example.com', true],
  ['http://exam\tple.com/', 'http', 'example.com', true],
  ['file:///etc/passwd', 'file', '', true],
  ['ftp://example.com/', 'ftp', 'example.com', true],
  ['//example.com/a', '', '', true],
  ['nonsense', '', '', true],
])('readRemoteUrl(%j)', (text, scheme, host, isPrivate) => {
  expect(readRemoteUrl(text)).toEqual({ scheme, host, private: isPrivate });
});
