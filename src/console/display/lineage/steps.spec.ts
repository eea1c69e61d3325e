import { expect, it } from '@jest/globals';
import type { Token } from '../../api/token.js';
import { stepsOf } from './steps.js';

const iss = 'https://as.example';
const idp = 'https://idp.example';
const source = { id: 'source', name: 'crm' };
const member = (id: string, facts: Token['facts']) => ({ id, index: '7', source, facts, conflict: false });
const J1 = member('j1', { iss: idp, jti: 'j1', sid: 's-1', resource: ['https://crm'] });
const J2 = member('j2', { iss: idp, jti: 'j2', sid: 's-1', parent: { iss, jti: 't1' } });
const T1 = member('t1', { iss, jti: 't1', iat: 1_800_000_000, id_jag: { iss: idp, jti: 'j1' }, aud: ['https://crm'] });

const tokenOf = (given: Partial<Token>): Token =>
  ({
    ...T1,
    lineage: { tokens: [], id_jags: [], missing: [], broken: false },
    exchanged: { items: [] },
    stopped_by: [],
    accesses: { count: 0, allowed: 0, denied: 0, first: null, last: null },
    ...given,
  }) as unknown as Token;
const shapeOf = (token: Token): string[] =>
  stepsOf(token).map(({ id, layer, from, isThis }) => `${layer} ${from.join('+')} > ${id}${isThis ? ' (this)' : ''}`);

it('begins with the sign-in, and goes over each ID-JAG to the token', () => {
  const second = { ...member('t2', { iss, jti: 't2', id_jag: { iss: idp, jti: 'j2' }, parent: { iss, jti: 't1' } }) };
  expect(
    shapeOf(tokenOf({ ...second, lineage: { tokens: [T1], id_jags: [J2, J1], missing: [], broken: false } } as never)),
  ).toEqual(['0  > sign-in', '1 sign-in > j1', '2 j1 > t1', '3 t1 > j2', '4 j2 > t2 (this)']);
});

it('puts a token behind its refresh token, which names the same ID-JAG', () => {
  const refreshed = member('t2', { iss, jti: 't2', id_jag: { iss: idp, jti: 'j1' }, parent: { iss, jti: 't1' } });
  expect(
    shapeOf(tokenOf({ ...refreshed, lineage: { tokens: [T1], id_jags: [J1], missing: [], broken: false } } as never)),
  ).toEqual(['0  > sign-in', '1 sign-in > j1', '2 j1 > t1', '3 t1 > t2 (this)']);
});

it('goes on with what came from the token, its uses and the rules that stop it', () => {
  const accesses = { count: 3, allowed: 2, denied: 1, last: null };
  const items = [
    { ...J2, kind: 'id_jag', came_from: 't1', accesses: { ...accesses, count: 0 }, stopped_by: [] },
    { ...member('t2', {}), kind: 'token', came_from: 'j2', accesses, stopped_by: [{ rule: 'r' }] },
  ];
  const steps = stepsOf(
    tokenOf({ exchanged: { items }, lineage: { tokens: [], id_jags: [J1], missing: [], broken: false } } as never),
  );
  expect(steps.map(({ id, layer }) => [id, layer])).toEqual([
    ['sign-in', 0],
    ['j1', 1],
    ['t1', 2],
    ['j2', 3],
    ['t2', 4],
  ]);
  expect(steps.at(-1)).toMatchObject({ accesses: { count: 3, denied: 1 }, stoppedBy: ['r'] });
  expect(steps[3]!.accesses).toBeUndefined();
  expect(steps[2]).toMatchObject({ name: 'https://crm', issuedAt: '2027-01-15T08:00:00.000Z', isThis: true });
});

it('ends where steps name one another in a circle', () => {
  const [one, other] = [
    member('t2', { iss, jti: 't2', parent: { iss, jti: 't1' } }),
    member('t1', { iss, jti: 't1', parent: { iss, jti: 't2' } }),
  ];
  const token = tokenOf({ ...other, lineage: { tokens: [one], id_jags: [], missing: [], broken: true } } as never);
  expect(
    stepsOf(token)
      .map(({ id }) => id)
      .sort(),
  ).toEqual(['t1', 't2']);
});
