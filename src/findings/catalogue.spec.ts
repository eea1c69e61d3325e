import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { DETECTIONS, KINDS, SEVERITIES } from './index.js';

const README = readFileSync(new URL('README.md', import.meta.url), 'utf8');
/** Kinds that no rule stops, with the reason. */
const NOT_STOPPED: Readonly<Record<string, string>> = {
  'source-trouble': 'a source is put right by whoever runs it',
  'idle-rule': 'it is about a rule',
  administration: 'administrators of Rescind are callers, which no rule selects',
};

describe('the catalogue of detections', () => {
  it('has each kind once, in the order of the kinds', () => {
    expect(DETECTIONS.map(({ kind }) => kind)).toEqual([...KINDS]);
  });

  it.each(DETECTIONS.map((detection) => [detection.kind, detection] as const))(
    '%s: a row with its severity, texts for people, and a rule that stops it or a reason why none does',
    (kind, { severity, means, next, looks, stop }) => {
      const row = README.split('\n').find((line) => line.startsWith(`| \`${kind}\` |`));
      expect(row?.split('|')[2]?.trim()).toBe(severity);
      expect(SEVERITIES).toContain(severity);
      for (const text of [means, next, looks]) expect(text).toMatch(/^[A-Z].{20,}\.$/s);
      expect(stop.length === 0).toBe(kind in NOT_STOPPED);
    },
  );
});
