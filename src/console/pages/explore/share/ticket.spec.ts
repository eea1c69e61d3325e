import { describe, expect, it } from '@jest/globals';
import type { Answered } from '../question/queries.js';
import { codeOf, ticketOf } from './ticket.js';

describe('a name in Markdown', () => {
  it.each([
    ['bob', '`bob`'],
    ['a|b', '`a\\|b`'],
    ['`rm -rf`', '`` `rm -rf` ``'],
    ['a``b', '``` a``b ```'],
    ['![x](https://attacker.example/x.png)', '`![x](https://attacker.example/x.png)`'],
    ['<img src=x> @everyone', '`<img src=x> @everyone`'],
    ['two\nlines', '`two\\u{a}lines`'],
    ['a\u202Eb', '`a\\u{202e}b`'],
  ])('%j is code', (name, code) => {
    expect(codeOf(name)).toBe(code);
  });
});

it('a ticket has question, conditions, groups, window, moment and link', () => {
  const answer = {
    as_of: { index: '8042', at: '2026-12-01T15:00:00Z' },
    window: { from: '2026-11-24T15:00:00Z', to: '2026-12-01T15:10:01Z' },
    compare: { from: '2026-11-17T15:00:00Z', to: '2026-11-24T15:00:00Z' },
    items: [
      {
        group: { team: 'a|b' },
        values: { calls: 1234 },
        before: { calls: 1000 },
        delta: { calls: 234 },
        ratio: { calls: 1.234 },
      },
      {
        group: { team: null },
        values: { calls: 2 },
        before: { calls: 0 },
        delta: { calls: 2 },
        ratio: { calls: null },
      },
    ],
    groups: 3,
    read: { segments: 1, archived: 1, tail: 1, ms: 1 },
  } as unknown as Answered;
  const search = {
    by: ['team' as const],
    filter: { operation: { equals: 'export' as const } },
    having: { calls: { min: 2 } },
    from: '7d',
    compare: { from: '14d', to: '7d' },
  };
  expect(
    ticketOf({ search, answer, url: 'https://rescind.example/console/explore?by=team' }),
  ).toBe(`### Calls by team, last 7 days, compared with 14d ago to 7d ago

- operation is \`export\`
- calls is at least 2

| team | calls | calls before | calls change | calls ratio |
| --- | ---: | ---: | ---: | ---: |
| \`a\\|b\` | 1,234 | 1,000 | +234 | ×1.23 |
| \`no team\` | 2 | 0 | +2 | new |

The first 2 of 3 groups.

Uses from 2026-11-24T15:00:00Z to 2026-12-01T15:10:01Z, compared with 2026-11-17T15:00:00Z to 2026-11-24T15:00:00Z. As of entry 8042 of the ledger, 2026-12-01T15:00:00Z.

<https://rescind.example/console/explore?by=team>
`);
});
