import { spawnSync } from 'node:child_process';
import type { Browser, Page } from 'playwright-core';
import { serveBuilt } from '../console/start-console.js';
import { addGrants } from './console-grants.js';
import { openBenchPage, withBrowser, type BenchPage, type Measured, type Task } from './console-page.js';
import { startSeededDatabase } from './questions-service.js';
import { median, quantile, type Row } from './report.js';

const EVENTS = Number(process.env['BENCH_EVENTS'] ?? 20_000);
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 10);
const GRANTS = Number(process.env['BENCH_GRANTS'] ?? 2_000);
/** `BENCH_ONLY`: a pattern that selects interactions by name. Those before it are done all the same. */
const ONLY = new RegExp(process.env['BENCH_ONLY'] ?? '');
const SCROLL_MS = 8_000;
/** Longest time in which all grants are to be loaded. */
const LOAD_MS = 180_000;
const FEEDBACK_GOAL_MS = 100;
const TASK_GOAL_MS = 50;
const FRAME_MS = 1000 / 60;
/** A frame that took longer was late by at least one. */
const LATE_MS = FRAME_MS * 1.5;

const say = (line: string): void => console.error(line);

interface Interaction {
  readonly name: string;
  /** The kind of input, whose floor stands beside. */
  readonly by: 'click' | 'key' | 'wheel';
  readonly input: (page: Page) => Promise<unknown>;
  /** An expression of the page: the answer is there. */
  readonly shown: string;
}

const click =
  (selector: string) =>
  (page: Page): Promise<unknown> =>
    page.locator(selector).first().click();
const press =
  (key: string) =>
  (page: Page): Promise<unknown> =>
    page.keyboard.press(key);
const wheel = (page: Page): Promise<unknown> => page.mouse.wheel(0, 600);
const clicked = (name: string, selector: string, shown: string): Interaction => ({
  name,
  by: 'click',
  input: click(selector),
  shown,
});
const pressed = (name: string, key: string, shown: string): Interaction => ({
  name,
  by: 'key',
  input: press(key),
  shown,
});
const rows = (label: string): string => `has('table[aria-label="${label}"] tr[data-index]')`;

/** One visit: each begins where the one before has ended. A further interaction is a further line. */
const VISIT: readonly Interaction[] = [
  clicked('open findings', 'nav >> text=Findings', rows('Findings')),
  clicked('open one finding', 'table[aria-label="Findings"] a', `has('[role="dialog"]', 'Evidence')`),
  pressed('close it', 'Escape', `!has('[role="dialog"]')`),
  clicked('open a filter', 'input[aria-label="Severity"]', `has('[role="option"]', 'critical')`),
  clicked(
    'filter findings',
    '[role="option"]:has-text("high or higher")',
    `location.search.includes('high') && ${rows('Findings')}`,
  ),
  clicked('open users', 'nav >> text=Users', rows('Users')),
  clicked(
    'sort users',
    'button:has-text("Last use")',
    `has('th[aria-sort="descending"]', 'Last use') && ${rows('Users')}`,
  ),
  { name: 'scroll users', by: 'wheel', input: wheel, shown: 'scrollY > 0' },
  clicked('open a user', 'table[aria-label="Users"] tr[data-index] a', rows('Timeline')),
  clicked('switch to grants', '[role="tab"]:has-text("Grants")', rows('Grants')),
  clicked('switch to the blast radius', '[role="tab"]:has-text("Blast radius")', `has('h2, h3', 'Live tokens')`),
  pressed('open the search', 'Control+k', `has('input[aria-label="Search"]')`),
  pressed('search', 'm', `has('.mantine-Spotlight-action')`),
  pressed('close the search', 'Escape', `!has('input[aria-label="Search"]')`),
  clicked('open stop', 'main >> text=Stop…', `has('table[aria-label="What it hits"]')`),
  clicked('go home', 'nav >> text=Home', `has('h1', 'Home') && has('main', 'Rules in force')`),
];

/** The same inputs on a page of the console that has nothing. */
const NOTHING = '/console/nothing-is-here';
const FLOORS: readonly Interaction[] = [
  { name: 'floor', by: 'click', input: click('h1, h2, [role="alert"]'), shown: 'true' },
  pressed('floor', 'Shift', 'true'),
  { name: 'floor', by: 'wheel', input: wheel, shown: 'true' },
];

/** Inputs in a real browser on a real service, with a trace of the page's main thread. */
export const run = (): Promise<readonly Row[]> => withService((browser, { url, home }) => visits(browser, url, home));

/** The wheel over the grants of one client. */
export const runScroll = (): Promise<readonly Row[]> =>
  withService(async (browser, { url, home }) => {
    const client = await addGrants(url, home, GRANTS);
    return scrolls(browser, `${url}/console/clients/${client}?show=grants`, home);
  });

async function withService<T>(
  use: (browser: Browser, service: { readonly url: string; readonly home: string }) => Promise<T>,
): Promise<T> {
  spawnSync(process.execPath, ['test/support/build-if-older.mjs'], { stdio: 'ignore' });
  const { url, home, stop } = await startSeededDatabase({ events: EVENTS, days: 9 }, say);
  try {
    const env = { ...process.env, RESCIND_HOME: home, DATABASE_URL: url };
    const service = await serveBuilt({ ...env, KAFKA_BROKERS: 'none', PORT: '0', LOG_LEVEL: 'error' });
    try {
      return await withBrowser((browser) => use(browser, { url: service.url, home }));
    } finally {
      await service.stop();
    }
  } finally {
    await stop();
  }
}

async function visits(browser: Browser, url: string, home: string): Promise<readonly Row[]> {
  const bench = await openBenchPage(browser, home);
  const { page } = bench;
  const taken = new Map<Interaction, Measured[]>([...VISIT, ...FLOORS].map((one) => [one, []]));
  // The first visit fills the browser's cache of scripts and is not counted.
  for (let round = 0; round <= ROUNDS; round += 1) {
    await page.goto(`${url}/console/`);
    await page.locator('main h1').waitFor();
    await page.waitForLoadState('networkidle').catch(() => undefined);
    await measureEach(bench, VISIT, round === 0 ? undefined : taken);
    await page.goto(`${url}${NOTHING}`);
    await page.locator('main').waitFor();
    await measureEach(bench, FLOORS, round === 0 ? undefined : taken);
  }
  await page.context().close();
  return rowsOf(taken);
}

async function measureEach(
  { measure }: BenchPage,
  interactions: readonly Interaction[],
  taken: Map<Interaction, Measured[]> | undefined,
): Promise<void> {
  for (const one of interactions) {
    const measured = await measure(one.input, one.shown).catch((error: unknown) => {
      throw new Error(one.name, { cause: error });
    });
    taken?.get(one)!.push(measured);
  }
}

const longest = (measured: readonly Measured[]): Task =>
  measured.map(({ task }) => task).reduce((most, one) => (one.ms > most.ms ? one : most));
const taskText = ({ ms, cpuMs }: Task): string => `${ms.toFixed(0)} ms (${cpuMs.toFixed(0)} ms of processor)`;

function rowsOf(taken: ReadonlyMap<Interaction, readonly Measured[]>): readonly Row[] {
  const feedbackOf = (one: Interaction): readonly number[] => taken.get(one)!.map(({ feedback }) => feedback);
  const each = VISIT.filter(({ name }) => ONLY.test(name)).map((one): { readonly row: Row; readonly task: Task } => {
    const floor = quantile(feedbackOf(FLOORS.find(({ by }) => by === one.by)!), 0.95);
    const [p50, p95] = [median(feedbackOf(one)), quantile(feedbackOf(one), 0.95)];
    const answers = taken.get(one)!.map(({ answer }) => answer);
    const task = longest(taken.get(one)!);
    const row: Row = {
      name: `console.interaction ${one.name}`,
      value: p95,
      unit: 'ms p95',
      floor,
      ratio: p95 / floor,
      p50,
      p95,
      note: `to the next frame; to the frame with the answer p50 ${median(answers).toFixed(0)}, p95 ${quantile(answers, 0.95).toFixed(0)} ms; longest task ${taskText(task)}`,
    };
    return { row, task };
  });
  const worst = each.reduce((most, one) => (one.row.value > most.row.value ? one : most));
  const slowest = each.reduce((most, one) => (one.task.ms > most.task.ms ? one : most));
  const floorTask = longest(FLOORS.flatMap((one) => taken.get(one)!));
  const about = `${EVENTS.toLocaleString('en')} events in nine days; ${ROUNDS} visits`;
  return [
    {
      ...worst.row,
      name: 'console.interaction',
      note: `worst of ${each.length}: ${worst.row.name}; goal ${FEEDBACK_GOAL_MS}; ${about}; floor: the same input on an empty page of the console`,
    },
    {
      name: 'console.task',
      value: slowest.task.ms,
      unit: 'ms longest',
      floor: floorTask.ms,
      ratio: slowest.task.ms / floorTask.ms,
      note: `${slowest.row.name}: ${taskText(slowest.task)}; goal ${TASK_GOAL_MS}; ${each.filter(({ task }) => task.ms > TASK_GOAL_MS).length} of ${each.length} interactions have a longer one; ${about}`,
    },
    ...each.map(({ row }) => row),
  ];
}

/** Turns the wheel over the grants of one client: while their pages are loaded, and once all are there. */
async function scrolls(browser: Browser, url: string, home: string): Promise<readonly Row[]> {
  const { page, turnWheel } = await openBenchPage(browser, home);
  const count = (): Promise<number> =>
    page
      .locator('table[aria-label="Grants"]')
      .getAttribute('aria-rowcount')
      .then((text) => Number(text));
  await page.goto(url);
  await page.locator('table[aria-label="Grants"] tr[data-index]').first().waitFor();
  const loading = await turnWheel(SCROLL_MS);
  const loaded = await count();
  say(`as pages come: ${textOf(loading)}`);
  for (const until = performance.now() + LOAD_MS; (await count()) < GRANTS && performance.now() < until; )
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
  const all = await count();
  say(`${all} grants are loaded`);
  await page.evaluate('scrollTo(0, document.body.scrollHeight / 3)');
  const whole = await turnWheel(SCROLL_MS);
  const pixels = await page.evaluate<number>('document.body.scrollHeight');
  await page.goto(`${new URL(url).origin}${NOTHING}`);
  await page.locator('main').waitFor();
  await page.evaluate(`plainRows(${all}, ${pixels / all})`);
  await page.evaluate('scrollTo(0, document.body.scrollHeight / 3)');
  const plain = await turnWheel(SCROLL_MS);
  await page.context().close();
  const row = (name: string, frames: readonly number[], note: string): Row => ({
    name: `console.scroll ${name}`,
    value: rateOf(frames),
    unit: 'frames a second',
    floor: rateOf(plain),
    ratio: rateOf(frames) / rateOf(plain),
    p50: median(frames),
    p95: quantile(frames, 0.95),
    note: `${textOf(frames)}; goal 60; floor: a page of that length with as many plain rows, ${textOf(plain)}; ${note}`,
  });
  return [
    row('as pages come', loading, `${loaded.toLocaleString('en')} grants came meanwhile`),
    row('over all', whole, `${all.toLocaleString('en')} grants of one client`),
  ];
}

const rateOf = (frames: readonly number[]): number =>
  (frames.length / frames.reduce((sum, one) => sum + one, 0)) * 1000;

function textOf(frames: readonly number[]): string {
  const late = frames.filter((one) => one > LATE_MS).length;
  return `${rateOf(frames).toFixed(1)} frames a second, ${late} of ${frames.length} late, longest ${Math.max(...frames).toFixed(0)} ms`;
}
