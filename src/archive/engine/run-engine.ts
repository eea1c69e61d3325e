import { spawn } from 'node:child_process';
import { extname } from 'node:path';
import { constants, setPriority } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { EngineJob, EngineResult } from './engine.js';

/** A full segment takes under a second; a disk that hangs is given up. */
const ENGINE_TIMEOUT_MS = 120_000;
/** Characters of the engine's complaint that an error carries. */
const MAX_COMPLAINT = 2_000;

/** The engine beside this file, compiled or not. */
const ENGINE = fileURLToPath(new URL(`./engine${extname(import.meta.url)}`, import.meta.url));

/** Runs the engine on one job, at low priority. Rejects with the engine's last words if it fails, crashes, hangs, or is aborted. */
export async function runEngine(job: EngineJob, signal?: AbortSignal): Promise<EngineResult> {
  // No environment: it holds the passwords of the service.
  const child = spawn(process.execPath, [ENGINE], {
    env: {},
    stdio: 'pipe',
    timeout: ENGINE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    ...(signal ? { signal } : {}),
  });
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, how) => resolve(code ?? how ?? 'unknown'));
  });
  if (child.pid !== undefined) lowerPriority(child.pid);
  // A child that ends early closes its input; how it ended says more.
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(job));
  const [end, answer, complaint] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (end !== 0) throw new Error(`the archive's engine ended with ${end}: ${complaint.slice(0, MAX_COMPLAINT)}`);
  return JSON.parse(answer) as EngineResult;
}

function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already.
  }
}
