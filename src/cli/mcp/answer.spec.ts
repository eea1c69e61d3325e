import { describe, expect, it } from '@jest/globals';
import { RequestFailed } from '../client.js';
import { createLocalTime } from '../local-time.js';
import { questionsOf } from '../question/questions.js';
import { UsageError } from '../terminal.js';
import { failureOf, MAX_DATA_LENGTH, MAX_TEXT_LENGTH, plainResult, resultOf } from './answer.js';

const item = {
  type: 'object',
  properties: { name: { type: 'string' }, tags: { type: 'array', items: { type: 'string' } } },
};
const { questions, schemas } = questionsOf({
  paths: {
    '/v1/things': {
      get: {
        summary: 'Things',
        responses: {
          200: {
            content: {
              'application/json': {
                schema: { properties: { items: { type: 'array', items: item }, next: { type: 'string' } } },
              },
            },
          },
        },
      },
    },
  },
});
const write = (answer: Record<string, unknown>) => resultOf(schemas, createLocalTime('UTC'), questions[0]!, answer);
const textOf = ({ content }: { content: { text: string }[] }): string => content[0]!.text;

describe('the answer of a tool', () => {
  it('is the answer of the API, with a short text', () => {
    const { structuredContent, ...sut } = write({ items: [{ name: 'wiki', tags: ['a', 'b'] }], next: 'c1' });
    expect(structuredContent).toEqual({ items: [{ name: 'wiki', tags: ['a', 'b'] }], next: 'c1' });
    expect(textOf(sut)).toBe(
      'NAME  TAGS\nwiki  a, b\n\nThere are more items: ask again with the same arguments and `cursor` = c1',
    );
  });

  it.each([
    ['many items', { items: Array.from({ length: 5_000 }, (_, at) => ({ name: `thing ${at}`, tags: [] })) }, 'items'],
    [
      'a long list in each item',
      { items: Array.from({ length: 30 }, () => ({ name: 'x', tags: Array.from({ length: 900 }, () => 'tag') })) },
      'items.tags',
    ],
  ])('is bounded and says what it leaves out: %s', (_, answer, list) => {
    const sut = write({ ...answer, next: 'c1' });
    expect(JSON.stringify(sut.structuredContent).length).toBeLessThanOrEqual(MAX_DATA_LENGTH);
    expect(textOf(sut).length).toBeLessThan(MAX_TEXT_LENGTH + 1_000);
    expect(textOf(sut)).toMatch(new RegExp(`of \`${list}\` it shows \\d+ of \\d+\\.`));
    expect(textOf(sut)).toContain('`cursor` = c1');
  });

  it('is nothing but a sentence if a single value is longer than all of it may be', () => {
    const sut = write({ items: [{ name: 'x'.repeat(MAX_DATA_LENGTH) }] });
    expect(sut.structuredContent).toEqual({});
    expect(textOf(sut)).toContain('too long');
  });

  it('has no control character and no invisible one, in names, values or text', () => {
    const name = 'eve\u001b[2J\u{e0041}\u202e\r\u0000';
    const shown = String.raw`eve\u{1b}[2J\u{e0041}\u{202e}\u{d}\u{0}`;
    const sut = write({ items: [{ name, tags: [name] }], [name]: name });
    expect(sut.structuredContent).toEqual({ items: [{ name: shown, tags: [shown] }], [shown]: shown });
    expect(textOf(sut)).not.toMatch(/[\p{Cf}]|[^\P{Cc}\n]/u);
    expect(textOf(plainResult(`a,${name}\nb`))).toBe(`a,${shown}\nb`);
  });
});

describe('a refusal', () => {
  it('has the code and the detail of the service', () => {
    const problem = {
      type: 'about:blank',
      status: 404,
      title: 'Not found',
      detail: 'no such\u001b thing',
      code: 'not-found',
    };
    const sut = failureOf(new RequestFailed('not-found', 'not-found: no such\u001b thing', 'http://x', problem));
    expect(sut).toEqual({
      isError: true,
      content: [{ type: 'text', text: String.raw`not-found: no such\u{1b} thing` }],
      structuredContent: {
        code: 'not-found',
        status: 404,
        title: 'Not found',
        detail: String.raw`no such\u{1b} thing`,
      },
    });
  });

  it('of the caller says what is expected', () => {
    expect(failureOf(new UsageError('things needs name'))).toMatchObject({
      isError: true,
      structuredContent: { code: 'invalid-arguments', detail: 'things needs name' },
    });
  });

  it('of an unforeseen kind tells nothing of its cause', () => {
    expect(JSON.stringify(failureOf(new Error('rsk_secret')))).not.toContain('rsk_secret');
  });
});
