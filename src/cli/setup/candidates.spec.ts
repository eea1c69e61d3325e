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

const context = program.command('context');
context.command('use [name]').option('--none', 'none');
context.command('add <name>');

const sources = {
  ask: async (rest: readonly string[], last: string) => [
    { word: `ask-${rest.join('-')}`, meaning: last },
    { word: 'ask-$(id)', meaning: '' },
    { word: 'ask-`id`', meaning: '' },
    { word: 'ask- id', meaning: '' },
  ],
  contexts: async () => ['prod', 'lab'],
};
const words = async (...typed: string[]): Promise<string[]> =>
  (await candidatesOf(program, typed, sources)).map(({ word }) => word);

describe('the words that end a line', () => {
  it.each([
    [[''], ['ask', 'revoke', 'context', 'help']],
    [
      ['context', 'use', ''],
      ['prod', 'lab'],
    ],
    [['context', 'use', '--n'], ['--none']],
    [['context', 'add', ''], []],
    [['revoke', 'lift', '5c1f', '--context', 'p'], ['prod']],
    [
      ['ask', 'access', '--context', ''],
      ['prod', 'lab'],
    ],
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
    expect(await candidatesOf(program, ['revoke', 'li'], sources)).toEqual([
      { word: 'lift', meaning: 'lift [2J a block' },
    ]);
  });
});
