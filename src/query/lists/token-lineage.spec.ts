import { expect, it } from '@jest/globals';
import type { StoredLineage } from '../../projections/index.js';
import { ruleKey, type RuleKey } from '../../rules/index.js';
import type { Reader } from '../ask/reader.js';
import { describeLineage } from './token-lineage.js';

const KEY = Buffer.alloc(32, 7);
const token = (jti: string): RuleKey => ruleKey(KEY, 'token', ['https://ras.example', jti]);
const idJag = (jti: string): RuleKey => ruleKey(KEY, 'id_jag', ['https://idp.example', jti]);
const reader = { source: (id: string) => ({ id, name: 'ras' }) } as Reader;
const common = { ix: 1n, seenSeq: 1n, source: 's', facts: {}, conflict: false, parentKey: undefined };

/** A token whose ID-JAG names the token's own parent: a walk finds the parent along both ways. */
const twice = (parent: readonly object[]): StoredLineage =>
  ({
    tokens: [
      { ...common, key: token('second'), idJagKey: idJag('j2'), parentKey: token('first') },
      ...parent,
      ...parent,
    ],
    idJags: [{ ...common, key: idJag('j2'), parentKey: token('first') }],
    complete: true,
    broken: false,
  }) as unknown as StoredLineage;

it('a parent that a token and its ID-JAG both name is shown once', () => {
  const shown = describeLineage(twice([{ ...common, key: token('first'), idJagKey: undefined }]), KEY, reader);
  expect(shown.tokens).toHaveLength(1);
  expect(shown.id_jags).toHaveLength(1);
  expect(shown.missing).toEqual([]);
});

it('so is one of which no event has come', () => {
  expect(describeLineage(twice([]), KEY, reader)).toMatchObject({ tokens: [], missing: [{ kind: 'token' }] });
});
