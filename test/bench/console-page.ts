import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { startBrowser } from '../console/start-console.js';

const VIEWPORT = { width: 1280, height: 800 };
/** Longest wait for an answer. */
const TIMEOUT_MS = 30_000;

export interface Measured {
  /** From the input to the first frame after it, milliseconds. */
  readonly feedback: number;
  /** From the input to the frame that shows the answer. */
  readonly answer: number;
  readonly task: Task;
}

/** The longest task of the page's main thread: its duration, and the part of it in which the thread had a processor. */
export interface Task {
  readonly ms: number;
  readonly cpuMs: number;
}

export interface BenchPage {
  readonly page: Page;
  /** Measures one input. `shown` is an expression of the page, true as soon as the answer is there. */
  measure(input: (page: Page) => Promise<unknown>, shown: string): Promise<Measured>;
  /** Intervals between frames while the wheel turns, milliseconds. */
  turnWheel(ms: number): Promise<readonly number[]>;
}

/** Runs in each page before its own scripts. `has` is what the expressions of interactions are written with. */
const IN_PAGE = `(() => {
  window.has = (css, text = '') => [...document.querySelectorAll(css)].some((one) => one.textContent.includes(text));
  const afterFrame = (then) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => then(performance.now());
      port2.postMessage(null);
    });
  let one;
  const hear = ({ timeStamp }) => {
    if (one === undefined) return;
    const heard = one;
    heard.from = timeStamp;
    afterFrame((at) => {
      heard.feedback = Math.max(heard.feedback, at - timeStamp);
    });
  };
  for (const kind of ['pointerdown', 'click', 'keydown', 'wheel']) addEventListener(kind, hear, { capture: true, passive: true });
  window.awaitAnswer = (isShown) => {
    one = { from: undefined, feedback: 0 };
    const waiting = one;
    window.answered = new Promise((resolve) => {
      const look = () => {
        if (waiting.from !== undefined && isShown())
          afterFrame((at) => requestIdleCallback(() => {
            one = undefined;
            resolve({ feedback: waiting.feedback, answer: at - waiting.from });
          }, { timeout: 1000 }));
        else requestAnimationFrame(look);
      };
      look();
    });
  };
  window.plainRows = (count, px) => {
    const rows = document.createDocumentFragment();
    for (let nth = 0; nth < count; nth += 1) {
      const row = document.createElement('div');
      row.style.height = px + 'px';
      row.textContent = 'user-' + nth;
      rows.append(row);
    }
    document.querySelector('main').append(rows);
  };
  window.recordFrames = () => {
    const frames = [];
    let isOn = true;
    let last;
    const frame = (at) => {
      if (last !== undefined) frames.push(at - last);
      last = at;
      if (isOn) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    window.stopFrames = () => ((isOn = false), frames);
  };
})()`;

/** Calls `use` with a browser, which is closed afterwards. */
export async function withBrowser<T>(use: (browser: Browser) => Promise<T>): Promise<T> {
  const { chromium } = await import('playwright-core');
  const server = await startBrowser();
  const browser = await chromium.connect(server.wsEndpoint());
  try {
    return await use(browser);
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Opens a page as the administrator whose key lies in `home`. */
export async function openBenchPage(browser: Browser, home: string): Promise<BenchPage> {
  const key = readFileSync(join(home, 'admin-key'), 'utf8').trim();
  const context = await browser.newContext({
    viewport: VIEWPORT,
    extraHTTPHeaders: { authorization: `Bearer ${key}` },
  });
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  await page.addInitScript(IN_PAGE);
  const cdp = await context.newCDPSession(page);
  return {
    page,
    async measure(input, shown) {
      const stop = await traceTasks(cdp);
      await page.evaluate(`awaitAnswer(() => ${shown})`);
      await input(page);
      const { feedback, answer } = await within<Omit<Measured, 'task'>>(page.evaluate('answered'), shown);
      return { feedback, answer, task: await stop() };
    },
    async turnWheel(ms) {
      await page.mouse.move(VIEWPORT.width / 2, VIEWPORT.height / 2);
      await page.evaluate('recordFrames()');
      for (const until = performance.now() + ms; performance.now() < until; ) await page.mouse.wheel(0, 120);
      return page.evaluate('stopFrames()');
    },
  };
}

async function within<T>(answer: Promise<unknown>, shown: string): Promise<T> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`never shown: ${shown}`)), TIMEOUT_MS);
  });
  return Promise.race([answer as Promise<T>, late]).finally(() => clearTimeout(timer));
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** Records the tasks of the page's main thread. The returned function ends that and gives the longest. */
async function traceTasks(cdp: CDPSession): Promise<() => Promise<Task>> {
  const events: TraceEvent[] = [];
  const collect = ({ value }: { value: object[] }): void => void events.push(...(value as TraceEvent[]));
  cdp.on('Tracing.dataCollected', collect);
  await cdp.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['disabled-by-default-devtools.timeline'], excludedCategories: ['*'] },
  });
  return async () => {
    const complete = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve));
    await cdp.send('Tracing.end');
    await complete;
    cdp.off('Tracing.dataCollected', collect);
    const mains = new Set(
      events
        .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
        .map(({ pid, tid }) => `${pid} ${tid}`),
    );
    return events
      .filter(({ name, ph, pid, tid }) => name === 'RunTask' && ph === 'X' && mains.has(`${pid} ${tid}`))
      .map(({ dur = 0, tdur = 0 }): Task => ({ ms: dur / 1000, cpuMs: tdur / 1000 }))
      .reduce((longest, one) => (one.ms > longest.ms ? one : longest), { ms: 0, cpuMs: 0 });
  };
}
