import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { readAsked } from './pasted.js';

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const HEADER = part({ alg: 'ES256', typ: 'at+jwt' });
const OPAQUE = 'q9ZkVx2rT8mLw4Hn6Jp1Yc3Bd7Fs5Ga0Ue-Ri_Ot';

describe('what the console asks about a text', () => {
  it.each([
    'leon',
    'report-writer-at-crm-production-europe',
    'https://api.crm.corp.example',
    'U9vqWg-Lyx4cGDFd8ncDpg',
    'd6a7da6c-605d-4ead-b41f-1d825448db1f',
    'somebody.with.a.very.long.name@corp.example',
    '10.1.2.3',
  ])('%s is asked as it is', async (q) => {
    expect(await readAsked(` ${q} `)).toEqual({ by: 'text', q });
  });

  it('a JWT is asked by what it states', async () => {
    const jwt = `${HEADER}.${part({ iss: 'https://as.example', jti: 'ü1', sub: 'dana' })}.c2ln`;
    expect(await readAsked(jwt)).toEqual({ by: 'identity', iss: 'https://as.example', jti: 'ü1' });
    expect(await readAsked(`Bearer ${jwt}`)).toEqual({ by: 'identity', iss: 'https://as.example', jti: 'ü1' });
  });

  it('a JWT without jti is asked by the digest of its signing input', async () => {
    const input = `${HEADER}.${part({ iss: 'https://as.example', sub: 'dana' })}`;
    expect(await readAsked(`${input}.c2ln`)).toEqual({ by: 'digest', q: digest(input) });
  });

  it.each([OPAQUE, '0123456789abcdef0123456789abcdef', `rsc_${'a1b2c3d4'.repeat(4)}`])(
    'an opaque token is asked by its digest: %s',
    async (token) => {
      expect(await readAsked(token)).toEqual({ by: 'digest', q: digest(token) });
    },
  );

  it.each([`${HEADER}.`, `${HEADER}.${part({ iss: 'x' }).slice(0, -3)}`, `${HEADER}.${part({ iss: 'x', jti: 'y' })}`])(
    'part of a JWT is not asked at all: %s',
    async (text) => {
      expect((await readAsked(text)).by).toBe('nothing');
    },
  );
});
