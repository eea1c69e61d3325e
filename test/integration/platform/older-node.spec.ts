import { spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { findNode20 } from '../../support/node-20.js';

const node20 = findNode20();
const named =
  node20 === undefined
    ? 'on an older Node (skipped: this machine has no Node 20, and NODE_20 names none)'
    : 'on an older Node';

(node20 === undefined ? it.skip : it)(`the command line says what to do ${named}`, () => {
  for (const command of [['serve'], ['demo'], ['--help'], []]) {
    const { status, stdout, stderr } = spawnSync(node20!, ['dist/cli/rescind.js', ...command], { encoding: 'utf8' });
    expect(stderr).toMatch(
      /^Rescind needs Node 22\.22 or Node 24\.11 or newer, and this is Node 20\.[\d.]+: install one from [^\n]+\n$/,
    );
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
  }
});
