import { hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERROR_CODES, type RescindError } from '../../contracts/index.js';
import type { ListenConfig } from '../config/index.js';
import type { Health, Metrics } from '../observe/index.js';
import { createHttpServer } from './http-server.js';
import { listenOn, type ListeningServer } from './listen-on.js';
import { createManagement } from './management.js';
import { problemOf } from './problem.js';

export interface UnreadyOptions {
  readonly listen: ListenConfig;
  readonly health: Health;
  readonly metrics: Metrics;
  /** The error that every request is refused with. It is retryable and has no detail, because callers are not authenticated. */
  readonly reason: () => RescindError;
}

/**
 * Listens on the service's address while the service may not begin. `/health/ready` says so, and every other request gets 503, so that
 * no client takes a missing route for an answer. A person who opens the console gets a page that says so and asks again.
 */
export async function listenUnready({ listen, health, metrics, reason }: UnreadyOptions): Promise<ListeningServer> {
  const server = createHttpServer({
    framework: (req, res) => (wantsPage(req) ? tellPerson(res, reason()) : refuse(res, reason())),
    hot: createManagement({ health, metrics, notYet: true }),
    tls: listen.tls,
    // Bodies are not read, and the service itself takes over the address soon.
    isClosing: () => true,
  });

  return listenOn(server, listen);
}

const wantsPage = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && headers.accept?.includes('text/html') === true;

/** Seconds after which a browser asks for the page again. */
const AGAIN_S = 5;

const STYLE = `
body { margin: 0; padding: 1.5rem; font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif }
main { max-width: 40rem; margin: 8vh auto 0 }
h1 { font-size: 1.25rem; font-weight: 600 }
h1 + p { padding: 0.75rem 1rem; border-left: 0.25rem solid #c92a2a; background: #c92a2a1a }
code { overflow-wrap: anywhere }
`;
/** Lets this style in, and nothing else. */
const POLICY = `default-src 'none'; style-src 'sha256-${hash('sha256', STYLE, 'base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** Answers a browser. The page holds no word from outside, and runs and loads nothing. */
function tellPerson(res: ServerResponse, error: RescindError): void {
  const { status, headers } = problemOf(error);
  const text = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<meta http-equiv="refresh" content="${AGAIN_S}">
<title>Rescind is not ready</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>This process of Rescind is not ready</h1>
<p>${ERROR_CODES[error.code].title} (<code>${error.code}</code>)</p>
<p>This process says active to nobody, answers nothing and takes no order until that is over. Nothing can be stopped from here now: use
another process of this deployment if one is well, and tell an operator. The log of this process says what to do.</p>
<p>This page asks again every ${AGAIN_S} seconds.</p>
</main>
</body>
</html>
`;
  const more = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(text),
  };
  res.writeHead(status, { ...headers, ...more }).end(text);
}

function refuse(res: ServerResponse, error: RescindError): void {
  const { status, headers, body } = problemOf(error);
  const text = JSON.stringify(body);
  res.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(text) }).end(text);
}
