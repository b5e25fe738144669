import { describe, expect, test } from 'vitest';
import { newTiles } from '../../../ledger/anchor/archive.ts';
import { signRequest } from '../../../ledger/anchor/s3.ts';
import { tilePath } from '../../../ledger/tree/tile.ts';

const KEY = { region: 'us-east-1', accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }; // prettier-ignore

describe('AWS Signature Version 4', () => {
  // The "PUT Object" example of the Amazon S3 API reference, "Signature Calculations for the Authorization Header".
  test('signs the example of the specification', () => {
    const request = {
      method: 'PUT',
      url: 'https://examplebucket.s3.amazonaws.com/test%24file.text',
      headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      body: Buffer.from('Welcome to Amazon S3.'),
    };
    const { authorization } = signRequest(request, KEY, Date.UTC(2013, 4, 24));
    expect(authorization).toContain('Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request');
    expect(authorization).toContain('SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class');
    expect(authorization).toContain('Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd');
  });

  // "Get Bucket (List Objects)" and "GET Object" of the same page.
  test.each([
    ['/?max-keys=2&prefix=J', {}, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
    ['/test.txt', { range: 'bytes=0-9' }, 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'],
  ])('signs a request for %s', (path, headers, signature) => {
    const url = `https://examplebucket.s3.amazonaws.com${path}`;
    const { authorization } = signRequest(
      { method: 'GET', url, headers, body: new Uint8Array() },
      KEY,
      Date.UTC(2013, 4, 24),
    );
    expect(authorization).toContain(`Signature=${signature}`);
  });
});

describe('tiles to copy', () => {
  const paths = (copied: number, size: number): string[] => [...newTiles(copied, size)].map(tilePath);

  test.each([
    [0, 1, ['0/000.p/1']],
    [1, 3, ['0/000.p/3']],
    [3, 3, []],
    [250, 256, ['0/000', '1/000.p/1']],
    [256, 260, ['0/001.p/4']],
    [260, 600, ['0/001', '0/002.p/88', '1/000.p/2']],
    [
      600,
      65_536,
      [...Array.from({ length: 254 }, (_, i) => `0/${String(i + 2).padStart(3, '0')}`), '1/000', '2/000.p/1'],
    ],
  ])('from %d leaves to %d', (copied, size, expected) => {
    expect(paths(copied, size)).toEqual(expected);
  });
});
