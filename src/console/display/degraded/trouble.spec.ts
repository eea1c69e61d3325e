import { describe, expect, it } from '@jest/globals';
import { troublesOf } from './trouble.js';

const failingWith = (code: string, ...names: string[]) => ({
  ready: false,
  checks: [{ name: 'emit', ok: true }, ...names.map((name) => ({ name, ok: false, code }))],
});
const failing = (...names: string[]) => failingWith('x', ...names);
const told = (...given: Parameters<typeof troublesOf>): string[] =>
  troublesOf(...given).map(({ what, makesOld }) => `${what}${makesOld ? ' old' : ''}`);

describe('the troubles of the service', () => {
  it.each<[string, Parameters<typeof troublesOf>, string[]]>([
    ['is well', [{ ready: true, checks: [{ name: 'database', ok: true }] }, false, undefined], []],
    ['is not known yet', [undefined, false, undefined], []],
    ['is told at another address', [null, false, undefined], []],
    ['does not answer', [failing('kafka'), true, 'no'], ['The service does not answer. old']],
    [
      'has no database, and so no lease',
      [failing('database', 'serving'), false, 'no'],
      ['The database cannot be reached. old'],
    ],
    ['holds no lease', [failing('serving'), false, undefined], ['This process holds no lease.']],
    [
      'has no lease, and a question gets no answer',
      [failing('serving'), false, 'Not archived.'],
      ['This process holds no lease.', 'Not archived. old'],
    ],
    ['is well, and a question gets no answer', [null, false, 'Not archived.'], ['Not archived. old']],
    [
      'has another database',
      [failingWith('control-log-behind', 'serving', 'topic-feeds'), false, undefined],
      ['This process is fenced: an older or another database took the place of its own. old'],
    ],
    [
      'begins with an old backup',
      [failingWith('control-log-behind', 'control-fence'), false, 'no'],
      ['This process is fenced: its database lacks rules that were in force, as an old backup does. old'],
    ],
    [
      'begins with an old ledger',
      [failingWith('ledger-behind', 'control-fence'), false, 'no'],
      [
        'This process is fenced: its ledger does not continue the checkpoints that were signed, as that of an old backup. old',
      ],
    ],
    [
      'cannot compare its database',
      [failingWith('kafka-unavailable', 'control-fence'), false, 'no'],
      ['This process is not sure of its database. old'],
    ],
    [
      'does not publish',
      [failingWith('control-log-behind', 'topic-feeds'), false, undefined],
      ['Rules are not published to the topics for resource apps.'],
    ],
    ['fails a check that is not known here', [failing('moon'), false, undefined], ['The check moon fails (x). old']],
  ])('%s', (_, given, expected) => expect(told(...given)).toEqual(expected));
});
