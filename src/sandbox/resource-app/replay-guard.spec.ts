import { expect, it } from '@jest/globals';
import { createReplayGuard } from './replay-guard.js';

const idJag = { iss: 'https://idp.example', jti: 'j1', exp: 1_000 };

it('takes an ID-JAG once, per issuer', () => {
  const sut = createReplayGuard(() => 0);
  expect(sut.use(idJag)).toBe(true);
  expect(sut.use(idJag)).toBe(false);
  expect(sut.use({ ...idJag, iss: 'https://other.example' })).toBe(true);
});

it('takes it again after a release', () => {
  const sut = createReplayGuard(() => 0);
  sut.use(idJag);
  sut.release(idJag);
  expect(sut.use(idJag)).toBe(true);
});

it('remembers it beyond exp, for as long as a skewed clock would accept it, and then forgets', () => {
  let nowMs = 0;
  const sut = createReplayGuard(() => nowMs);
  sut.use(idJag);
  nowMs = (idJag.exp + 5) * 1000;
  expect(sut.use(idJag)).toBe(false);
  nowMs = (idJag.exp + 61) * 1000;
  expect(sut.use(idJag)).toBe(true);
});
