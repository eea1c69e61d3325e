import { describe, expect, it } from '@jest/globals';
import { createPrinter, DemoFailure } from './printer.js';

function record(isTTY: boolean): { text(): string; out: { write(text: string): void; isTTY: boolean } } {
  let text = '';
  return { text: () => text, out: { isTTY, write: (part) => void (text += part) } };
}

describe('printer', () => {
  it('numbers steps, hands on their results and says how long they took, without colour where nobody sees it', async () => {
    const { out, text } = record(false);
    const sut = createPrinter(out);
    expect(await sut.step('First', async () => 'a')).toBe('a');
    await sut.step('Second', async () => undefined);
    expect(text()).toMatch(/^ {2}1 {2}First +\d+(\.\d)? ms\n {2}2 {2}Second +\d+(\.\d)? ms\n$/);
    expect(text()).not.toContain('\u001b');
  });

  it('counts what held, and throws where it did not', () => {
    const { out, text } = record(false);
    const sut = createPrinter(out);
    sut.check(true, 'refused: 401');
    expect(sut.checks).toBe(1);
    expect(text()).toBe('     ✓ refused: 401\n');
    expect(() => sut.check(false, 'served: 200')).toThrow(DemoFailure);
  });

  it('names the step that failed', async () => {
    const { out, text } = record(false);
    await expect(createPrinter(out).step('Third', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(text()).toBe('  1  Third  failed\n');
  });

  it('aligns tables', () => {
    const { out, text } = record(false);
    createPrinter(out).table(
      ['who', 'what'],
      [
        ['alice', 'read'],
        ['bob', 'export'],
      ],
    );
    expect(text()).toBe('     who    what\n     alice  read\n     bob    export\n');
  });

  it('uses colour on a terminal unless told not to', () => {
    const { out, text } = record(true);
    const before = process.env['NO_COLOR'];
    try {
      process.env['NO_COLOR'] = '1';
      createPrinter(out).section('x');
      expect(text()).not.toContain('\u001b');
    } finally {
      if (before === undefined) delete process.env['NO_COLOR'];
      else process.env['NO_COLOR'] = before;
    }
  });
});
