import { beforeEach, describe, expect, it } from '@jest/globals';
import { createLog } from '../platform/log/index.js';
import { createMetrics, type Metrics } from '../platform/observe/index.js';
import { createRecorder, type Recorder } from './outcomes.js';

let metrics: Metrics;
let lines: string[];
let sut: Recorder;
beforeEach(() => {
  metrics = createMetrics();
  lines = [];
  sut = createRecorder({
    metrics,
    log: createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } }),
  });
});

const series = async (name: string): Promise<number> => {
  const line = (await metrics.text()).split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? Number.NaN : Number(line.slice(name.length + 1));
};
const counted = (outcome: string): Promise<number> => series(`rescind_introspections_total{outcome="${outcome}"}`);
const found = (finding: string): Promise<number> =>
  series(`rescind_introspection_findings_total{finding="${finding}"}`);
const context = (over: object = {}) => ({ tenant: 'acme', caller: 'chat-api', digest: 'd-1', ...over });

describe('a recorder', () => {
  it('counts every call by what became of it', async () => {
    for (const outcome of ['active', 'active', 'undecided', 'unauthenticated', 'invalid-request', 'too-large'] as const)
      sut.count(outcome);
    sut.refused('expired', context());
    expect([await counted('active'), await counted('undecided'), await counted('expired')]).toEqual([2, 1, 1]);
    expect(lines).toEqual([]);
  });

  it('starts every finding at zero, and nothing that is none', async () => {
    for (const finding of ['mismatch', 'conflict', 'lineage-contradictory', 'lineage-broken'])
      expect(await found(finding)).toBe(0);
    expect(await found('expired')).toBeNaN();
  });

  it('tells a finding once a text, and counts each refusal', async () => {
    for (let nth = 0; nth < 3; nth++) sut.refused('mismatch', context());
    expect([await counted('mismatch'), await found('mismatch'), lines.length]).toEqual([3, 1, 1]);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      finding: 'mismatch',
      tenant: 'acme',
      caller: 'chat-api',
      sha256: 'd-1',
    });
  });

  it.each<[string, object, 'mismatch' | 'conflict']>([
    ['another text', { digest: 'd-2' }, 'mismatch'],
    ['another tenant', { tenant: 'other' }, 'mismatch'],
    ['another finding', {}, 'conflict'],
  ])('tells %s as well', async (_, over, finding) => {
    sut.refused('mismatch', context());
    sut.refused(finding, context(over));
    expect(lines).toHaveLength(2);
  });
});
