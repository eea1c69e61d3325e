import { expect, it } from '@jest/globals';
import { createRuleIndex, selectorKeys } from '../../rules/index.js';
import { recordedKeys, recordKeys, versionOf, weightOf, type NewControlRecord } from './records.js';

const KEY = Buffer.alloc(32, 1);
const client = (id: string) => ({ iss: 'https://ras.example', client_id: id });
const recordOf = (others: number): NewControlRecord => {
  const selected = selectorKeys(
    KEY,
    { client: client('first') },
    others === 0 ? undefined : { client: Array.from({ length: others }, (_, at) => client(`c${at}`)) },
  );
  return {
    kind: 'rule.ordered',
    tenant: 't',
    subject: 'r',
    body: { id: 'r', ...recordKeys(selected) },
  } as unknown as NewControlRecord;
};

it.each([
  [0, 1, 1],
  [1, 2, 2],
  [3, 4, 2],
])('a rule of one selector and %i others weighs %i and is a record of version %i', (others, weight, version) => {
  const record = recordOf(others);
  expect(Math.round(weightOf(record))).toBe(weight);
  expect(versionOf(record)).toBe(version);
  const { shape, keys } = recordedKeys(record.body as never);
  expect([keys.length, new Set(keys).size, new Set(keys.map((key) => key.length)).size]).toEqual([weight, weight, 1]);
  const rules = createRuleIndex();
  for (const key of keys)
    rules.add({
      id: key,
      seq: 1n,
      selector: { shape, key },
      effect: 'block',
      before: 0,
      asOfOrder: false,
      reauthenticate: false,
    });
  expect(rules.size).toBe(weight);
});
