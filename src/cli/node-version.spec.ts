import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { nodeProblem, SUPPORTED_RANGE } from './node-version.js';

it('agrees with package.json', () => {
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
  expect(engines.node).toBe(SUPPORTED_RANGE);
});

it.each(['v22.22.0', 'v22.30.1', 'v24.11.0', 'v24.21.0', 'v25.0.0', 'v26.1.0'])('runs on %s', (version) => {
  expect(nodeProblem(version)).toBeUndefined();
});

it.each(['v18.20.8', 'v20.19.0', 'v20.20.2', 'v21.7.3', 'v22.21.1', 'v23.11.0', 'v24.10.0'])(
  'refuses %s and says what to do',
  (version) => {
    const problem = nodeProblem(version);
    expect(problem).toContain(`this is Node ${version.slice(1)}: install`);
    expect(problem).not.toContain('\n');
  },
);
