#!/usr/bin/env node
import { nodeProblem } from './node-version.js';

const problem = nodeProblem(process.version);
if (problem === undefined) {
  // Loaded here alone: on an older Node one of its imports fails with an error that helps nobody.
  const { run } = await import('./run.js');
  const { EXIT } = await import('./exit-codes.js');
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    // As shells report SIGPIPE: `rescind … | head`.
    process.exit(EXIT.unread[0]);
  });
  process.exitCode = await run(process.argv.slice(2), {
    env: process.env,
    out: process.stdout,
    err: process.stderr,
    stdin: process.stdin,
  });
  // Everything has been stopped by this time. A connection that a client library reopened must not keep the process alive.
  const LEFT_BEHIND_MS = 500;
  if (process.argv[2] === 'serve' || process.argv[2] === 'demo')
    setTimeout(() => process.exit(), LEFT_BEHIND_MS).unref();
} else {
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}
