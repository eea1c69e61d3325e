import { existsSync, statfsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startRescind } from '../../src/main.js';
import { readConfig } from '../../src/platform/config/index.js';
import { startEmbeddedPostgres } from '../../src/platform/embedded/index.js';
import { createLog } from '../../src/platform/log/index.js';
import { ADMIN_KEY_FILE } from '../../src/registry/index.js';
import { askFindings } from './ask.js';
import { SPAN_S } from './calendar.js';
import { judge, type Found, type Verdict } from './judge.js';
import { loadStory } from './load.js';
import { readNaively } from './naive.js';
import { reportOf } from './report.js';
import { tellStory, type ToldStory } from './story.js';

const MEMORY = '/dev/shm';
const ROOM_BYTES = 4 * 2 ** 30;

/** As text, for a line of the log. */
const secondsOf = (ms: number): string => (ms / 1000).toFixed(0);
const log = createLog({ level: process.env['EVAL_LOG_LEVEL'] ?? 'warn' });
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    only: { type: 'string' },
    odd: { type: 'boolean', default: false },
    even: { type: 'boolean', default: false },
    naive: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
  },
});

const seeds = readSeeds();
console.log(`seeds ${seeds.join(', ')}: ${purposeOf(seeds)}`);
const verdicts: Verdict[] = [];
for (const seed of seeds) {
  const startedAt = performance.now();
  // On the minute, and as late as can be: to the service the story ends now.
  const end = Math.floor(Date.now() / 60_000) * 60;
  const story = tellStory(String(seed), end - SPAN_S);
  const { found, firstEntries } = values.naive ? { found: readNaively(story) } : await findBy(story);
  verdicts.push(judge(story.truth, found, firstEntries));
  const took = (performance.now() - startedAt) / 1000;
  console.log(
    `seed ${seed}: ${story.events.length} events, ${story.truth.length} incidents, ${found.length} findings, ${took.toFixed(0)} s`,
  );
}
const { text, isMet } = reportOf(verdicts, values.all ? Infinity : undefined);
console.log(text);
process.exit(isMet ? 0 : 1);

/** `--seeds 4` is the first four, odd or even ones if so asked; `--only 3,8` those two. */
function readSeeds(): number[] {
  const isSeed = (seed: number): boolean => Number.isInteger(seed) && seed > 0;
  const only = values.only?.split(',').map(Number);
  const size = Number(values.seeds);
  if (!(only ?? [size]).every(isSeed)) throw new TypeError('--seeds takes a number of seeds, --only a list like 3,8');
  if (values.odd && values.even) throw new TypeError('--odd and --even exclude each other');
  if (only) return only;
  const step = values.odd || values.even ? 2 : 1;
  return Array.from({ length: size }, (_, nth) => (values.even ? 2 : 1) + nth * step);
}

function purposeOf(all: readonly number[]): string {
  if (all.every((seed) => seed % 2 === 1)) return 'odd ones, on which thresholds are tuned';
  if (all.every((seed) => seed % 2 === 0)) return 'even ones, which are reported';
  return 'odd ones, on which thresholds are tuned, and even ones, which are reported';
}

/** In memory if there is room, because each of the thousands of commits waits for the disk. */
function roomiest(): string {
  if (!existsSync(MEMORY)) return tmpdir();
  const { bavail, bsize } = statfsSync(MEMORY);
  return bavail * bsize >= ROOM_BYTES ? MEMORY : tmpdir();
}

/** Loads the story into a service of its own and asks what it found. */
async function findBy(story: ToldStory): Promise<{ found: Found[]; firstEntries?: readonly number[] }> {
  const home = await mkdtemp(join(roomiest(), 'rescind-eval-'));
  const postgres = await startEmbeddedPostgres({ directory: join(home, 'postgres'), log });
  try {
    const since = performance.now();
    const { entries, firstEntries, waited } = await loadStory({ story, databaseUrl: postgres.url, home, log });
    const loadedAt = performance.now();
    console.log(
      `  loaded ${entries} entries in ${secondsOf(loadedAt - since)} s, of which ${waited.toFixed(0)} s waited for the database`,
    );
    const service = await startRescind(
      readConfig({ RESCIND_HOME: home, PORT: '0', DATABASE_URL: postgres.url, KAFKA_BROKERS: 'none' }),
      { log },
    );
    try {
      const key = (await readFile(join(home, ADMIN_KEY_FILE), 'utf8')).trim();
      const found = await askFindings({ url: service.url, key, entries });
      console.log(`  read by the detections in ${secondsOf(performance.now() - loadedAt)} s`);
      return { found, firstEntries };
    } finally {
      await service.stop();
    }
  } finally {
    await postgres.stop();
    await rm(home, { recursive: true, force: true });
  }
}
