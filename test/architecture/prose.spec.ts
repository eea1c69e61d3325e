import { describe, expect, it } from '@jest/globals';
import { filesUnder, read } from './source-tree.js';

/** A comment whose statement begins without its noun. A question may begin so. */
const OPENER = /^\s*(?:\/\*\*|\*|\/\/|--|#) (?:Of|What|Where|Who|Whoever|Whatever|Whose|Which) (?!.*\?)/;

/** Files whose lines may be comments; in Markdown and JSON these marks mean something else. */
const SOURCES = /\.(?:ts|mjs|sql|sh|ya?ml|conf|cfg|py|toml)$|\/Dockerfile/;

const openers = (text: string): string[] => text.split('\n').filter((line) => OPENER.test(line));

describe('comments', () => {
  it.each(['src', 'test', 'docker'])(
    'in %s begin with their subject, not with "Of", "What", "Where" or "Who"',
    (folder) => {
      const files = filesUnder(folder).filter((file) => SOURCES.test(file));
      expect(files.flatMap((file) => openers(read(file)).map((line) => `${file}: ${line.trim()}`))).toEqual([]);
    },
  );

  it.each([
    ['/** What a guard needs. */', 1],
    ['  // Where it was counted last.', 1],
    ['-- Of the present one plan.', 1],
    [' * Whoever asks.', 1],
    ['  # What the operator needs.', 1],
    ['// What does this selector reach?', 0],
    ['/** Finds what is new. */', 0],
    ["const text = 'What a guard needs';", 0],
  ])('%s', (text, count) => expect(openers(text)).toHaveLength(count));
});
