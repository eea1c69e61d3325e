import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Moment } from '../projections/index.js';
import type { ExploreRow, ExploreRows } from './answers.js';
import { rangesOf, type Archived } from './archived.pg.js';
import type { Cell } from './engine/messages.js';
import { decodePosition, encodePosition } from './position.js';
import { composeRows } from './question/compose.js';
import { readRowsQuestion, type RowsQuestion } from './question/read-question.js';
import { writeRows } from './rows-file.js';
import { pathsOf, type Asker, type Prepared, type Runner } from './runner.pg.js';
import { asOf, entitiesOfRows, positionOf, rowOf, shownWindow, type NameOfSource } from './show.js';
import type { WrittenFile } from './written-file.js';

/** Rows that are written without a pause. */
const ROWS_AT_ONCE = 1_000;

/** Answers with the uses behind a group: a page, or a file of all. */
export function createRowsQuestion({
  runner,
  nameOfSource,
}: {
  readonly runner: Runner;
  readonly nameOfSource: NameOfSource;
}) {
  async function readPage(asker: Asker, question: RowsQuestion): Promise<ExploreRows> {
    const position = question.cursor === undefined ? undefined : decodePosition(question.cursor);
    return runner.visiting(asker, async (visit) => {
      const asked = position?.moment ?? question.asked;
      const prepared = await runner.prepare(asker.tenant, visit, { subject: question, asked });
      const { selected, moment } = prepared;
      const statement = composeRows(selected, { after: position?.after, limit: question.limit + 1 });
      const { rows, read } = await runner.compute(prepared, statement);
      const shown = rows.slice(0, question.limit);
      const names = await runner.namesAt(asker.tenant, moment, entitiesOfRows(shown));
      return {
        as_of: asOf(moment),
        window: shownWindow(selected.window),
        items: shown.map((row) => rowOf(row, names, nameOfSource)),
        ...nextOf(rows, shown, moment),
        read,
      };
    });
  }

  /** Reads all rows, a range of the ledger at a time, each in a turn of its own. */
  async function* readRanges(
    asker: Asker,
    { room, archived, selected, moment }: Prepared,
    left: AbortSignal | undefined,
  ): AsyncGenerator<ExploreRow[]> {
    for (const range of rangesOf(archived, moment.index)) {
      const part: Archived = {
        ...archived,
        uses: archived.uses.filter(({ first, end }) => first < range.end && end > range.first),
        late: archived.late.filter(({ end }) => end > range.first),
      };
      const statement = composeRows(
        { ...selected, sources: { ...selected.sources, ...pathsOf(part, moment.index) } },
        range,
      );
      const rows = await runner.inTurn(asker, () => runner.engine.run(room, statement, left), left);
      const names = await runner.namesAt(asker.tenant, moment, entitiesOfRows(rows));
      for (let at = 0; at < rows.length; at += ROWS_AT_ONCE) {
        yield rows.slice(at, at + ROWS_AT_ONCE).map((row) => rowOf(row, names, nameOfSource));
        // Others of this process have their turn.
        await nextTurn();
      }
    }
  }

  return {
    page: (asker: Asker, body: unknown): Promise<ExploreRows> => readPage(asker, readRowsQuestion(body)),

    async answer(asker: Asker, body: unknown): Promise<ExploreRows | WrittenFile> {
      const question = readRowsQuestion(body);
      const { format } = question;
      if (format === 'json') return readPage(asker, question);
      const visit = runner.enter(asker.tenant);
      try {
        const prepared = await runner.inTurn(asker, () => runner.prepare(asker.tenant, visit, { subject: question }));
        return writeRows(format, readRanges(asker, prepared, runner.signal()), () => visit.leave());
      } catch (error) {
        visit.leave();
        throw error;
      }
    },
  };
}

function nextOf(
  rows: readonly (readonly Cell[])[],
  shown: readonly (readonly Cell[])[],
  moment: Moment,
): { readonly next?: string } {
  const last = shown.at(-1);
  return rows.length > shown.length && last !== undefined ? { next: encodePosition(moment, positionOf(last)) } : {};
}
