import { format, inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createLog } from '../log/index.js';
import { Secret } from './secret.js';

const VALUE = 'correct-horse-battery-staple';
const sut = new Secret(VALUE);

describe('Secret', () => {
  it('gives its value when asked', () => {
    expect(sut.reveal()).toBe(VALUE);
  });

  it.each([
    ['a template', () => `${sut}`],
    ['String()', () => String(sut)],
    ['concatenation', () => 'x' + (sut as unknown as string)],
    ['JSON', () => JSON.stringify({ deep: [sut] })],
    ['inspect', () => inspect({ deep: [sut] }, { showHidden: true, depth: 9 })],
    ['console formatting', () => format('%s %o %O %j', sut, sut, sut, sut)],
    ['own keys', () => JSON.stringify([Object.keys(sut), Object.entries(sut), Reflect.ownKeys(sut).map(String)])],
    ['a copy', () => JSON.stringify({ ...sut })],
    ['an error', () => new Error('refused', { cause: sut }).stack! + inspect(new Error('refused', { cause: sut }))],
  ])('does not reach %s', (_way, print) => {
    expect(print()).not.toContain(VALUE);
  });

  it('does not reach the log', () => {
    const lines: string[] = [];
    createLog({ level: 'info', destination: { write: (line) => lines.push(line) } }).info(
      { sut, deep: { sut } },
      `see ${sut}`,
    );
    expect(lines.join('')).toContain('[secret]');
    expect(lines.join('')).not.toContain(VALUE);
  });
});
