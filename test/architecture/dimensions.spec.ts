import { describe, expect, it } from '@jest/globals';
import { filesUnder, isSpec, read } from './source-tree.js';

/** A dimension that only facts state: no column of a token, a grant or a use records it, and no endpoint is about it alone. */
const DIMENSION = 'agent_type';

/** The files that may name it, each with what it alone says of it. Every other file derives what it needs from these. */
const MAY_NAME: Readonly<Record<string, string>> = {
  'src/contracts/selector.ts': 'the schema of the member',
  'src/rules/dimension.ts': 'where facts state it, and its bit in stored keys',
  'src/projections/entities.pg.ts': 'the stored number of its kind',
  'src/selection/names/start.pg.ts': 'where the search for its tokens begins',
  'src/selection/names/members.pg.ts': 'how few tokens it leaves, beside others',
  'src/query/changes/used-after.ts': 'that uses are compared with it by their facts',
  'src/query/reach/parameters.ts': 'words for people',
  'src/cli/ask/revoke-order.ts': 'words for people',
  'src/cli/ask/rule-text.ts': 'words for people',
  'src/query/search/answers.ts': 'that a search finds it',
  'src/query/access/filters.pg.ts': 'a filter of uses',
  'src/query/access/find-uses.ts': 'that the filter means the dimension of questions over uses',
  'src/query/timeline/subject.pg.ts': 'that a rule on the type of an agent concerns those who use the agent',
  'src/query/ask/parameter-docs.ts': 'words for people: the filter of uses',
  'src/explore/question/vocabulary.ts': 'a dimension of questions over uses',
  'src/explore/names/find-names.pg.ts': 'how the type of each agent is read for such a question',
  'src/console/api/schema.d.ts': 'what a program writes of the served document',
  'src/console/display/rule/words.ts': 'words for people',
  'src/console/pages/stop/queries.ts': 'that a search finds it, to stop it',
  'src/console/pages/stop/search.ts': 'that the URL of an order may name it',
  'src/console/pages/explore/question/vocabulary.ts': 'words for people: a dimension of questions over uses',
  'src/console/pages/explore/question/queries.ts': 'that a search finds it, to filter by it',
  'src/archive/copy/entity.sql': 'a word of the public format of the archive',
};

describe('a dimension of selectors', () => {
  it('is named only by files that say something of it that no other file says', () => {
    const naming = filesUnder('src').filter(
      (file) => /\.(?:ts|sql)$/.test(file) && !isSpec(file) && new RegExp(`\\b${DIMENSION}\\b`).test(read(file)),
    );
    expect(naming.length).toBeGreaterThan(4);
    expect(naming.filter((file) => MAY_NAME[file] === undefined)).toEqual([]);
  });
});
