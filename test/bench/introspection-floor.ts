import type { RequestListener } from 'node:http';

/** A bare `node:http` handler: reads the body, parses nothing, answers the same bytes every time. */
export function createFloor(body: string): RequestListener {
  const length = Buffer.byteLength(body);
  return (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      res.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store', 'content-length': length });
      res.end(body);
    });
  };
}
