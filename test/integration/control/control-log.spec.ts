import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { RescindError } from '../../../src/contracts/index.js';
import {
  createControlLog,
  type Appended,
  type Command,
  type ControlLog,
  type ControlRecord,
  type NewControlRecord,
  type Seq,
} from '../../../src/control/index.js';
import { createPool } from '../../../src/platform/postgres/index.js';
import { createControlDatabase, record, until, type ControlDatabase } from './control-fixture.js';

describe('the control log on PostgreSQL', () => {
  let control: ControlDatabase;
  let sut: ControlLog;
  beforeEach(async () => {
    control = await createControlDatabase();
    sut = control.controlLog;
  });
  afterEach(() => control.drop());

  const seqs = (records: readonly ControlRecord[]): number[] => records.map(({ seq }) => Number(seq));
  const upTo = (last: number): number[] => Array.from({ length: last }, (_, at) => at + 1);
  const once = (key: string, content = 'c', keepSeconds?: number): Command => ({
    records: [record()],
    once: { key: ['spec', key], content, ...(keepSeconds === undefined ? {} : { keepSeconds }) },
  });
  const length = (): Promise<number> => control.value<string>('SELECT count(*) FROM control_log').then(Number);

  it('gives 20 appenders of two pools dense seqs in commit order, and no reader ever skips one', async () => {
    const second = createPool({ url: control.url, max: 8, applicationName: 'spec' });
    const appenders = Array.from({ length: 20 }, (_, n) =>
      createControlLog({ pool: n % 2 === 0 ? control.pool : second }),
    );
    const appended: Appended[] = [];
    let reads = 0;
    const isReadBeside = (): boolean => reads > 10;
    const writing = Promise.all(
      appenders.map(async (log, n) => {
        // A slow reader must see them at work too.
        for (let round = 0; round < 10 || !isReadBeside(); round++)
          appended.push(
            await log.append({ records: Array.from({ length: 1 + ((n + round) % 3) }, () => record(`n${n}`)) }),
          );
      }),
    ).then(() => true);

    const read: ControlRecord[] = [];
    for (let done = false; !done; ) {
      done = await Promise.race([writing, Promise.resolve(false)]);
      const more = await sut.readAfter((read.at(-1)?.seq ?? 0n) as Seq);
      if (more.length > 0) reads++;
      read.push(...more);
    }
    await second.end();

    expect(seqs(read)).toEqual(upTo(await length()));
    expect(isReadBeside()).toBe(true);
    expect(read.every(({ at }, n) => n === 0 || at >= read[n - 1]!.at)).toBe(true);
    for (const { firstSeq, lastSeq } of appended)
      expect(
        new Set(read.slice(Number(firstSeq) - 1, Number(lastSeq)).map(({ body }) => JSON.stringify(body))).size,
      ).toBe(1);
    expect(appended.reduce((sum, { firstSeq, lastSeq }) => sum + Number(lastSeq - firstSeq) + 1, 0)).toBe(read.length);
  });

  it('commits durably, even if the database’s settings say otherwise', async () => {
    await control.pool.query(`
      CREATE TABLE spec_commits (mode text NOT NULL);
      CREATE FUNCTION spec_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO spec_commits VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$;
      CREATE CONSTRAINT TRIGGER spec_note AFTER INSERT ON control_log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION spec_note()`);
    await control.pool.query(`ALTER DATABASE ${new URL(control.url).pathname.slice(1)} SET synchronous_commit = off`);
    const pool = createPool({ url: control.url, max: 1, applicationName: 'spec' });
    try {
      expect((await pool.query('SHOW synchronous_commit')).rows).toEqual([{ synchronous_commit: 'off' }]);
      await createControlLog({ pool }).append({ records: [record(), record('two')] });
      // Noted as the transaction commits.
      expect((await pool.query('SELECT mode FROM spec_commits')).rows).toEqual([{ mode: 'on' }, { mode: 'on' }]);
    } finally {
      await pool.end();
    }
  });

  it('shows no record behind a transaction that is still open', async () => {
    await control.append();
    const open = await control.pool.connect();
    await open.query('BEGIN');
    await open.query('SELECT * FROM control_append($1)', [
      JSON.stringify([{ key: null, records: [{ ...record('open'), version: 1 }] }]),
    ]);
    const later = sut.append({ records: [record('later')] });
    await until('the later append waits for the open one', () =>
      control.value<boolean>(
        'SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0)',
      ),
    );
    expect(seqs(await sut.readAfter(0n as Seq))).toEqual([1]);
    await open.query('COMMIT');
    open.release();
    expect((await later).firstSeq).toBe(3n);
    expect((await sut.readAfter(1n as Seq)).map(({ seq, body }) => [seq, (body as { name: string }).name])).toEqual([
      [2n, 'open'],
      [3n, 'later'],
    ]);
  });

  it('leaves no gap after a transaction that was rolled back', async () => {
    const release = await control.hold(`SELECT * FROM control_append('[{"key":null,"records":[]}]')`);
    await release();
    const lost = await control.hold(
      `SELECT * FROM control_append('${JSON.stringify([{ key: null, records: [{ ...record(), version: 1 }] }])}')`,
    );
    await lost();
    expect(await control.append()).toBe(1n);
  });

  it('commits all waiting records of one process in one statement', async () => {
    const appended = await Promise.all(
      Array.from({ length: 100 }, () => sut.append({ records: [record(), record()] })),
    );
    expect(appended.map(({ firstSeq }) => Number(firstSeq))).toEqual(upTo(100).map((n) => 2 * n - 1));
    // The first went at once; the 99 that came while it ran went together.
    expect(Number(await control.value<string>('SELECT count(DISTINCT xmin::text) FROM control_log'))).toBe(2);
  });

  it('commits an order before the events that waited earlier, and few events with it', async () => {
    const head = await control.hold('SELECT * FROM control_head FOR UPDATE');
    const events = Array.from({ length: 300 }, () => sut.append({ records: [record()], from: 'event' }));
    const order = sut.append({ records: [record()] });
    await head();
    // The first event was under way before anything else came.
    expect((await order).firstSeq).toBe(2n);
    await Promise.all(events);
    const largest = await control.value<string>(
      'SELECT max(n) FROM (SELECT count(*) AS n FROM control_log GROUP BY xmin::text) AS statements',
    );
    expect(Number(largest)).toBe(51);
  });

  it('lets tenants take turns, so that one with many orders delays another by one statement', async () => {
    const head = await control.hold('SELECT * FROM control_head FOR UPDATE');
    const many = Array.from({ length: 2_000 }, () => sut.append({ records: [record()] }));
    const other = { ...record(), tenant: '00000000-0000-4000-8000-000000000002' } as NewControlRecord;
    const modest = sut.append({ records: [other] });
    await head();
    expect((await modest).firstSeq).toBeLessThanOrEqual(4n);
    await Promise.all(many);
  });

  it('keeps the records of one command together', async () => {
    const refused = sut.append({ records: [record(), { ...record(), tenant: 'not a uuid' }] });
    await expect(refused).rejects.toThrow(RescindError);
    expect(await length()).toBe(0);
  });

  describe('a command with a key', () => {
    it('is applied once, and a repetition gets the first seqs', async () => {
      const first = await sut.append(once('k'));
      await control.append();
      expect(first).toEqual({ firstSeq: 1n, lastSeq: 1n, replayed: false, same: true });
      expect(await sut.append(once('k'))).toEqual({ firstSeq: 1n, lastSeq: 1n, replayed: true, same: true });
      expect(await sut.append(once('k', 'other'))).toEqual({ firstSeq: 1n, lastSeq: 1n, replayed: true, same: false });
      expect(await sut.append({ ...once('k'), once: { key: ['sp', 'eck'], content: 'c' } })).toMatchObject({
        replayed: false,
      });
      expect(await length()).toBe(3);
    });

    it('is applied once if it waits twice, and if two processes send it at the same time', async () => {
      const inOne = await Promise.all([
        sut.append(once('a')),
        sut.append(once('b')),
        sut.append(once('b')),
        sut.append(once('b', 'other')),
      ]);
      expect(inOne.map(({ replayed, same }) => [replayed, same])).toEqual([
        [false, true],
        [false, true],
        [true, true],
        [true, false],
      ]);
      const inMany = await Promise.all(
        Array.from({ length: 20 }, () => createControlLog({ pool: control.pool }).append(once('c'))),
      );
      expect(inMany.filter(({ replayed }) => !replayed)).toHaveLength(1);
      expect(new Set(inMany.map(({ firstSeq }) => firstSeq)).size).toBe(1);
      expect(await length()).toBe(3);
    });

    it('is remembered for ever without `keepSeconds`, and is applied again after those seconds', async () => {
      await sut.append(once('for ever'));
      await sut.append(once('48 h', 'c', 172_800));
      expect(
        await control.value(
          `SELECT bool_and(kept_until IS NULL OR kept_until BETWEEN now() + interval '47 h' AND now() + interval '48 h') FROM control_command`,
        ),
      ).toBe(true);
      await control.pool.query(`UPDATE control_command SET kept_until = kept_until - interval '48 h 1 s'`);
      expect(await sut.append(once('for ever'))).toMatchObject({ replayed: true });
      expect(await sut.append(once('48 h', 'other content', 172_800))).toMatchObject({ replayed: false, same: true });
    });

    it('is forgotten after its time, as others come', async () => {
      await Promise.all(Array.from({ length: 9 }, (_, n) => sut.append(once(`old ${n}`, 'c', 60))));
      await control.pool.query(`UPDATE control_command SET kept_until = kept_until - interval '1 h'`);
      for (let n = 0; n < 5; n++) await sut.append(once(`new ${n}`, 'c', 60));
      expect(Number(await control.value<string>('SELECT count(*) FROM control_command'))).toBe(5);
    });
  });

  it('refuses only the command that PostgreSQL cannot store, and not those that waited beside it', async () => {
    const [, refused, ...stored] = await Promise.allSettled([
      control.append(),
      sut.append({ records: [record('a\0b')] }),
      sut.append({ records: [record('beside')] }),
      sut.append(once('keyed')),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'internal', retryable: false } });
    expect(stored).toMatchObject([{ value: { firstSeq: 2n } }, { value: { firstSeq: 3n, replayed: false } }]);
    expect(await length()).toBe(3);
  });

  it('says that the outcome is unknown when the database does not answer', async () => {
    const nowhere = createPool({ url: 'postgres://nobody@127.0.0.1:1/none', max: 1, applicationName: 'spec' });
    const failure = await createControlLog({ pool: nowhere })
      .append({ records: [record()] })
      .catch((error: unknown) => error);
    await nowhere.end();
    expect(failure).toMatchObject({ code: 'database-unavailable', retryable: true });
  });

  it('reads by subject and by range, in order', async () => {
    const other = '00000000-0000-4000-8000-000000000002';
    await sut.append({
      records: [record('1'), { ...record('2'), subject: other }, record('3'), { ...record('4'), subject: other }],
    });
    expect(seqs(await sut.readSubject(other))).toEqual([2, 4]);
    expect(seqs(await sut.readRange(2n as Seq, 3n as Seq))).toEqual([2, 3]);
  });
});
