export interface ServerSentEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

/** Characters of one event. The longest is `start`, with a key of 22 characters a resource; a longer event does not come from a node. */
export const MAX_EVENT_LENGTH = 1024 * 1024;

/**
 * Creates a parser of `text/event-stream` (HTML, 9.2.6) that takes the text in pieces and hands over each complete event. Comments are
 * skipped. Throws `RangeError` for an event that is too long.
 */
export function createEventParser(take: (event: ServerSentEvent) => void): (piece: string) => void {
  let pending = '';
  let event = '';
  let id: string | undefined;
  let data: string | undefined;
  let length = 0;

  function endEvent(): void {
    if (data !== undefined) take({ event: event === '' ? 'message' : event, id, data });
    [event, id, data, length] = ['', undefined, undefined, 0];
  }

  function takeLine(line: string): void {
    if (line === '') return endEvent();
    length += line.length;
    if (length > MAX_EVENT_LENGTH) throw new RangeError('an event of the feed is too long');
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') event = value;
    else if (field === 'id') id = value;
    else if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
  }

  return (piece) => {
    pending += piece;
    let from = 0;
    for (let to = pending.indexOf('\n'); to !== -1; to = pending.indexOf('\n', from)) {
      takeLine(pending.slice(from, pending[to - 1] === '\r' ? to - 1 : to));
      from = to + 1;
    }
    pending = pending.slice(from);
    if (pending.length > MAX_EVENT_LENGTH) throw new RangeError('an event of the feed is too long');
  };
}
