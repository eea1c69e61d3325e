import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { findTool } from '../../support/tools.js';

const execute = promisify(execFile);
const ALERTS = 'docker/prometheus/alerts.yml';
const RULE_TESTS = 'docker/prometheus/alerts.test.yml';
const promtool = findTool('promtool');
const withPromtool = promtool === undefined ? it.skip : it;

describe('the alert rules', () => {
  withPromtool('are read by Prometheus, with its configuration', async () => {
    expect((await execute(promtool!, ['check', 'config', 'docker/prometheus/prometheus.yml'])).stdout).toMatch(
      /SUCCESS: \d+ rules found/,
    );
  });

  withPromtool('fire at the first failure, as Prometheus evaluates them, and not before', async () => {
    expect((await execute(promtool!, ['test', 'rules', RULE_TESTS])).stdout).toMatch(/^ {2}SUCCESS$/m);
  });

  it('have a rule test each if they wake somebody', async () => {
    const pages = (await readFile(ALERTS, 'utf8'))
      .split(/^ {6}- alert: /m)
      .slice(1)
      .filter((alert) => alert.includes('severity: page'));
    const names = pages.map((alert) => /^\w+/.exec(alert)![0]);
    const tests = await readFile(RULE_TESTS, 'utf8');
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !tests.includes(`alertname: ${name}\n`))).toEqual([]);
  });
});
