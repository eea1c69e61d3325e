import { createServer } from 'node:net';
import { readFile, writeFile } from 'node:fs/promises';

/**
 * Returns the port remembered in `file` if it is free, so that an address survives restarts. Otherwise picks a free port and writes it to
 * `file`. Another process may take the port before it is used: if the service cannot bind, the caller starts again.
 */
export async function rememberPort(file: string, host: string): Promise<number> {
  const remembered = Number(await readFile(file, 'utf8').catch(() => ''));
  if (
    Number.isInteger(remembered) &&
    remembered >= 1_024 &&
    remembered <= 65_535 &&
    (await tryPort(remembered, host)) !== undefined
  ) {
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
