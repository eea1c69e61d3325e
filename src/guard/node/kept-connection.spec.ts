import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { openKeptConnection } from './kept-connection.js';

it('trusts no certificate that nobody vouches for', async () => {
  const [cert, key] = ['cert', 'key'].map((name) =>
    readFileSync(`test/integration/registry/tls/localhost-${name}.pem`),
  );
  let asked = 0;
  const server = createServer({ cert, key }, (_, response) => {
    asked++;
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const post = (await openKeptConnection('https:'))!;
    const url = new URL(`https://localhost:${(server.address() as AddressInfo).port}/feed/lease`);
    await expect(post(url, {}, '{}', new AbortController().signal)).rejects.toMatchObject({
      code: expect.stringMatching(/CERT|SELF_SIGNED/),
    });
    expect(asked).toBe(0);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});
