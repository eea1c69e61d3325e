import { once } from 'node:events';
import type { Command } from 'commander';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { createClient } from '../client.js';
import type { Context } from '../context.js';
import { readDocument } from '../question/document.js';
import { createLocalTime } from '../local-time.js';
import { keyedUrl } from '../settings.js';
import { createHttpServing } from './http.js';
import { createPreviews } from './orders.js';
import { createMcpServer } from './server.js';
import { toolsOf, type Toolbox } from './tools.js';

/** The document changes with a release of the service, which an assistant that runs for days should notice. */
const DOCUMENT_MS = 60_000;

export interface McpSettings {
  readonly port: number | undefined;
  /** The person in whose name rules may be ordered. */
  readonly person: string | undefined;
}

/** Serves until the client of standard input leaves, or for HTTP until SIGINT or SIGTERM. */
export async function serveMcp(context: Context, command: Command, { port, person }: McpSettings): Promise<void> {
  const { terminal } = context;
  const shared = { person, previews: createPreviews(), toLocal: createLocalTime(terminal.env['TZ']) };
  if (port === undefined) {
    const settings = await context.settings(command);
    const toolbox = await createToolbox(settings.url, person !== undefined);
    const client = createClient(settings);
    const transport = new StdioServerTransport(terminal.stdin, terminal.out);
    const left = once(terminal.stdin, 'end');
    const server = serveStdio(() => createMcpServer({ ...shared, toolbox, client, key: settings.key }), { transport });
    await left;
    return server.close();
  }
  const url = keyedUrl(await context.url(command));
  const toolbox = await createToolbox(url, person !== undefined);
  const http = createHttpServing({
    url,
    serverFor: (key, client) => createMcpServer({ ...shared, toolbox, client, key }),
  });
  terminal.err.write(`rescind mcp answers at ${await http.listen(port)}\n`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  await http.close();
}

/** Reads the document once before anything is served, so that a wrong URL is told at the start. */
async function createToolbox(url: string, canRevoke: boolean): Promise<() => Promise<Toolbox>> {
  let toolbox = toolsOf(await readDocument(url), canRevoke);
  let readAt = performance.now();
  return async () => {
    if (performance.now() - readAt < DOCUMENT_MS) return toolbox;
    readAt = performance.now();
    // Without the service the tools stay the same, and each call says why it fails.
    toolbox = await readDocument(url).then(
      (document) => toolsOf(document, canRevoke),
      () => toolbox,
    );
    return toolbox;
  };
}
