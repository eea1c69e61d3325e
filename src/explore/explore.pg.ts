import type { ExploreAnswer, ExploreRows } from './answers.js';
import { composeExplore } from './question/compose.js';
import { readExploreQuestion } from './question/read-question.js';
import type { RowsFile } from './rows-file.js';
import { createRowsQuestion } from './rows.pg.js';
import { createRunner, type Asker, type ExploreOptions } from './runner.pg.js';
import { asOf, entitiesOf, itemOf, shownWindow } from './show.js';

/** Any question over uses. */
export interface Explore {
  explore(asker: Asker, body: unknown): Promise<ExploreAnswer>;
  /** A page, or a file of all rows. */
  rows(asker: Asker, body: unknown): Promise<ExploreRows | RowsFile>;
  stop(): Promise<void>;
}

export function createExplore(options: ExploreOptions): Explore {
  const { nameOfSource } = options;
  const runner = createRunner(options);
  return {
    async explore(asker, body) {
      const question = readExploreQuestion(body);
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
    },
    rows: createRowsQuestion({ runner, nameOfSource }),
    stop: () => runner.stop(),
  };
}
