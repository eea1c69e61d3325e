import { describe, expect, it } from '@jest/globals';
import { Command, Option } from 'commander';
import { candidatesOf } from './candidates.js';

const program = new Command('rescind');
program.command('ask');
const revoke = program.command('revoke').description('stop tokens');
revoke
  .command('order', { isDefault: true })
  .option('--user <members>', 'a user')
  .option('--yes', 'do not ask')
  .addOption(new Option('--effect <effect>', 'what').choices(['revoke', 'block']));
revoke.command('lift <id>').description('lift\u001b[2J a block');
program.command('hidden', { hidden: true });

const words = async (...typed: string[]): Promise<string[]> =>
  (
    await candidatesOf(program, typed, async (rest, last) => [
      { word: `ask-${rest.join('-')}`, meaning: last },
      { word: 'ask-$(id)', meaning: '' },
      { word: 'ask-`id`', meaning: '' },
      { word: 'ask- id', meaning: '' },
    ])
  ).map(({ word }) => word);

describe('the words that end a line', () => {
  it.each([
    [[''], ['ask', 'revoke', 'help']],
    [['rev'], ['revoke']],
    [['hid'], []],
    [
      ['revoke', ''],
      ['order', 'lift', 'help'],
    ],
    [
      ['revoke', '--'],
      ['--help', '--user', '--yes', '--effect'],
    ],
    [
      ['revoke', '--effect', ''],
      ['revoke', 'block'],
    ],
    [['revoke', 'order', '--effect', 'b'], ['block']],
    [['revoke', '--user', ''], []],
    [['revoke', '--yes', '--us'], ['--user']],
    [['revoke', 'lift', '5c1f', ''], []],
  ])('after %j are %j', async (typed, found) => {
    expect(await words(...typed)).toEqual(found);
  });

  it('come from the service for a question, if a shell finds nothing in them to act on', async () => {
    expect(await words('ask', 'access', 'ask')).toEqual(['ask-access']);
  });

  it('say in one line what they mean', async () => {
    expect(await candidatesOf(program, ['revoke', 'li'], async () => [])).toEqual([
      { word: 'lift', meaning: 'lift [2J a block' },
    ]);
  });
});
