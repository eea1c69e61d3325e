import { createServer } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';

/**
 * The port written in `file` while it is free, so that an address stays the same across restarts; otherwise a free one, which is
 * written there. Another process may take it before it is used: the caller starts again when its service could not bind.
 */
export async function rememberPort(file: string, host: string): Promise<number> {
  const remembered = Number(await readFile(file, 'utf8').catch(() => ''));
  if (Number.isInteger(remembered) && remembered >= 1_024 && remembered <= 65_535 && (await tryPort(remembered, host)) !== undefined) {
    return remembered;
  }
  const port = await tryPort(0, host);
  if (port === undefined) throw new Error(`no free port on ${host}`);
  await writeFile(file, String(port), { mode: 0o600 });
  return port;
}

function tryPort(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : undefined));
    });
  });
}
