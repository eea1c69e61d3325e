import { RescindError } from '../contracts/index.js';
import type { ExploreAnswer, ExploreRows } from './answers.js';
import { composeExplore } from './question/compose.js';
import { readExploreQuestion, type ExploreQuestion } from './question/read-question.js';
import { writeGroups } from './groups-file.js';
import { createRowsQuestion } from './rows.pg.js';
import { createRunner, type Asker, type ExploreOptions } from './runner.pg.js';
import { asOf, entitiesOf, itemOf, shownWindow } from './show.js';
import type { WrittenFile } from './written-file.js';

/** Groups that one part of the service asks another for: a thousand hours, each with all operations. */
const MAX_SUMS = 10_000;

/** Groups of a file. All lie in memory at once. */
const MAX_WRITTEN = 100_000;

/** Any question over uses. */
export interface Explore {
  /** The first groups, or a file of all. */
  groups(asker: Asker, body: unknown): Promise<ExploreAnswer | WrittenFile>;
  /** The first groups, whatever the format. */
  explore(asker: Asker, body: unknown): Promise<ExploreAnswer>;
  /** A page, or a file of all rows. */
  rows(asker: Asker, body: unknown): Promise<ExploreRows | WrittenFile>;
  /** A page, whatever the format. */
  find(asker: Asker, body: object): Promise<ExploreRows>;
  /** All groups of a question that has few. */
  sum(asker: Asker, body: object): Promise<ExploreAnswer['items']>;
  stop(): Promise<void>;
}

export function createExplore(options: ExploreOptions): Explore {
  const { nameOfSource } = options;
  const runner = createRunner(options);
  const rowsQuestion = createRowsQuestion({ runner, nameOfSource });
  async function answer(asker: Asker, question: ExploreQuestion): Promise<ExploreAnswer> {
    return runner.visiting(asker, async (visit) => {
      const { by, compare } = question;
      const prepared = await runner.prepare(asker.tenant, visit, { subject: question, by, compare });
      const { before, moment, selected } = prepared;
      const { rows, read } = await runner.compute(prepared, composeExplore(selected, question, before));
      const names = await runner.namesAt(asker.tenant, moment, entitiesOf(rows, question));
      return {
        as_of: asOf(moment),
        window: shownWindow(selected.window),
        ...(before ? { compare: shownWindow(before) } : {}),
        items: rows.map((row) => itemOf(row, question, names, nameOfSource)),
        groups: rows.length === 0 ? 0 : Number(rows[0]!.at(-1)),
        read,
      };
    });
  }

  async function write(asker: Asker, question: ExploreQuestion): Promise<WrittenFile> {
    const { items, groups } = await answer(asker, { ...question, limit: MAX_WRITTEN });
    if (groups > items.length)
      throw new RescindError('filter-too-wide', {
        detail: `the answer has ${groups.toLocaleString('en')} groups, and a file at most ${MAX_WRITTEN.toLocaleString('en')}: narrow \`from\`, or ask for fewer names in \`by\``,
      });
    return writeGroups(question, items);
  }

  return {
    async groups(asker, body) {
      const question = readExploreQuestion(body);
      return question.format === 'json' ? answer(asker, question) : write(asker, question);
    },
    explore: async (asker, body) => answer(asker, readExploreQuestion(body)),
    sum: async (asker, body) => (await answer(asker, { ...readExploreQuestion(body), limit: MAX_SUMS })).items,
    rows: rowsQuestion.answer,
    find: rowsQuestion.page,
    stop: () => runner.stop(),
  };
}
