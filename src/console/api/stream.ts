import { askWho } from './client.js';

const STREAM = '/v1/stream';
/** A stream that was refused, or ended for good, is opened again after this time. */
const AGAIN_MS = 5_000;

/**
 * Listens to `GET /v1/stream` until the returned function is called. `on`: what to do with each kind of event. `onOpen` is told whether events are
 * heard now.
 */
export function listen(
  on: Readonly<Record<string, (data: string) => void>>,
  onOpen: (isOpen: boolean) => void,
): () => void {
  let source: EventSource | undefined;
  let again: ReturnType<typeof setTimeout> | undefined;
  const open = (): void => {
    const opened = new EventSource(STREAM);
    source = opened;
    opened.addEventListener('start', () => onOpen(true));
    for (const [event, act] of Object.entries(on))
      opened.addEventListener(event, ({ data }: MessageEvent<string>) => act(data));
    opened.addEventListener('error', () => {
      onOpen(false);
      // The browser opens a stream that broke off by itself, and one that was refused never.
      if (opened.readyState !== EventSource.CLOSED) return;
      // An event source does not say why it was refused. A question does: whose session has ended is led to the sign-in.
      void askWho();
      again = setTimeout(open, AGAIN_MS);
    });
  };
  open();
  return () => {
    clearTimeout(again);
    source?.close();
  };
}
